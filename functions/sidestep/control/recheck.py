"""Step: is it still so? The world is read again before anything is touched."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.control._awake import can_be_woken
from sidestep.core.recheck import recheck

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)


@can_be_woken
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim"}` → `{"go", "why", "diagnosis", "reasons", "would_change", "checked_ms"}`, the last
    by this Region's clock. Raises LeaseLost."""
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    view = ballots.everything().view(settings.application, settings.regions)
    found = recheck(claim, view, policy, now)
    return {**asdict(found), "reasons": list(found.reasons), "checked_ms": now}
