"""Step: drain or restore by the gate, with nothing but data planes."""

from __future__ import annotations

from typing import Any

from sidestep.aws.gate import Marks
from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.control import _noted, _parts
from sidestep.control._awake import can_be_woken
from sidestep.core.control import RESTORING
from sidestep.core.topology import wardens_of

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
gate = _parts.gate(settings, settings.regions)


@can_be_woken
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"claim", "action", "checked_ms"?}` → `{"set", "marks", "why"}`.

    The control item changes first: its condition is what keeps the last serving Region and
    shuts out a holder that was fenced off. Only then are the wardens told; and what came of it is
    noted in the record last of all. Raises LeaseLost, LastServingRegion, Refused.
    """
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    drain = event["action"] == "drain"
    if drain:
        _parts.let_out(lease, policy, claim, now, event.get("checked_ms"))
    else:
        lease.advance(claim, RESTORING, now)
    wardens = wardens_of(claim.region, settings.regions)
    marks = gate.mark(claim, wardens, drain, now, lease.newest_token)
    _noted.note(record, claim, "gate", _words(event["action"], marks), context)
    return {"set": marks.enough(drain), "marks": dict(marks.at), "why": dict(marks.why)}


def _words(action: str, marks: Marks) -> str:
    """What was written, where, and by which Region; and where not, and why."""
    written = "marked at" if action == "drain" else "mark cleared at"
    took = ", ".join(warden for warden, done in marks.at.items() if done) or "none"
    missed = "".join(f"; not at {warden}: {why}" for warden, why in marks.why.items())
    return f"{action} from {settings.region}: {written} {took}{missed}"
