"""Step: claim a Region's incident. Of any number of executions at once, one holds it."""

from __future__ import annotations

from typing import Any

from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.control import _noted, _parts
from sidestep.control._awake import can_be_woken
from sidestep.core.control import MANUAL, MODES
from sidestep.core.errors import InvalidInput
from sidestep.core.incidents import commands_for_a_person

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)


@can_be_woken
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Workflow input + `{"kind", "execution", "started_ms", "redrives"}`
    → `{"held", "why", "claim", "state", "policy", "commands"}`.

    Started by hand with no more than `{"region"}`, the mode is manual. A redriven execution's
    order is as old as its start (`started_ms`, epoch milliseconds). `commands` are for a person
    to whom the workflow hands over. A claim that is held is noted in the record. Raises
    InvalidInput, CoordinationUnavailable, NotYet.
    """
    region, mode = event.get("region"), event.get("mode", MANUAL)
    if region not in settings.regions:
        guarded = ", ".join(settings.regions)
        raise InvalidInput(f"region is {region!r}: name one of the guarded Regions, {guarded}")
    if mode not in MODES:
        raise InvalidInput(f"mode is {mode!r}: it may be {', '.join(MODES)}")
    application = event.get("application", settings.application)
    if application != settings.application:
        raise InvalidInput(f"application is {application!r}: here it is {settings.application!r}")
    ordered_ms = event["started_ms"] if event.get("redrives") else None
    claim, why, state = lease.claim(
        region,
        event["kind"],
        mode,
        event["execution"],
        event.get("incident"),
        _parts.now_ms(),
        ordered_ms,
    )
    if claim is not None:
        words = f"by {claim.holder} ({claim.kind}, {claim.mode}, token {claim.token}): {why}"
        _noted.note(record, claim, "claimed", words, context)
    return {
        "held": claim is not None,
        "why": why,
        "claim": _parts.claim_to(claim) if claim else None,
        "state": state,
        "policy": policy.for_workflows(),
        "commands": list(commands_for_a_person(claim, settings.region)) if claim else [],
    }
