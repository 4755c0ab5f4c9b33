"""Acknowledging: what an operator has seen is waited for no longer, and calls nobody again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.control import DRAINED, Acknowledgement, ControlState, Move
from sidestep.core.decide import FAILOVER, HOLD, RECOVERY
from sidestep.core.policy import Policy
from tests.core.views import (
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    all_say,
    ballot,
    decided,
    drained_once,
    undrained,
    view,
    with_region,
)

COOLING = drained_once(LONDON, NOW - 60_000)
PUT_DOWN = undrained(LONDON, 3, 5)
RETURN_FAILED = with_region(
    LONDON, state=DRAINED, mode="automatic", attempts=1, since_ms=NOW - 60_000
)


def acknowledged(control: ControlState, ago_s: float = 10, token: int = 7) -> ControlState:
    """The control item with London's last incident acknowledged when its token was 7."""
    given = Acknowledgement("demo-eu-west-2-1", 7, "ada", NOW - int(ago_s * 1000))
    control = with_region(LONDON, control, token=token)
    return replace(control, acknowledged={LONDON: given})


@pytest.mark.parametrize(
    ("control", "bad", "waits", "then"),
    [
        (COOLING, (LONDON,), HOLD, FAILOVER),
        (PUT_DOWN, (LONDON,), HOLD, FAILOVER),
        (RETURN_FAILED, (), HOLD, RECOVERY),
    ],
    ids=["cool-down", "put down without a drain", "return that failed"],
)
def test_waiting_ends_with_an_acknowledgement_and_the_words_say_that_it_would(
    control: ControlState, bad: tuple[str, ...], waits: str, then: str
) -> None:
    before = decided(view(*all_say(bad), control=control))[LONDON]
    after = decided(view(*all_say(bad), control=acknowledged(control)))[LONDON]

    assert (before.action, after.action) == (waits, then)
    assert before.would_change.endswith("or an acknowledgement")


@pytest.mark.parametrize("control", [COOLING, PUT_DOWN, RETURN_FAILED])
def test_what_happened_after_an_acknowledgement_needs_another(control: ControlState) -> None:
    bad = () if control is RETURN_FAILED else (LONDON,)
    later = acknowledged(control, token=8)

    assert decided(view(*all_say(bad), control=later)) == decided(
        view(*all_say(bad), control=with_region(LONDON, control, token=8))
    )


def test_a_drain_of_another_region_is_not_acknowledged_with_it() -> None:
    control = acknowledged(drained_once(OREGON, NOW - 60_000))

    assert decided(view(*all_say((OREGON,)), control=control))[OREGON].action == HOLD


def test_an_acknowledgement_does_not_widen_the_daily_budget() -> None:
    moves = tuple(Move(NOW - 4_000_000 - n, LONDON, "drain", "x") for n in range(6))
    control = acknowledged(ControlState(serving=3, moves=moves))

    decision = decided(view(*all_say((LONDON,)), control=control))[LONDON]

    assert (decision.action, "max_drains_per_day" in decision.reasons[0]) == (HOLD, True)
    assert "acknowledgement" not in decision.would_change


@pytest.mark.parametrize(
    ("since_s", "page"), [(600, False), (11, False), (10, False), (9, True)], ids=str
)
def test_trouble_that_began_before_calls_nobody_and_new_trouble_does(
    since_s: float, page: bool
) -> None:
    bad = (LONDON,)
    says = (ballot(LONDON, bad), ballot(OREGON, bad), ballot("us-east-1", bad, since_s=since_s))
    control = acknowledged(ControlState(serving=3))

    decision = decided(view(*says, control=control), Policy(observe_only=True))[LONDON]

    assert (decision.action, decision.impaired, decision.page) == (HOLD, True, page)
    assert ("(acknowledged by ada)" in decision.reasons[0]) == (not page)


def test_when_all_look_bad_those_not_acknowledged_call_a_person() -> None:
    control = acknowledged(ControlState(serving=3))

    decisions = decided(view(*all_say(REGIONS), control=control))

    assert [decisions[region].page for region in REGIONS] == [False, True, True]


def test_what_is_left_half_done_calls_a_person_all_the_same() -> None:
    held = with_region(LONDON, state="DRAINING", holder="arn:x", kind="failover")

    seen = view(*all_say((LONDON,)), control=acknowledged(held))

    assert decided(seen, Policy(observe_only=True))[LONDON].page


def test_a_region_of_which_nobody_speaks_calls_a_person_all_the_same() -> None:
    control = acknowledged(ControlState(serving=3))

    assert decided(view(ballot(LONDON), control=control))[LONDON].page
