"""One incident has one holder, whoever asks, however often, from wherever."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.errors import CoordinationUnavailable, InvalidInput
from sidestep.core.policy import Policy
from tests.control.control_plane import COORDINATION, LONDON, OREGON, VIRGINIA, ControlPlane

LEASE_RAN_OUT_S = Policy().lease_s + CLOCK_SKEW_MS / 1000


def test_two_claims_at_once_lead_to_one_holder(plane: ControlPlane) -> None:
    rival: list[dict[str, Any]] = []
    plane.claim("earlier", region=OREGON)  # so that the control item is there
    plane.before["UpdateItem"] = lambda: rival.append(plane.ask_claim("rival", here=OREGON))

    answer = plane.ask_claim("one")

    assert rival[0]["held"]
    assert not answer["held"]
    assert "rival" in answer["why"]
    assert plane.control().of(LONDON).holder.endswith(":rival")


def test_a_take_over_does_not_write_over_what_its_holder_did_meanwhile(plane: ControlPlane) -> None:
    """None of it changes a token: a drain that was not read would be forgotten, its switch shut."""
    plane.register()
    one = plane.claim("one")
    plane.later(LEASE_RAN_OUT_S + 1)

    def one_wakes_up() -> None:
        plane.invoke("gate", claim=one, action="drain")
        plane.invoke("toggle", claim=one, action="drain")

    plane.before["UpdateItem"] = one_wakes_up

    answer = plane.ask_claim("two", here=OREGON)

    assert "held by" in answer["why"]
    assert (plane.state(), plane.control().of(LONDON).toggle) == ("DRAINING", "shut")
    assert plane.control().of(LONDON).holder.endswith(":one")


def test_the_first_claims_of_all_meet_while_there_is_no_control_item(plane: ControlPlane) -> None:
    rival: list[dict[str, Any]] = []
    plane.before["PutItem"] = lambda: rival.append(plane.ask_claim("rival", here=OREGON))

    answer = plane.ask_claim("one")

    assert [rival[0]["held"], answer["held"]] == [True, False]


def test_the_same_execution_claiming_again_keeps_its_token(plane: ControlPlane) -> None:
    first = plane.claim("one")

    again = plane.claim("one")

    assert again["token"] == first["token"]
    assert plane.control().token == first["token"]


def test_another_execution_is_told_who_holds_it(plane: ControlPlane) -> None:
    plane.claim("one")

    answer = plane.ask_claim("two")

    assert (answer["held"], answer["claim"]) == (False, None)
    assert "demo-eu-west-2-1 is held by" in answer["why"]


def test_an_incident_whose_lease_ran_out_is_taken_over_with_a_new_token(
    plane: ControlPlane,
) -> None:
    first = plane.claim("one")
    plane.later(LEASE_RAN_OUT_S)

    second = plane.claim("two", here=OREGON)

    assert second["incident"] == first["incident"]
    assert second["token"] > first["token"]


def test_a_lease_is_honoured_for_as_long_as_clocks_may_differ(plane: ControlPlane) -> None:
    plane.claim("one")
    plane.later(LEASE_RAN_OUT_S - 1)

    assert not plane.ask_claim("two")["held"]


def test_an_incident_that_is_over_is_not_claimed_again(plane: ControlPlane) -> None:
    first = plane.claim("one")
    plane.record(first, "stood down", release=True)

    answer = plane.ask_claim("two", incident=first["incident"], mode="automatic")

    assert not answer["held"]
    assert "demo-eu-west-2-2" in answer["why"]


def test_a_claim_whose_answer_got_lost_is_held(plane: ControlPlane) -> None:
    plane.claim("earlier", region=OREGON)
    plane.lost.add(("UpdateItem", COORDINATION[0]))

    answer = plane.ask_claim("one")

    assert answer["held"]
    assert plane.control().token == 2


def test_a_claim_goes_through_while_one_coordination_region_is_gone(plane: ControlPlane) -> None:
    plane.silent.add(("*", COORDINATION[0]))

    assert plane.ask_claim("one")["held"]


def test_no_coordination_region_answering_is_said_and_is_worth_trying_again(
    plane: ControlPlane,
) -> None:
    plane.silent.update(("*", region) for region in COORDINATION)

    with pytest.raises(CoordinationUnavailable, match="nothing is moved"):
        plane.ask_claim("one")


def test_a_region_alone_is_enough_by_hand(plane: ControlPlane) -> None:
    claim = plane.claim("by-hand")

    assert (claim["mode"], claim["incident"]) == ("manual", "demo-eu-west-2-1")


def test_a_claim_brings_the_commands_for_a_person(plane: ControlPlane) -> None:
    commands = plane.ask_claim("one")["commands"]

    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:sidestep-demo"
    assert f"--region us-east-1 --state-machine-arn {machine}-failover" in commands[0]
    assert f"{machine}-recovery" in commands[1]


@pytest.mark.parametrize(
    "wrong",
    [{"region": "eu-west-9"}, {"mode": "at once"}, {"application": "another"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_cannot_be_claimed_is_named(plane: ControlPlane, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=str(next(iter(wrong.values())))):
        plane.ask_claim("one", **wrong)


def test_a_region_in_recovery_is_not_failed_over_beside_it(plane: ControlPlane) -> None:
    plane.drained()
    plane.claim("back", kind="recovery")

    answer = plane.ask_claim("two")

    assert not answer["held"]
    assert "held by" in answer["why"]


def test_claims_of_two_regions_stand_side_by_side(plane: ControlPlane) -> None:
    london, virginia = plane.claim("one"), plane.claim("two", region=VIRGINIA)

    assert plane.record(london, "looked")["recorded"]
    assert plane.record(virginia, "looked")["recorded"]
