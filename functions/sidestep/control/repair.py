"""Step: put back acknowledged writes that are still missing somewhere; never over another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.aws.write_ledger import Span
from sidestep.control import _parts
from sidestep.control._reach import Reach, reach
from sidestep.control._replicas import Replicas
from sidestep.control._stretches import stretches
from sidestep.core.control import DRAINED, FAILOVER, Claim, RegionState
from sidestep.core.errors import Refused
from sidestep.core.ledger import MAX_KEYS, Repaired, place, plan_repair
from sidestep.core.messages import Message

settings = Settings.from_environment()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
ledger = _parts.write_ledger(settings)
replicas = {region: _parts.replica(settings, region) for region in settings.regions}
STRETCH = 100
"""Writes that are taken at a time: one BatchGetItem of each replica."""
RENEW_EVERY = 50
"""Writes between two proofs of the lease."""
ENOUGH_MS = 60_000
"""After so long an invocation leaves the rest to the next. Its last stretch may be
missing as a whole, and takes 30 s more at 300 ms a write, which is a way across the world and
back: within the function's time-out."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "since"? (ms), "so_far"?, "backed_out"?}` → `{"repaired", "conflicts",
    "conflicting", "lost", "unread", "complete", "more", "after", "earlier", "began"}`.

    An invocation repairs for a while: as long as there is `more`, its answer is the next one's
    `so_far`; where there is none, one that is given it begins anew and counts on. What a guarded
    Region's replica lacks is put back, wherever that is: a source that is gone delivers it to none
    any more. In a failover, and after a return that was `backed_out`, the drained Region's own is
    only read. `lost` is what is missing even so. While the replica of a Region that clients may be
    sent to cannot be read, another body under the same key may be there: nothing is put back.
    `complete` is false wherever a replica or ledger could not be read; or where no count has said
    from when on to look, since histories are not read as far back as ledgers then. Raises
    LeaseLost, also between writes, Refused, and what this Region's own replica raises.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    backed_out = bool(event.get("backed_out"))
    into = _into(claim, backed_out)
    if settings.region not in into:
        raise Refused(f"{claim.region} was drained: its own replica is no place to put back to")
    so_far: Mapping[str, Any] = event.get("so_far") or {}
    going_on = bool(so_far.get("more"))
    # What was put back before somebody could not be read stays told.
    done = Repaired.from_dict(so_far) if going_on else Repaired(int(so_far.get("repaired", 0)))
    began = int(so_far["began"]) if going_on else now
    state = lease.read().of(claim.region)
    told = record.read(claim.incident) or {}
    far = reach(told, state, event.get("since"), backed_out, now)
    compared = Replicas(replicas, settings.region)
    end: str | None = None
    earlier = False
    for span in _spans(far, claim.region, state, so_far if going_on else {}, now):
        for held, part in stretches(ledger, lease, claim, span, STRETCH, now + ENOUGH_MS):
            done = done.plus(Repaired(unread=tuple(one.region for one in part.unread)))
            done, end = done.plus(_repair(held, part.entries, compared, into)), part.end
        earlier = span.until is not None
        if end is not None:
            break
    more = end is not None
    whole = far.counted or not _parts.survivors(settings, claim.region)
    return {
        **asdict(done),
        "complete": whole and not done.unread and not more,
        "more": more,
        "after": end,
        "earlier": earlier,
        "began": began,
    }


def _spans(
    far: Reach, gone: str, state: RegionState, so_far: Mapping[str, Any], now: int
) -> Iterator[Span]:
    """What is left to go through: the recent writes, then the earlier ones, in ledgers alone."""
    earlier, after = bool(so_far.get("earlier")), so_far.get("after")
    if not earlier:
        yield _parts.span(settings, gone, state, after or place(far.recent), now)
        after = None
    if far.earlier is not None:
        until = place(far.recent)
        yield Span(after or place(far.earlier), until, (), until)


def _repair(
    claim: Claim, entries: Sequence[Message], compared: Replicas, into: Sequence[str]
) -> Repaired:
    """Put back what is missing of a stretch in the replicas of the Regions `into`."""
    held = compared.held(into, {entry.id for entry in entries})
    lacking = {e.id for e in entries if any(e.id not in there for there in held.values())}
    drained = [claim.region] if lacking and claim.region not in into else []
    plan = plan_repair(entries, held, compared.held(drained, lacking).values())
    put, found = 0, set(plan.conflicts)
    unseen = _may_accept(claim, compared.away) if lacking else ()
    for number, (region, message) in enumerate(() if unseen else plan.put):
        now = _parts.now_ms()
        if number % RENEW_EVERY == 0:
            claim = lease.renew(claim, now)
        done = compared.put_back(region, message, now)
        put += done is True
        # One that was not put has met another that was there by then.
        found |= {message.id} if done is not None else set()
    return Repaired(
        repaired=put,
        conflicts=plan.conflicts[:MAX_KEYS],
        conflicting=len(plan.conflicts),
        lost=len(lacking - found),
        unread=tuple(region for region in compared.away if region in into),
    )


def _into(claim: Claim, backed_out: bool) -> list[str]:
    """The Regions in which every write has to be, the acting one first: a put there is short, and
    reaches the others by itself."""
    regions = sorted(settings.regions, key=lambda region: region != settings.region)
    leaves = claim.kind == FAILOVER or backed_out
    return [r for r in regions if not leaves or r != claim.region]


def _may_accept(claim: Claim, away: Mapping[str, str]) -> tuple[str, ...]:
    """Those among the other Regions that clients may be sent to: all but the drained ones. One on
    its way back or out is in some wardens' DNS answers already, or still."""
    control = lease.read() if away else None
    return tuple(
        region
        for region in away
        if control is not None and region != claim.region and control.of(region).state != DRAINED
    )
