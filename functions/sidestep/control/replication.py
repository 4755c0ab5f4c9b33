"""Step: have a Region's writes arrived? Heartbeats tell; no heartbeat is unknown, never yes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sidestep.aws.clients import client
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.errors import SidestepError
from sidestep.core.replication import CaughtUp, caught_up

settings = Settings.from_environment()
policy = _parts.policy(settings)
lease = _parts.lease(settings, _parts.coordination(settings))
replicas = {
    region: ReplicaHeartbeats(client("dynamodb", region, attempts=1), settings.data_table)
    for region in settings.regions
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "since" (ms), "both": bool}` → `{"caught_up", "lag_ms", "why"}`.

    One way: the Region's writes before `since`, here. Both: others' writes in the Region too.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    since = int(event["since"])
    out = _arrived(claim.region, settings.region, since, now)
    if not event.get("both") or out.caught_up is not True:
        return asdict(out)
    others = [r for r in settings.regions if r not in (claim.region, settings.region)]
    ways = [_arrived(source, claim.region, since, now) for source in (settings.region, *others)]
    own = ways[0]
    # A third Region may be down; what it wrote before that arrived through everybody else.
    return asdict(out if own.caught_up else own)


def _arrived(source: str, replica: str, since: int, now: int) -> CaughtUp:
    try:
        newest = replicas[replica].newest().get(source)
    except SidestepError as error:
        return CaughtUp(None, None, f"{replica}'s replica cannot be read: {error}")
    return caught_up(source, newest, since, now, policy.worst_lag_ms)
