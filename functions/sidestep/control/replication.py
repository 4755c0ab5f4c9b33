"""Step: have a Region's writes arrived? Heartbeats tell; no heartbeat is unknown, never yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sidestep.aws.clients import client
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.control import SERVING
from sidestep.core.errors import SidestepError
from sidestep.core.replication import CaughtUp, caught_up, worst

settings = Settings.from_environment()
policy = _parts.policy(settings)
lease = _parts.lease(settings, _parts.coordination(settings))
replicas = {
    region: ReplicaHeartbeats(client("dynamodb", region, attempts=1), settings.data_table)
    for region in settings.regions
}


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "since" (ms), "both"?}` → `{"caught_up", "lag_ms", "why"}`.

    The Region's writes before `since`, in the serving Regions' replicas; with `both`, theirs
    in its own replica too. `caught_up` is null when that cannot be known. Raises LeaseLost.
    """
    now, since = _parts.now_ms(), int(event["since"])
    claim = lease.renew(_parts.claim_from(event), now)
    control = lease.read()
    peers = [r for r in settings.regions if r != claim.region and control.of(r).state == SERVING]
    ways = [_arrived(claim.region, peer, _newest(peer), since, now) for peer in peers]
    if event.get("both"):
        there = _newest(claim.region)
        ways += [_arrived(peer, claim.region, there, since, now) for peer in peers]
    return asdict(worst(ways))


def _newest(replica: str) -> Mapping[str, int] | str:
    """The heartbeats that a replica holds, or why it cannot be read."""
    try:
        return replicas[replica].newest()
    except SidestepError as error:
        return f"{replica}'s replica cannot be read: {error}"


def _arrived(
    source: str, replica: str, newest: Mapping[str, int] | str, since: int, now: int
) -> CaughtUp:
    if isinstance(newest, str):
        return CaughtUp(None, None, newest)
    found = caught_up(source, newest.get(source), since, now, policy.worst_lag_ms)
    return replace(found, why=f"in {replica}: {found.why}")
