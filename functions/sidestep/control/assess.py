"""Step: count the acknowledged writes that a drained Region had not replicated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sidestep.aws.clients import client
from sidestep.aws.heartbeats import ReplicaHeartbeats
from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.regional import LEDGER_DAYS
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.control._replicas import Replicas
from sidestep.control._stretches import stretches
from sidestep.core.control import SERVING, ControlState
from sidestep.core.errors import Refused
from sidestep.core.ledger import AtRisk, at_risk, place

settings = Settings.from_environment()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
ledger = _parts.write_ledger(settings)
replicas = {region: _parts.replica(settings, region) for region in settings.regions}
heartbeats = {
    region: ReplicaHeartbeats(client("dynamodb", region), settings.data_table)
    for region in settings.regions
}
STRETCH = 500
"""Writes that are taken at a time; the lease is renewed between."""
ENOUGH_MS = 30_000
"""After so long an invocation leaves the rest to the next: half of its time-out."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "so_far"?}`
    → `{"count", "keys", "oldest_ms", "unread", "complete", "since", "more", "after", "began"}`.

    An invocation counts for a while: as long as there is `more`, its answer is the next one's
    `so_far`. Every guarded Region's replica is compared, but for the drained Region's own: what
    one of them lacks is at risk, for a source that is gone delivers it to none any more. Raises
    LeaseLost, Refused, Unreachable, Throttled.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    control = lease.read()
    survivor = _survivor(claim.region, control)
    others = [region for region in settings.regions if region != claim.region]
    compared = Replicas(replicas, survivor)
    so_far: Mapping[str, Any] = event.get("so_far") or {}
    if so_far.get("more"):
        found, after = AtRisk.from_dict(so_far), str(so_far["after"])
        since, began = int(so_far["since"]), int(so_far["began"])
    else:
        point = _replicated_until(claim.region, others, compared, now)
        since = _parts.ledger_since(point, control.of(claim.region), now)
        since, began = record.look_back_to(claim, since, now), now
        found, after = AtRisk(), place(since)
    end: str | None = None
    span = _parts.span(settings, claim.region, control.of(claim.region), after, now, compared.away)
    for _, part in stretches(ledger, lease, claim, span, STRETCH, now + ENOUGH_MS):
        held = compared.held(others, {entry.id for entry in part.entries})
        unread = {*(one.region for one in part.unread), *compared.away}
        found, end = found.plus(at_risk(part.entries, held.values(), unread)), part.end
    more = end is not None
    return {
        **asdict(found),
        "complete": not found.unread and not more,
        "since": since,
        "more": more,
        "after": end,
        "began": began,
    }


def _replicated_until(
    source: str, regions: Sequence[str], compared: Replicas, now: int
) -> int | None:
    """The newest heartbeat of `source` (epoch ms) in the replica that is furthest behind, of those
    that can be read.

    Where one replica has heard of `source` and another never has, nothing is known to have ever
    come to that one: all that ledgers keep is compared. None: no replica has ever heard of it, so
    that it is its observer that never spoke, which says nothing of its writes.
    """
    read = (compared.ask(region, heartbeats[region].newest) for region in regions)
    points = [newest.get(source) for newest in read if newest is not None]
    heard = [point for point in points if point is not None]
    if heard and len(heard) < len(points):
        return now - LEDGER_DAYS * 86_400_000
    return min(heard, default=None)


def _survivor(gone: str, control: ControlState) -> str:
    """Whose replica has to answer: this Region's, unless this is the one that was drained."""
    serving = [r for r in settings.regions if r != gone and control.of(r).state == SERVING]
    if not serving:
        raise Refused(f"no Region but {gone} serves: there is no replica to compare with")
    return settings.region if settings.region in serving else serving[0]
