"""Step: set a Region's toggle at Route 53; best effort, its API lives in one Region.

The control item says `unknown` from just before the switch is written until it is known to be
written: whoever dies between the two leaves a trace that an observer puts right.
"""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.clients import client
from sidestep.aws.incident_record import IncidentRecord
from sidestep.aws.settings import Settings
from sidestep.aws.toggle import Toggle
from sidestep.control import _noted, _parts
from sidestep.control._awake import can_be_woken
from sidestep.core.control import OPEN, SHUT, UNKNOWN
from sidestep.core.errors import NotYet, Refused, Throttled, Unreachable

settings = Settings.from_environment()
policy = _parts.policy(settings)
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
record = IncidentRecord(table)
ballots = Ballots(table, settings.regions)
toggle = Toggle(client("route53", settings.region, read_timeout=4, attempts=1))


@can_be_woken
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`{"claim", "action", "checked_ms"?}` within a workflow, `{"region"}` to put right what was
    missed.

    → `{"set", "version", "why"}`. A drain counts the Region out first, as the gate does: the gate
    may have failed before it came to that. What a workflow's step came to is noted in the record,
    set or not. Raises LeaseLost, LastServingRegion, Throttled, Unreachable, Refused, NotYet.
    """
    if "region" in event:
        return _put_right(str(event["region"]))
    return _by_claim(event, context)


def _by_claim(event: dict[str, Any], context: Any) -> dict[str, Any]:
    now = _parts.now_ms()
    claim = lease.renew(_parts.claim_from(event), now)
    wanted = SHUT if event["action"] == "drain" else OPEN
    head = f"{event['action']} from {settings.region}: "
    if wanted == SHUT:
        _parts.let_out(lease, policy, claim, now, event.get("checked_ms"))
    # As it was before `_set` notes that it goes to set it.
    stood = lease.read().of(claim.region).toggle if wanted == OPEN else SHUT
    try:
        check = _check_of(claim.region)
        version = _set(check, claim.region, claim.token, claim.holder, wanted)
    except (Throttled, Unreachable, Refused, NotYet) as error:
        words = f"{head}not known to be {wanted}: {type(error).__name__}: {error}"
        _noted.note(record, claim, "toggle", words, context)
        if stood in ("", OPEN):
            return {"set": False, "version": None, "why": f"it was never shut ({error})"}
        raise
    words = f"{head}{check} is {wanted}, version {version}"
    _noted.note(record, claim, "toggle", words, context)
    return {"set": True, "version": version, "why": f"by {claim.incident}"}


def _put_right(region: str) -> dict[str, Any]:
    """The toggle follows the control item when nobody holds the incident."""
    state = lease.read().of(region)
    wanted = state.toggle_wanted
    if not wanted or wanted == state.toggle:
        return {"set": False, "version": None, "why": "nothing to put right"}
    version = _set(_check_of(region), region, state.token, "", wanted)
    return {"set": True, "version": version, "why": f"put right: {region} is {state.state}"}


def _set(check: str, region: str, token: int, holder: str, wanted: str) -> int:
    version = toggle.set(
        check, wanted == SHUT, lambda: lease.note_toggle(region, token, holder, UNKNOWN)
    )
    lease.note_toggle(region, token, holder, wanted)
    return version


def _check_of(region: str) -> str:
    entry = ballots.registered(region)
    if entry is None:
        raise NotYet(f"{region} has never registered its check: has its observer ever run?")
    return entry.check_id
