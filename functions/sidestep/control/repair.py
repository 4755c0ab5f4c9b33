"""Step: put back acknowledged writes that are still missing; never over a newer one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.control._stretches import say_unread, stretches
from sidestep.core.control import FAILOVER, SERVING, Claim
from sidestep.core.errors import Refused, SidestepError
from sidestep.core.ledger import MAX_KEYS, Repaired, missing, newest, place, plan_repair
from sidestep.core.messages import Message

settings = Settings.from_environment()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
ledger = _parts.write_ledger(settings)
replicas = {region: _parts.replica(settings, region) for region in settings.regions}
replica = replicas[settings.region]
RENEW_EVERY = 50
"""Writes between two proofs of the lease."""
ENOUGH_MS = 60_000
"""After so long an invocation leaves the rest of the ledger to the next. Its last stretch may be
missing as a whole, and takes 25 s more at 50 ms a write: within the function's time-out."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "since"? (ms), "so_far"?}` → `{"repaired", "conflicts", "conflicting", "lost",
    "unread", "complete", "more", "after", "began"}`.

    An invocation repairs for a while: as long as there is `more`, its answer is the next one's
    `so_far`. `lost` is what is missing even so. While a serving Region's replica cannot be read,
    a newer write may be there: nothing is put back, and `complete` is false. Raises LeaseLost,
    also between writes, and Refused.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    if claim.kind == FAILOVER and claim.region == settings.region:
        raise Refused(f"{claim.region} was drained: its own replica is no place to put back to")
    so_far: Mapping[str, Any] = event.get("so_far") or {}
    if so_far.get("more"):
        done, after = Repaired.from_dict(so_far), str(so_far["after"])
        began = int(so_far["began"])
    else:
        done, after, began = Repaired(), place(_since(claim, event.get("since"), now)), now
    away: dict[str, str] = {}
    end: str | None = None
    for held, part in stretches(ledger, lease, claim, after, now + ENOUGH_MS):
        done = done.plus(Repaired(unread=tuple(part.unread)))
        done, end = done.plus(_repair(held, part.entries, away)), part.end
    more = end is not None
    return {
        **asdict(done),
        "complete": not done.unread and not more,
        "more": more,
        "after": end,
        "began": began,
    }


def _repair(claim: Claim, entries: Sequence[Message], away: dict[str, str]) -> Repaired:
    """Put back what is missing of a stretch. `away` are the Regions whose replica could not be
    read before, with why: they are not asked again, and those found now are added."""
    here = replica.held(entry.id for entry in entries)
    lacking = {entry.id for entry in missing(entries, here)}
    elsewhere = _elsewhere(lacking, away)
    unseen = _serving(claim, away) if lacking else ()
    plan = plan_repair(entries, here, elsewhere)
    put = 0
    for number, message in enumerate(() if unseen else plan.put):
        now = _parts.now_ms()
        if number % RENEW_EVERY == 0:
            claim = lease.renew(claim, now)
        put += replica.put_back(message, now)
    still = missing((entry for entry in entries if entry.id in lacking), replica.held(lacking))
    return Repaired(
        repaired=put,
        conflicts=plan.conflicts[:MAX_KEYS],
        conflicting=len(plan.conflicts),
        lost=len({entry.id for entry in still} - set(plan.conflicts)),
        unread=unseen,
    )


def _elsewhere(ids: Collection[str], away: dict[str, str]) -> dict[str, Message]:
    """The newest that other Regions' replicas hold of these ids."""
    found: list[dict[str, Message]] = []
    for region in settings.regions if ids else ():
        if region == settings.region or region in away:
            continue
        try:
            found.append(replicas[region].held(ids))
        except SidestepError as error:
            say_unread("replica", {region: str(error)})
            away[region] = str(error)
    return newest(found)


def _serving(claim: Claim, away: Mapping[str, str]) -> tuple[str, ...]:
    """Those among the Regions that serve: a write may be accepted there."""
    control = lease.read() if away else None
    return tuple(
        region
        for region in away
        if control is not None and region != claim.region and control.of(region).state == SERVING
    )


def _since(claim: Claim, given: int | None, now: int) -> int:
    """From when on the ledger is compared: no later than the failover compared it."""
    since = _parts.ledger_since(None, lease.read().of(claim.region), now)
    counted = (record.read(claim.incident) or {}).get("at_risk") or {}
    earlier = [int(one) for one in (given, counted.get("since")) if one is not None]
    return min([since, *earlier])
