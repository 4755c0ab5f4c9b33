"""Step: set a Region's toggle at Route 53; best effort, its API lives in one Region."""

from __future__ import annotations

from typing import Any

from sidestep.aws.ballots import Ballots
from sidestep.aws.clients import client
from sidestep.aws.coordination import ConditionFailed
from sidestep.aws.settings import Settings
from sidestep.aws.toggle import Toggle
from sidestep.control import _parts
from sidestep.core.control import OPEN, SHUT
from sidestep.core.errors import LeaseLost, NotYet

settings = Settings.from_environment()
table = _parts.coordination(settings)
lease = _parts.lease(settings, table)
ballots = Ballots(table, settings.regions)
toggle = Toggle(client("route53", connect_timeout=2, read_timeout=5))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"claim", "action"}` within a workflow, `{"region"}` to put right what was missed.

    → `{"set", "version", "why"}`. Raises LeaseLost, Throttled, Unreachable, Refused, NotYet.
    """
    if "claim" in event:
        return _by_claim(event)
    return _put_right(str(event["region"]))


def _by_claim(event: dict[str, Any]) -> dict[str, Any]:
    claim = lease.renew(_parts.claim_from(event), _parts.now_ms())
    drain = event["action"] == "drain"
    version = toggle.set(
        _check_of(claim.region), drain, lambda: lease.renew(claim, _parts.now_ms())
    )
    _note(claim.region, claim.token, SHUT if drain else OPEN)
    return {"set": True, "version": version, "why": f"by {claim.incident}"}


def _put_right(region: str) -> dict[str, Any]:
    """The toggle follows the control item when nobody holds the incident."""
    state = lease.read().of(region)
    wanted = state.toggle_wanted
    if not wanted or wanted == state.toggle:
        return {"set": False, "version": None, "why": "nothing to put right"}

    def prove() -> None:
        if lease.read().of(region) != state:
            raise LeaseLost(f"{region} changed while its toggle was put right; stand aside")

    version = toggle.set(_check_of(region), wanted == SHUT, prove)
    _note(region, state.token, wanted)
    return {"set": True, "version": version, "why": f"put right: {region} is {state.state}"}


def _note(region: str, token: int, stands: str) -> None:
    try:
        lease.note_toggle(region, token, stands)
    except ConditionFailed:
        raise LeaseLost(f"the toggle of {region} was set with a token that is gone") from None


def _check_of(region: str) -> str:
    entry = ballots.registered(region)
    if entry is None:
        raise NotYet(f"{region} has never registered its toggle: has its observer ever run?")
    return entry.toggle_check_id
