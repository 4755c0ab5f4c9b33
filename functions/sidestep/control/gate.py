"""Step: drain or restore by the gate, with nothing but data planes."""

from __future__ import annotations

from typing import Any

from sidestep.aws.settings import Settings
from sidestep.control import _parts
from sidestep.core.control import RESTORING
from sidestep.core.topology import wardens_of

settings = Settings.from_environment()
policy = _parts.policy(settings)
lease = _parts.lease(settings, _parts.coordination(settings))
gate = _parts.gate(settings, settings.regions)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "action"}` → `{"set", "marks", "why"}`.

    The control item changes first: its condition is what keeps the last serving Region and
    shuts out a holder that was fenced off. Only then are the wardens told. Raises LeaseLost,
    LastServingRegion, Refused.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    drain = event["action"] == "drain"
    if drain:
        _parts.let_out(lease, policy, claim, now)
    else:
        lease.advance(claim, RESTORING, now)
    wardens = wardens_of(claim.region, settings.regions)
    marks = gate.mark(claim, wardens, drain, now, lease.newest_token)
    return {"set": marks.enough(drain), "marks": dict(marks.at), "why": dict(marks.why)}
