"""Step: has traffic moved? By what DNS answers clients, and by what the Region still serves."""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots, Registered
from sidestep.aws.clients import client
from sidestep.aws.dns_view import DnsView
from sidestep.aws.settings import Settings
from sidestep.aws.telemetry import logger as make_logger
from sidestep.aws.traffic_metrics import TrafficMetrics
from sidestep.control import _parts
from sidestep.core.errors import InvalidInput, SidestepError
from sidestep.core.topology import served_by
from sidestep.core.traffic import BACK, ELSEWHERE, GONE, Answers, Moved, moved, sent_elsewhere

settings = Settings.from_environment("SIDESTEP_NAME_SERVERS")
logger = make_logger()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)
view = DnsView(settings.name_servers)
metrics = {
    region: TrafficMetrics(client("cloudwatch", region, attempts=1)) for region in settings.regions
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "expect": "elsewhere"|"gone"|"back", "moved_at"?}`
    → `{"done", "dns_moved", "traffic_moved", "answers", "requests", "moved_at", "claimed"}`.

    `done`: what was expected is seen. `elsewhere` asks DNS alone, and takes the last look's
    `moved_at`. `gone` is for when the incident has been put down: it needs no lease, and asks
    nothing once somebody has `claimed` the incident since: a return that begins sooner than this
    is known is the ordinary course, and no error. `requests`: of clients, since the drain or the
    return, in the newest minute of which CloudWatch has everything and after it. Null means that
    it cannot be known, which is never taken for a yes. Raises LeaseLost, InvalidInput.
    """
    now = _parts.now_ms()
    claim, expected, moved_at = _parts.claim_from(event), event["expect"], event.get("moved_at")
    if expected not in (ELSEWHERE, GONE, BACK):
        raise InvalidInput(f"expect is {expected!r}: it may be {ELSEWHERE}, {GONE} or {BACK}")
    if expected != GONE:
        claim = lease.renew(claim, now)
    elif not lease.is_put_down(claim):
        return _told(Moved(None, None, False), None, None, moved_at) | {"claimed": True}
    entry = ballots.registered(claim.region)
    answers = _answers(entry)
    served: int | None = None
    if expected == ELSEWHERE:
        found = sent_elsewhere(
            claim.region, answers, None if moved_at is None else int(moved_at), now
        )
        moved_at = found.moved_at
    else:
        state = lease.read().of(claim.region)
        since = state.drained_at_ms if expected == GONE else state.restored_at_ms
        served, silent = _served(entry, since, now)
        found = moved(expected, claim.region, answers, served, silent)
    return _told(found, answers, served, moved_at)


def _told(
    found: Moved, answers: Answers | None, served: int | None, moved_at: int | None
) -> dict[str, Any]:
    return {
        "done": found.done,
        "dns_moved": found.dns,
        "traffic_moved": found.traffic,
        "answers": list(answers.chosen) if answers else [],
        "requests": served,
        "moved_at": moved_at,
        "claimed": False,
    }


def _answers(entry: Registered | None) -> Answers | None:
    """What DNS answers a client nearest to the Region; None when it cannot be asked."""
    if entry is None or not entry.client_subnet:
        logger.warning("no client subnet is registered")
        return None
    try:
        chosen = view.texts(served_by(settings.domain), entry.client_subnet)
        return Answers(chosen, settings.regions)
    except SidestepError as error:
        logger.warning("DNS could not be asked", reason=str(error))
        return None


def _served(entry: Registered | None, since: int, now: int) -> tuple[int | None, bool]:
    """Client requests that the Region got since then, None if unknown; whether it is silent."""
    if entry is None:
        return None, False
    try:
        return metrics[entry.region].client_requests(entry.api_id, since, now), False
    except SidestepError as error:
        logger.info("the Region's metrics could not be read", reason=str(error))
        return None, True
