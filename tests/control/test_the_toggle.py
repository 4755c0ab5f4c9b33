"""The toggle: written by version, behind the fence; what was half done is put right later."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import LastServingRegion, LeaseLost, NotYet, Unreachable
from tests.control.control_plane import (
    LONDON,
    OPEN,
    OREGON,
    REGIONS,
    SHUT,
    VIRGINIA,
    ControlPlane,
    probe,
)

SWITCH = f"toggle-{LONDON}"
ROUTE53 = ("route-53", "*")


@pytest.fixture(autouse=True)
def _registered(plane: ControlPlane) -> None:
    plane.register()


def due_toggles(plane: ControlPlane) -> list[str]:
    """Regions whose toggle an observer would put right now."""
    probes = [probe(region) for region in REGIONS]
    due = plane.invoke("vote", trigger={}, probes=probes)["due"]
    return [one["input"]["region"] for one in due if one["workflow"] == "toggle"]


def test_draining_raises_the_threshold_above_its_children(plane: ControlPlane) -> None:
    answer = plane.invoke("toggle", claim=plane.claim(), action="drain")

    assert answer["set"]
    assert plane.switches.threshold[SWITCH] == SHUT
    assert plane.control().of(LONDON).toggle == "shut"


def test_a_drain_by_the_toggle_alone_counts_one_region_less(plane: ControlPlane) -> None:
    plane.invoke("toggle", claim=plane.claim(), action="drain")

    assert (plane.state(), plane.control().serving) == ("DRAINING", 2)


def test_the_last_serving_region_is_not_shut_by_the_toggle(plane: ControlPlane) -> None:
    plane.drained(VIRGINIA)
    plane.drained(OREGON)

    with pytest.raises(LastServingRegion):
        plane.invoke("toggle", claim=plane.claim(), action="drain")

    assert (plane.switches.version[SWITCH], plane.control().of(LONDON).toggle) == (1, "")


def test_a_region_that_is_drained_already_stays_so_when_it_is_shut(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.invoke("gate", claim=claim, action="drain")
    plane.record(claim, "drained", state="DRAINED")

    assert plane.invoke("toggle", claim=claim, action="drain")["set"]

    assert (plane.state(), plane.control().serving) == ("DRAINED", 2)


def test_restoring_lowers_it(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.invoke("toggle", claim=claim, action="drain")

    plane.invoke("toggle", claim=claim, action="restore")

    assert plane.switches.threshold[SWITCH] == OPEN


def test_it_is_written_even_when_it_looks_right(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.invoke("toggle", claim=claim, action="drain")
    version = plane.switches.version[SWITCH]

    plane.invoke("toggle", claim=claim, action="drain")

    assert plane.switches.version[SWITCH] == version + 1


def test_after_a_version_conflict_it_proves_the_lease_and_tries_once_more(
    plane: ControlPlane,
) -> None:
    def somebody_else_writes() -> None:
        plane.switches.version[SWITCH] += 1

    plane.before["UpdateHealthCheck"] = somebody_else_writes

    assert plane.invoke("toggle", claim=plane.claim(), action="drain")["version"] == 3


def test_a_holder_fenced_off_between_reading_and_writing_does_not_write(
    plane: ControlPlane,
) -> None:
    old = plane.claim()
    step = plane.cold_start("toggle")

    def taken_over() -> None:
        plane.later(300)
        plane.claim("two")

    plane.before["GetHealthCheck"] = taken_over
    with pytest.raises(LeaseLost):
        step({"claim": old, "action": "drain"})

    assert plane.switches.version[SWITCH] == 1


def test_a_holder_fenced_off_after_its_proof_fails_by_version(plane: ControlPlane) -> None:
    old = plane.claim()
    step = plane.cold_start("toggle")

    def taken_over() -> None:
        plane.later(300)
        new = plane.claim("two")
        plane.invoke("toggle", claim=new, action="restore")

    plane.before["UpdateHealthCheck"] = taken_over
    with pytest.raises(LeaseLost):
        step({"claim": old, "action": "drain"})

    assert plane.switches.threshold[SWITCH] == OPEN


def test_a_control_plane_that_is_away_is_said_and_leaves_no_claim_behind(
    plane: ControlPlane,
) -> None:
    plane.silent.add(ROUTE53)

    with pytest.raises(Unreachable):
        plane.invoke("toggle", claim=plane.claim(), action="drain")

    assert plane.control().of(LONDON).toggle == ""


def test_what_the_control_plane_would_not_take_is_due_later(plane: ControlPlane) -> None:
    plane.drained()

    assert due_toggles(plane) == [LONDON]
    assert plane.invoke("toggle", region=LONDON)["set"]

    assert plane.switches.threshold[SWITCH] == SHUT
    assert due_toggles(plane) == []


def test_a_holder_that_died_while_it_wrote_leaves_something_to_put_right(
    plane: ControlPlane,
) -> None:
    claim = plane.claim()
    plane.invoke("gate", claim=claim, action="drain")
    plane.lost.add(("UpdateHealthCheck", "global"))
    with pytest.raises(Unreachable):
        plane.invoke("toggle", claim=claim, action="drain")
    assert plane.switches.threshold[SWITCH] == SHUT  # it was done all the same
    plane.record(claim, "not drained", state="SERVING", release=True)

    assert due_toggles(plane) == [LONDON]
    plane.invoke("toggle", region=LONDON)

    assert plane.switches.threshold[SWITCH] == OPEN


def test_nothing_is_put_right_while_somebody_holds_the_incident(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.invoke("gate", claim=claim, action="drain")

    assert not plane.invoke("toggle", region=LONDON)["set"]

    assert plane.switches.version[SWITCH] == 1


def test_putting_right_stops_when_somebody_claims_meanwhile(plane: ControlPlane) -> None:
    plane.drained()
    step = plane.cold_start("toggle")
    plane.before["GetHealthCheck"] = lambda: _claimed(plane)

    with pytest.raises(LeaseLost):
        step({"region": LONDON})

    assert plane.switches.version[SWITCH] == 1


def test_a_toggle_that_was_never_shut_does_not_hold_a_return_up(plane: ControlPlane) -> None:
    plane.silent.add(ROUTE53)
    plane.drained()
    claim = plane.claim("back", kind="recovery")

    answer = plane.invoke("toggle", claim=claim, action="restore")

    assert (answer["set"], "never shut" in answer["why"]) == (False, True)


@pytest.mark.parametrize("operation", ["GetHealthCheck", "UpdateHealthCheck"])
@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchHealthCheck", "Throttling"])
def test_nor_does_it_when_route_53_refuses(plane: ControlPlane, operation: str, code: str) -> None:
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    plane.refusing[operation, "*"] = code

    assert not plane.invoke("toggle", claim=claim, action="restore")["set"]


def test_nor_does_it_when_its_region_never_registered_it(plane: ControlPlane) -> None:
    plane.drained()
    forget(plane, LONDON)

    answer = plane.invoke("toggle", claim=plane.claim("back", kind="recovery"), action="restore")

    assert not answer["set"]


def test_a_toggle_that_was_shut_holds_a_return_up_until_it_can_be_opened(
    plane: ControlPlane,
) -> None:
    claim = plane.claim()
    plane.invoke("gate", claim=claim, action="drain")
    plane.invoke("toggle", claim=claim, action="drain")
    plane.silent.add(ROUTE53)

    with pytest.raises(Unreachable):
        plane.invoke("toggle", claim=claim, action="restore")


def test_a_region_that_never_registered_is_said(plane: ControlPlane) -> None:
    claim = plane.claim()
    forget(plane, LONDON)

    with pytest.raises(NotYet, match="never registered"):
        plane.invoke("toggle", claim=claim, action="drain")


def forget(plane: ControlPlane, region: str) -> None:
    """The registry knows nothing of a Region."""
    key: dict[str, Any] = {"pk": {"S": "app#demo"}, "sk": {"S": f"region#{region}"}}
    plane.dynamodb["eu-west-1"].delete_item(TableName="sidestep-demo-coordination", Key=key)


def _claimed(plane: ControlPlane) -> None:
    plane.claim("back", kind="recovery", here=VIRGINIA)
