"""What is half done and withheld from automation is told to people once, by one observer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.handover import AGAIN_MS
from sidestep.core.policy import Policy
from tests.control.control_plane import (
    COORDINATION,
    LONDON,
    OREGON,
    REGIONS,
    VIRGINIA,
    ControlPlane,
)
from tests.control.pasted import commands_in
from tests.control.test_commands_for_a_person import pasted
from tests.control.test_observing_and_deciding import look

LEFT_AFTER_S = Policy().lease_s + CLOCK_SKEW_MS // 1000


@pytest.fixture
def withheld(plane: ControlPlane) -> ControlPlane:
    """London's failover has begun to drain, its holder is gone, and the policy is to observe."""
    plane.policy(observe_only=True)
    plane.register()
    claim = plane.claim("one", here=OREGON)
    assert plane.invoke("gate", OREGON, claim=claim, action="drain")["set"]
    for region in REGIONS:
        assert look(plane, region)["tell"] == []
    plane.later(LEFT_AFTER_S)
    return plane


def told(plane: ControlPlane, observers: Sequence[str] = REGIONS) -> list[str]:
    """The messages that a round of each of these observers has to send."""
    return [one["message"] for region in observers for one in look(plane, region)["tell"]]


def when_it_is_noted(plane: ControlPlane, happens: Callable[[], object]) -> None:
    """In the next round, once the ballot is cast and before what is told is noted."""
    plane.before["DescribeAlarms"] = lambda: plane.before.update(PutItem=happens)


def test_one_observer_tells_it_and_once(withheld: ControlPlane) -> None:
    (message,) = told(withheld)
    withheld.later(10)

    assert "observe_only is on" in message
    assert told(withheld) == []


def test_of_two_that_read_the_same_one_tells_it(withheld: ControlPlane) -> None:
    by_the_other: list[str] = []
    withheld.before["DescribeAlarms"] = lambda: by_the_other.extend(told(withheld, [OREGON]))

    by_the_first = told(withheld, [VIRGINIA])

    assert (len(by_the_other), len(by_the_first)) == (1, 0)


def test_it_is_told_again_after_ten_minutes_by_another_observer(withheld: ControlPlane) -> None:
    assert len(told(withheld, [VIRGINIA])) == 1
    withheld.later(AGAIN_MS // 1000)

    assert told(withheld, [VIRGINIA]) == []
    assert len(told(withheld, [OREGON])) == 1
    assert told(withheld) == []


def test_the_command_that_finishes_it_is_taken_and_then_nobody_is_told(
    withheld: ControlPlane,
) -> None:
    (message,) = told(withheld)
    drain, _ = commands_in(message)

    taken = pasted(withheld, drain)
    withheld.later(AGAIN_MS // 1000 - LEFT_AFTER_S)
    withheld.record(taken["claim"], "drained", release=True)

    assert (taken["held"], taken["state"], drain.region != LONDON) == (True, "DRAINING", True)
    withheld.later(LEFT_AFTER_S)
    assert told(withheld) == []


def test_what_cannot_be_noted_is_told_by_the_next_round(withheld: ControlPlane) -> None:
    def refuse() -> None:
        withheld.refusing["PutItem", "*"] = "InternalServerError"

    when_it_is_noted(withheld, refuse)
    assert told(withheld, [VIRGINIA]) == []
    withheld.refusing.clear()

    assert len(told(withheld, [VIRGINIA])) == 1


def test_a_note_whose_answer_is_lost_is_made_and_told(withheld: ControlPlane) -> None:
    def lose() -> None:
        # From the ballot's put on, which is answered: the note's is not.
        withheld.before["PutItem"] = lambda: withheld.lost.add(("PutItem", COORDINATION[0]))

    when_it_is_noted(withheld, lose)

    assert len(told(withheld, [VIRGINIA])) == 1
    assert withheld.lost == set()
    assert told(withheld) == []
