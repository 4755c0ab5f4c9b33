"""Step: count the acknowledged writes that a drained Region had not replicated."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sidestep.aws.clients import client
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.settings import Settings
from sidestep.aws.telemetry import logger as make_logger
from sidestep.control import _parts
from sidestep.core.control import SERVING, ControlState
from sidestep.core.errors import Refused
from sidestep.core.ledger import at_risk

settings = Settings.from_environment()
logger = make_logger()
lease = _parts.lease(settings, _parts.coordination(settings))
ledger = _parts.write_ledger(settings)
replicas = {region: _parts.replica(settings, region) for region in settings.regions}
heartbeats = {
    region: ReplicaHeartbeats(client("dynamodb", region), settings.data_table)
    for region in settings.regions
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim"}` → `{"count", "keys", "oldest_ms", "complete", "since"}`.

    A surviving replica is asked, never the drained Region's own. Raises LeaseLost, Refused,
    Unreachable, Throttled.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    control = lease.read()
    survivor = _survivor(claim.region, control)
    newest = heartbeats[survivor].newest().get(claim.region)
    since = _parts.ledger_since(newest, control.of(claim.region), now)
    entries, unread = ledger.entries(claim.region, since)
    for region, why in unread.items():
        logger.warning("a ledger could not be read", region=region, reason=why)
    held = replicas[survivor].held(entry.id for entry in entries)
    found = asdict(at_risk(entries, held, complete=not unread))
    return {**found, "keys": list(found["keys"]), "since": since}


def _survivor(gone: str, control: ControlState) -> str:
    """Where the surviving data is read: here, unless this is the Region that was drained."""
    serving = [r for r in settings.regions if r != gone and control.of(r).state == SERVING]
    if not serving:
        raise Refused(f"no Region but {gone} serves: there is no replica to compare with")
    return settings.region if settings.region in serving else serving[0]
