"""Step: is it still so? The world is read again before anything is touched."""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.control import AUTOMATIC, SERVING
from sidestep.core.decide import counting, find

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim"}` → `{"go", "why", "diagnosis"}`. An operator's order needs no votes."""
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    known = ballots.everything()
    finding = find(
        claim.region,
        counting(known.view(settings.application, settings.regions), policy, now),
    )
    told = {"diagnosis": finding.diagnosis}
    state = known.control.of(claim.region).state
    if state != SERVING:
        return {"go": True, "why": f"the drain has begun already ({state})", **told}
    if claim.mode != AUTOMATIC:
        return {"go": True, "why": f"ordered by an operator ({claim.mode})", **told}
    why = finding.reasons[0] if finding.reasons else f"{claim.region} looks healthy again"
    return {"go": finding.impaired, "why": why, **told}
