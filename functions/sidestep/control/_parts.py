"""Where the control plane's parts are joined: adapters made from a function's settings.

Functions only, no state: each handler module holds what it makes here.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sidestep.aws.clients import client
from sidestep.aws.coordination import CoordinationTable, in_order
from sidestep.aws.gate import TrafficGate
from sidestep.aws.incident_lease import IncidentLease
from sidestep.aws.regional import RegionalTable
from sidestep.aws.replica_history import ReplicaHistory
from sidestep.aws.settings import Settings
from sidestep.aws.write_ledger import Replica, Span, WriteLedger
from sidestep.core.control import (
    AUTOMATIC,
    CLOCK_SKEW_MS,
    DRAINED,
    DRAINING,
    FAILOVER,
    SERVING,
    Claim,
    RegionState,
)
from sidestep.core.errors import CheckTooOld, InvalidInput, Refused
from sidestep.core.ledger import place
from sidestep.core.policy import Policy


def now_ms() -> int:
    """Epoch milliseconds."""
    return int(time.time() * 1000)


def policy(settings: Settings) -> Policy:
    """The policy in force. Raises PolicyError."""
    return Policy.parse(settings.policy, settings.regions)


def coordination(settings: Settings) -> CoordinationTable:
    """The coordination table, this Region's replica first where it has one."""
    regions = in_order(settings.coordination_regions, settings.region)
    clients = {region: client("dynamodb", region, attempts=1) for region in regions}
    return CoordinationTable(clients, settings.coordination_table, settings.application)


def lease(settings: Settings, table: CoordinationTable) -> IncidentLease:
    """Claims and state changes of this application."""
    return IncidentLease(table, settings.application, settings.regions, policy(settings).lease_s)


CHECK_HOLDS_MS = 30_000
"""For so long what a failover found when it checked again is a reason to begin its drain. An
execution may stand still in between, or be cut short there and redriven. Chosen: a gate that does
not answer is tried again in that time, and a Region that is well again is seen to be a little
later."""


def let_out(
    lease: IncidentLease, policy: Policy, claim: Claim, now: int, checked_ms: int | None
) -> None:
    """Count a Region as no longer serving, before any switch of it is set: what is refused here
    stays in DNS. `checked_ms`: when an automatic failover found that the Region is to be left.
    Raises LeaseLost, LastServingRegion, Refused, CheckTooOld, NotYet."""
    state = lease.read().of(claim.region).state
    if state == DRAINED:
        return
    # What a return that failed costs was looked at before the return (core/holds.py).
    automatic = claim.kind == FAILOVER and claim.mode == AUTOMATIC
    if automatic and state == SERVING:
        if checked_ms is None:
            raise Refused(f"nobody has checked whether {claim.region} is to be left still")
        if now - checked_ms > CHECK_HOLDS_MS:
            ago = f"{(now - checked_ms) / 1000:.0f} s ago (limit {CHECK_HOLDS_MS / 1000:.0f} s)"
            raise CheckTooOld(f"{claim.region} was checked {ago}, and may be well again by now")
    most = policy.max_drains_per_day if automatic else None
    lease.advance(claim, DRAINING, now, policy.must_remain(claim.mode), most)


def gate(settings: Settings, wardens: Sequence[str]) -> TrafficGate:
    """The marks in these Regions' Regional tables."""
    clients = {region: client("dynamodb", region) for region in wardens}
    return TrafficGate(clients, settings.regional_table)


def regional(settings: Settings, region: str) -> RegionalTable:
    """A Region's own table."""
    return RegionalTable(client("dynamodb", region), settings.regional_table)


def write_ledger(settings: Settings) -> WriteLedger:
    """The ledgers of all guarded Regions, and their replicas' histories."""
    return WriteLedger(
        {region: regional(settings, region) for region in settings.regions},
        {
            region: ReplicaHistory(client("dynamodb", region), settings.data_table)
            for region in settings.regions
        },
    )


def replica(settings: Settings, region: str) -> Replica:
    """A Region's replica of the data table."""
    return Replica(client("dynamodb", region), settings.data_table)


def claim_from(event: Mapping[str, Any]) -> Claim:
    """The claim that a workflow carries. Raises InvalidInput when there is none."""
    given = event.get("claim")
    if not isinstance(given, Mapping) or set(given) != set(Claim.__dataclass_fields__):
        raise InvalidInput("the step was given no claim: start with ClaimFunction's answer")
    return Claim(
        **{**given, "token": int(given["token"]), "lease_until": int(given["lease_until"])}
    )


def claim_to(claim: Claim) -> dict[str, Any]:
    """A claim as a workflow carries it."""
    return asdict(claim)


LEDGER_MARGIN_MS = 15 * 60_000
"""How far before the newest known replication point the ledger is compared: items replicate
in no order, so an older write may still be missing."""


def ledger_since(newest_heartbeat_ms: int | None, state: RegionState, now: int) -> int:
    """From when on a Region's ledger entries are compared with a replica."""
    points = [p for p in (newest_heartbeat_ms, state.drained_at_ms or None) if p is not None]
    return min(points, default=now) - LEDGER_MARGIN_MS


HISTORY_TAIL_MS = 60 * 60_000
"""How far beyond a Region's drain its writes are looked for in other Regions' replicas. Clients
that still come are few by then; the ledgers have no such end, and cost nothing where there is no
entry. The history index is of all Regions' writes: of a Region that is out for days, days of the
others' would be read."""


def span(
    settings: Settings,
    gone: str,
    state: RegionState,
    after: str,
    now: int,
    away: Collection[str] = (),
) -> Span:
    """Where the writes of a Region that is drained, or was, are looked for.

    In the ledgers, and where there are two surviving replicas or more in these: one may hold what
    another lacks. Its own is no source, nor is any with only one survivor: what it holds it sends
    to the others by itself once it is back, and if it is a new one DynamoDB fills it from theirs
    (https://aws.amazon.com/blogs/aws/new-convert-your-single-region-amazon-dynamodb-tables-to-global-tables/).
    Replicas that are known to be `away` are not asked.
    """
    newest = now + CLOCK_SKEW_MS  # it went by its own clock
    if state.drained_at_ms:
        newest = min(newest, state.drained_at_ms + HISTORY_TAIL_MS)
    return Span(after, place(newest), survivors(settings, gone, away))


def survivors(settings: Settings, gone: str, away: Collection[str] = ()) -> tuple[str, ...]:
    """The Regions whose replicas' histories are read of a Region's writes; none, where there are
    not two of them to differ."""
    left = tuple(r for r in settings.regions if r != gone and r not in away)
    return left if len(left) > 1 else ()
