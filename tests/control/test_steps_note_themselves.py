"""A claim, the gate and the toggle are steps of the record, noted by whoever did them.

Noting is evidence: it comes after what it tells of, and nothing that was done hangs on it.
"""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.control._noted import LONGEST_MS
from sidestep.core.errors import LeaseLost, Unreachable
from tests.control.control_plane import (
    COORDINATION,
    LONDON,
    OREGON,
    SHUT,
    VIRGINIA,
    ControlPlane,
)
from tests.control.real_steps import LEFT, carry_out
from tests.control.test_steps_may_run_twice import BACK, RUNS_OUT_S

INCIDENT = "demo-eu-west-2-1"
SWITCH = f"toggle-{LONDON}"


@pytest.fixture
def plane(warm_plane: ControlPlane) -> ControlPlane:
    return warm_plane


def noted(plane: ControlPlane, step: str | None = None) -> list[dict[str, Any]]:
    """The steps of the record; of one name, where it is given."""
    steps: list[dict[str, Any]] = plane.incident(INCIDENT)["steps"]
    return [one for one in steps if step in (None, one["step"])]


def outcomes(plane: ControlPlane, step: str) -> list[str]:
    return [one["outcome"] for one in noted(plane, step)]


def test_a_record_tells_a_drain_and_a_return_from_the_claim_on(plane: ControlPlane) -> None:
    carry_out(plane, "failover", {"region": LONDON}, scripted=LEFT)
    carry_out(plane, "recovery", {"region": LONDON}, scripted=BACK, name="back")

    assert [(one["step"], one["token"]) for one in noted(plane)] == [
        *(("claimed", 1), ("gate", 1), ("toggle", 1), ("drained", 1), ("drained", 1), ("left", 1)),
        *(("claimed", 2), ("repaired", 2), ("toggle", 2), ("gate", 2), ("probation", 2)),
        ("closed", 2),
    ]


def test_a_claim_says_who_claimed_by_which_token_and_why(plane: ControlPlane) -> None:
    claim = plane.claim("one", mode="planned")

    (step,) = noted(plane)

    assert step["outcome"] == f"by {claim['holder']} (failover, planned, token 1): claimed"
    assert (step["token"], step["holder"], step["at"]) == (1, claim["holder"], plane.now)
    assert plane.incident(INCIDENT)["opened_at"] == plane.now


def test_a_claim_takes_no_more_calls_for_being_noted(plane: ControlPlane) -> None:
    """The drain waits for it: read, conditional update, and the note, where the state was read."""
    plane.claim("earlier", region=OREGON)  # so that the control item is there
    made: list[str] = []

    def count(operation: str) -> None:
        def made_and_again() -> None:
            made.append(operation)
            count(operation)

        plane.before[operation] = made_and_again

    for operation in ("GetItem", "PutItem", "UpdateItem"):
        count(operation)
    plane.claim("one")
    plane.before.clear()

    assert made == ["GetItem", "UpdateItem", "UpdateItem"]


def test_a_take_over_says_from_whom_and_where_it_stood(plane: ControlPlane) -> None:
    one = plane.let_out("one")
    plane.later(RUNS_OUT_S)

    plane.claim("two", here=OREGON)

    words = outcomes(plane, "claimed")[-1]
    assert words.endswith(f"token 2): taken on at DRAINED, taken over from {one['holder']}")


def test_a_claim_that_is_made_again_is_readable_as_that(plane: ControlPlane) -> None:
    plane.claim("one")
    plane.later(2)
    plane.claim("one")

    first, again = noted(plane, "claimed")

    assert again["at"] == first["at"] + 2000
    assert again["outcome"].endswith("token 1): already held by this execution")


def test_who_does_not_get_the_incident_notes_nothing(plane: ControlPlane) -> None:
    plane.claim("one")

    plane.ask_claim("two", here=OREGON)

    assert len(noted(plane)) == 1


def test_the_gate_says_which_wardens_took_the_mark_by_which_region_and_which_did_not(
    plane: ControlPlane,
) -> None:
    claim = plane.claim()
    plane.silent.add(("dynamodb", OREGON))

    plane.invoke("gate", OREGON, claim=claim, action="drain")

    (words,) = outcomes(plane, "gate")
    assert words.startswith(f"drain from {OREGON}: marked at {VIRGINIA}; not at {OREGON}: ")


def test_the_toggle_says_which_check_was_set_and_its_version(plane: ControlPlane) -> None:
    plane.invoke("toggle", claim=plane.claim(), action="drain")

    assert outcomes(plane, "toggle") == [f"drain from {VIRGINIA}: {SWITCH} is shut, version 2"]


def test_a_toggle_that_could_not_be_set_says_why(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.silent.add(("route-53", "*"))

    with pytest.raises(Unreachable):
        plane.invoke("toggle", claim=claim, action="drain")

    (words,) = outcomes(plane, "toggle")
    assert f"drain from {VIRGINIA}: not known to be shut: Unreachable: " in words
    assert SWITCH in words


def test_a_holder_that_was_fenced_off_notes_nothing(plane: ControlPlane) -> None:
    stale = plane.claim("one")
    plane.later(RUNS_OUT_S)
    plane.claim("two")
    before = noted(plane)

    for step in ("gate", "toggle"):
        with pytest.raises(LeaseLost):
            plane.invoke(step, claim=stale, action="drain")

    assert noted(plane) == before


def test_a_holder_that_is_taken_over_as_it_sets_marks_notes_nothing_under_the_newer_ones_steps(
    plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    claim = plane.claim("one")

    def taken_over() -> None:
        plane.claim("two", mode="forced")

    drained = plane.cold_start("gate")
    updates = iter([False, False, True])

    def before_the_marks() -> None:
        if next(updates):
            plane.later(RUNS_OUT_S)
            taken_over()
        else:
            plane.before["UpdateItem"] = before_the_marks

    plane.before["UpdateItem"] = before_the_marks
    drained({"claim": claim, "action": "drain"})

    assert [one["token"] for one in noted(plane)] == [1, 2]
    assert "not in the record: gate: drain" in caplog.text


@pytest.mark.parametrize("trouble", ["no table", "denied", "too big"])
def test_what_cannot_be_noted_is_done_all_the_same_and_logged(
    plane: ControlPlane, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    claim = plane.claim()
    step = plane.cold_start("gate")
    updates = iter([False, False, False, True])  # the lease, the state, and a mark at each warden

    def then() -> None:
        if next(updates):
            fail()
        else:
            plane.before["UpdateItem"] = then

    def fail() -> None:
        if trouble == "no table":
            plane.silent.update(("*", region) for region in COORDINATION)
        else:
            code = {"denied": "AccessDeniedException", "too big": "ValidationException"}[trouble]
            plane.refusing.update({("UpdateItem", region): code for region in COORDINATION})

    plane.before["UpdateItem"] = then
    answer = step({"claim": claim, "action": "drain"})

    assert (answer["set"], plane.marked()) == (True, {VIRGINIA, OREGON})
    plane.silent.clear()
    assert outcomes(plane, "gate") == []
    assert f"{INCIDENT}: not in the record: gate: drain from {VIRGINIA}" in caplog.text


def test_a_step_without_time_left_does_not_begin_to_note(
    plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    claim = plane.claim()
    plane.left_ms = LONGEST_MS - 1

    assert plane.invoke("toggle", claim=claim, action="drain")["set"]

    assert plane.switches.threshold[SWITCH] == SHUT
    assert outcomes(plane, "toggle") == []
    assert f"{INCIDENT}: no time left to note toggle: drain" in caplog.text
