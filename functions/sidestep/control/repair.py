"""Step: put back acknowledged writes that are still missing; never over a newer one."""

from __future__ import annotations

from typing import Any

from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.aws.telemetry import logger as make_logger
from sidestep.control import _parts
from sidestep.core.control import SERVING, Claim
from sidestep.core.errors import SidestepError
from sidestep.core.ledger import goes_on, missing, newest, plan_repair
from sidestep.core.messages import Message

settings = Settings.from_environment()
logger = make_logger()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
ledger = _parts.write_ledger(settings)
replicas = {region: _parts.replica(settings, region) for region in settings.regions}
replica = replicas[settings.region]
RENEW_EVERY = 50
"""Writes between two proofs of the lease."""
AT_ONCE = 1000
"""Writes in one invocation; at 50 ms a write, half of the function's time-out. The workflow
comes back for the rest."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "repaired"?}` → `{"repaired", "conflicts", "lost", "complete", "more"}`.

    `repaired` is what earlier invocations put back; `more` that there is more to put back and
    this invocation came forward; `lost` what is missing even so. While a serving Region's
    replica cannot be read, a newer write may be there: nothing is put back, and `complete` is
    false. Raises LeaseLost, also between writes.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    entries, unread = ledger.entries(claim.region, _since(claim, now))
    ids = [entry.id for entry in entries]
    elsewhere, unseen = _elsewhere(claim, ids)
    for what, away in (("ledger", unread), ("replica", unseen)):
        for region, why in away.items():
            logger.warning(f"a {what} could not be read", region=region, reason=why)
    plan = plan_repair(entries, replica.held(ids), elsewhere)
    due = () if unseen else plan.put
    put = 0
    for number, message in enumerate(due[:AT_ONCE]):
        if number % RENEW_EVERY == 0:
            claim = lease.renew(claim, _parts.now_ms())
        put += replica.put_back(message, now)
    left = {entry.id for entry in missing(entries, replica.held(ids))} - set(plan.conflicts)
    more = goes_on(len(due), AT_ONCE, put)
    return {
        "repaired": int(event.get("repaired", 0)) + put,
        "conflicts": list(plan.conflicts),
        "lost": 0 if more else len(left),
        "complete": not unread and not unseen,
        "more": more,
    }


def _elsewhere(claim: Claim, ids: list[str]) -> tuple[dict[str, Message], dict[str, str]]:
    """The newest that other replicas hold of these ids; the serving Regions among them that
    could not be read, and why."""
    control = lease.read()
    found: list[dict[str, Message]] = []
    unseen: dict[str, str] = {}
    for region in settings.regions:
        if region == settings.region:
            continue
        try:
            found.append(replicas[region].held(ids))
        except SidestepError as error:
            if region != claim.region and control.of(region).state == SERVING:
                unseen[region] = str(error)
    return newest(found), unseen


def _since(claim: Claim, now: int) -> int:
    """From when on the ledger is compared: no later than the failover compared it."""
    since = _parts.ledger_since(None, lease.read().of(claim.region), now)
    counted = (record.read(claim.incident) or {}).get("at_risk") or {}
    return min(since, int(counted.get("since", since)))
