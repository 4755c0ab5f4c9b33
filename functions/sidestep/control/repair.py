"""Step: put back acknowledged writes that are still missing; never over a newer one."""

from __future__ import annotations

from typing import Any

from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.aws.telemetry import logger as make_logger
from sidestep.control import _parts
from sidestep.core.control import Claim
from sidestep.core.ledger import missing, plan_repair

settings = Settings.from_environment()
logger = make_logger()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
ledger = _parts.write_ledger(settings)
replica = _parts.replica(settings, settings.region)
RENEW_EVERY = 50
"""Writes between two proofs of the lease."""
AT_ONCE = 1000
"""Writes in one invocation; at 50 ms a write, half of the function's time-out. The workflow
comes back for the rest."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "repaired"?}` → `{"repaired", "conflicts", "lost", "complete", "more"}`.

    `repaired` is what earlier invocations put back; `more` that there is more to put back;
    `lost` what is missing even so. Raises LeaseLost, also between writes.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    entries, unread = ledger.entries(claim.region, _since(claim, now))
    for region, why in unread.items():
        logger.warning("a ledger could not be read", region=region, reason=why)
    ids = [entry.id for entry in entries]
    plan = plan_repair(entries, replica.held(ids))
    repaired = int(event.get("repaired", 0))
    for number, message in enumerate(plan.put[:AT_ONCE]):
        if number % RENEW_EVERY == 0:
            claim = lease.renew(claim, _parts.now_ms())
        repaired += replica.put_back(message, now)
    left = missing(entries, replica.held(ids))
    more = len(plan.put) > AT_ONCE
    return {
        "repaired": repaired,
        "conflicts": list(plan.conflicts),
        "lost": 0 if more else len(left),
        "complete": not unread,
        "more": more,
    }


def _since(claim: Claim, now: int) -> int:
    """From when on the ledger is compared: no later than the failover compared it."""
    since = _parts.ledger_since(None, lease.read().of(claim.region), now)
    counted = (record.read(claim.incident) or {}).get("at_risk") or {}
    return min(since, int(counted.get("since", since)))
