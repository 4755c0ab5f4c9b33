"""Step: has traffic moved? By what DNS answers clients, and by what the Region still serves."""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.clients import client
from sidestep.aws.dns_view import DnsView
from sidestep.aws.settings import Settings
from sidestep.aws.telemetry import logger as make_logger
from sidestep.aws.traffic_metrics import TrafficMetrics
from sidestep.control import _parts
from sidestep.core.errors import SidestepError

settings = Settings.from_environment("SIDESTEP_NAME_SERVERS")
logger = make_logger()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)
view = DnsView(settings.name_servers)
metrics = {
    region: TrafficMetrics(client("cloudwatch", region, attempts=1), settings.application)
    for region in settings.regions
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "expect": "gone"|"back"}` → `{"done", "dns_moved", "traffic_moved", …}`.

    None means that it cannot be known, which is never taken for a yes.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    gone = event["expect"] == "gone"
    answers, own = _answers(claim.region)
    dns_moved = None if own is None else (answers != own) == gone
    served = _served(claim.region, now)
    return {
        "done": dns_moved is True,
        "dns_moved": dns_moved,
        "traffic_moved": None if served is None else (served == 0) == gone,
        "answers": list(answers),
        "requests_last_minute": served,
    }


def _answers(region: str) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """What clients nearest to the Region are answered, and the Region's own address."""
    entry = ballots.registered(region)
    if entry is None or not entry.client_subnet:
        return (), None
    try:
        answers = view.addresses(settings.domain, entry.client_subnet)
        return answers, view.addresses(settings.host(region), entry.client_subnet)
    except SidestepError as error:
        logger.warning("DNS could not be asked", reason=str(error))
        return (), None


def _served(region: str, now: int) -> int | None:
    """Client requests that the Region served lately; None when it cannot be asked."""
    try:
        return metrics[region].client_requests(now)
    except SidestepError as error:
        logger.info("the Region's metrics could not be read", reason=str(error))
        return None
