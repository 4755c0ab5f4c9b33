"""Step: put back acknowledged writes that are still missing; never over a newer one."""

from __future__ import annotations

from typing import Any

from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.ledger import missing, plan_repair

settings = Settings.from_environment()
lease = _parts.lease(settings, _parts.coordination(settings))
ledger = _parts.write_ledger(settings)
replica = _parts.replica(settings, settings.region)
RENEW_EVERY = 50
"""Writes between two proofs of the lease."""


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "since" (ms)}` → `{"repaired", "conflicts", "lost", "complete"}`.

    `lost` counts what is missing even after the repair. Raises LeaseLost between writes.
    """
    claim = lease.renew(_parts.claim_from(event), _parts.now_ms())
    since = event.get("since")
    if since is None:
        since = _parts.ledger_since(None, lease.read().of(claim.region), _parts.now_ms())
    entries, complete = ledger.entries(claim.region, int(since))
    ids = [entry.id for entry in entries]
    plan = plan_repair(entries, replica.held(ids))
    repaired = 0
    for number, message in enumerate(plan.put):
        if number % RENEW_EVERY == 0:
            claim = lease.renew(claim, _parts.now_ms())
        repaired += replica.put_back(message)
    left = missing(entries, replica.held(ids))
    return {
        "repaired": repaired,
        "conflicts": list(plan.conflicts),
        "lost": len(left),
        "complete": complete,
    }
