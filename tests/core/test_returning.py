"""A drained Region that is well comes back by its own word where nothing else serves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from sidestep.core.control import (
    DRAINED,
    DRAINING,
    FAILOVER,
    PROBATION,
    ControlState,
    Move,
    Pause,
)
from sidestep.core.decide import (
    HOLD,
    NONE,
    RECOVERY,
    TAKE_OVER,
    Decision,
    Due,
    View,
    decide,
    due,
)
from sidestep.core.policy import Policy
from sidestep.core.returning import known_able, nothing_else_serves, standing
from sidestep.core.votes import HEALTHY, UNKNOWN, Ballot
from tests.core.any_view import policies, views
from tests.core.views import (
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    ballot,
    decided,
    view,
    with_region,
)

OTHERS = (VIRGINIA, OREGON)
OUT = with_region(
    LONDON, state=DRAINED, mode="automatic", kind=FAILOVER, epoch=1, incident="demo-eu-west-2-1"
)
LONDON_SAYS = ballot(LONDON, bad=OTHERS)


def blind(observer: str) -> Ballot:
    """It writes its replica and reaches none of its peers."""
    return replace(ballot(observer, bad=OTHERS, believed=False), replica_works=True)


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ("silent", ()),
        ("of old ballots", (ballot(VIRGINIA, age_s=36), ballot(OREGON, age_s=300))),
        (
            "unable to write",
            (ballot(VIRGINIA, OTHERS, believed=False), ballot(OREGON, OTHERS, believed=False)),
        ),
        # They call London healthy, too, but not yet for the window.
        ("impaired by their own word", tuple(ballot(one, OTHERS, since_s=30) for one in OTHERS)),
    ],
)  # fmt: skip
def test_a_drained_region_that_is_well_returns_by_its_own_word_where_nothing_else_serves(
    others: str, says: tuple[Ballot, ...]
) -> None:
    decision = decided(view(LONDON_SAYS, *says, control=OUT))[LONDON]

    assert decision.action == RECOVERY, others
    assert decision.alone
    assert decision.reasons[0].startswith("nothing else serves: ")
    assert f"{LONDON}'s own observer calls it healthy for 600 s" in decision.reasons[0]


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("its own observer is silent", ()),
        ("its own observer cannot write", (ballot(LONDON, OTHERS, believed=False),)),
        ("it is not well", (ballot(LONDON, REGIONS),)),
        ("somebody calls another healthy", (ballot(LONDON, (VIRGINIA,)),)),
        ("another calls itself healthy", (LONDON_SAYS, ballot(VIRGINIA, (LONDON,)))),
        ("it may be cut off", (blind(LONDON), ballot(OREGON, OTHERS, believed=False))),
        ("it was silent within the window", (replace(LONDON_SAYS, at_work_since_ms=NOW - 59_000),)),
        ("not for the whole window", (ballot(LONDON, OTHERS, since_s=59),)),
    ],
)  # fmt: skip
def test_it_stays_out_by_its_own_word_alone_where(why: str, says: tuple[Ballot, ...]) -> None:
    assert decided(view(*says, control=OUT))[LONDON].action == NONE, why


def test_an_observer_that_reaches_nobody_is_believed_of_its_own_region_if_nobody_else_votes() -> (
    None
):
    assert decided(view(blind(LONDON), control=OUT))[LONDON].action == RECOVERY


def test_where_others_can_say_so_their_word_is_taken_and_it_is_not_alone() -> None:
    decision = decided(view(*all_say((VIRGINIA,)), control=OUT))[LONDON]

    assert (decision.action, decision.alone) == (RECOVERY, False)


def test_the_regions_own_observer_may_start_it_and_only_then() -> None:
    alone, by_all = view(LONDON_SAYS, control=OUT), view(*all_say(), control=OUT)

    (first,), (second,) = (
        [one for one in due(seen, decide(seen, Policy(), NOW)) if one.workflow == RECOVERY]
        for seen in (alone, by_all)
    )

    assert (first.by_own, second.by_own) == (True, False)
    assert first.name == second.name == "demo-eu-west-2-1-r1"


def left_by_a_dead_holder(**how: Any) -> ControlState:
    """London's drain or return, whose lease ran out 40 s ago."""
    return with_region(
        LONDON, OUT, **{"holder": "arn:x", "lease_until_ms": NOW - 40_000, "token": 7, **how}
    )


def taken_over(control: ControlState, says: Ballot = LONDON_SAYS) -> tuple[Decision, Due]:
    """What is decided about London, and what is to be started."""
    seen = view(says, control=control)
    decision = decided(seen)[LONDON]
    (start,) = [d for d in due(seen, [decision]) if d.input["region"] == LONDON]
    assert decision.action == TAKE_OVER
    return decision, start


@pytest.mark.parametrize(
    ("kind", "state"),
    [("recovery", DRAINING), ("recovery", DRAINED), ("recovery", PROBATION), ("failover", DRAINED)],
)
def test_what_a_dead_holder_left_is_brought_to_a_return_by_the_regions_own_observer(
    kind: str, state: str
) -> None:
    decision, start = taken_over(left_by_a_dead_holder(kind=kind, state=state))

    assert (start.workflow, start.name) == (RECOVERY, "demo-eu-west-2-1-t8")
    assert (start.by_own, decision.page) == (True, False)
    assert "nothing else serves" in decision.reasons[0]


@pytest.mark.parametrize(
    ("why", "how"),
    [
        ("the drain is not done", {"state": DRAINING}),
        ("a person drained it", {"state": DRAINED, "mode": "manual"}),
    ],
)
def test_a_failover_is_not_undone_by_the_regions_own_observer_where_and_a_person_is_told(
    why: str, how: dict[str, Any]
) -> None:
    decision, start = taken_over(left_by_a_dead_holder(kind=FAILOVER, **how))

    assert (start.workflow, start.by_own) == (FAILOVER, False), why
    assert decision.page
    assert "starting its recovery (forced)" in decision.would_change


def test_a_failover_is_not_undone_before_the_region_has_been_well_for_the_window() -> None:
    left = left_by_a_dead_holder(kind=FAILOVER, state=DRAINED)

    _, start = taken_over(left, ballot(LONDON, bad=OTHERS, since_s=59))

    assert (start.workflow, start.by_own) == (FAILOVER, False)


def test_nor_where_another_region_may_finish_it() -> None:
    left = left_by_a_dead_holder(kind=FAILOVER, state=DRAINED)

    _, start = taken_over(left, ballot(VIRGINIA))

    assert (start.workflow, start.by_own) == (FAILOVER, False)


def test_neither_the_days_budget_nor_a_wait_that_grows_holds_it_back() -> None:
    moves = tuple(Move(NOW - 4_000_000 - n, LONDON, "drain", "x") for n in range(6))
    tried = with_region(LONDON, OUT, attempts=5, since_ms=NOW - 300_000)
    lately = with_region(LONDON, OUT, attempts=5, since_ms=NOW - 299_000)

    def of(control: ControlState) -> tuple[str, bool]:
        found = decided(view(LONDON_SAYS, control=replace(control, moves=moves)))[LONDON]
        return found.action, found.page

    assert of(tried) == (RECOVERY, False)
    assert of(lately) == (HOLD, True)


@pytest.mark.parametrize(
    ("control", "policy"),
    [
        (replace(OUT, paused=Pause("ada", "a release", NOW + 1000)), Policy()),
        (OUT, Policy(observe_only=True)),
        (with_region(LONDON, OUT, mode="manual"), Policy()),
    ],
    ids=["a pause", "observe_only", "an operator's drain"],
)
def test_orders_hold_it_and_page(control: ControlState, policy: Policy) -> None:
    decision = decided(view(LONDON_SAYS, control=control), policy)[LONDON]

    assert (decision.action, decision.page) == (HOLD, True)
    assert "nothing else serves" in decision.reasons[0]


def test_a_region_on_probation_is_not_moved_to_and_that_is_said() -> None:
    back = with_region(LONDON, OUT, state=PROBATION)
    bad = view(ballot(LONDON, OTHERS), control=with_region(OREGON, back, state=DRAINED))

    decision = decided(bad)[VIRGINIA]

    assert (decision.action, decision.page) == (HOLD, True)
    assert f"{LONDON} could take {VIRGINIA}'s traffic, but is on probation" in decision.reasons[0]


def test_probation_is_well_by_its_own_word_where_nothing_else_serves() -> None:
    back = with_region(LONDON, OUT, state=PROBATION)

    found = standing(LONDON, view(LONDON_SAYS, control=back), Policy(), 60, NOW)

    assert (found.alone, found.healthy_s) == (True, 600)


def test_able_is_known_by_somebodys_word_only() -> None:
    def of(*says: Ballot) -> tuple[str, ...]:
        return known_able(LONDON, view(*says, control=OUT), Policy(), NOW)

    assert of() == ()
    assert of(ballot(LONDON, OTHERS)) == ()
    assert of(ballot(LONDON, (VIRGINIA,))) == (OREGON,)
    assert of(*all_say((LONDON,))) == OTHERS


@settings(max_examples=150)
@given(views(), policies)
def test_nobody_returns_alone_beside_a_region_that_anybody_calls_healthy(
    view: View, policy: Policy
) -> None:
    for decision in decide(view, policy, NOW):
        if not decision.alone:
            continue
        assert nothing_else_serves(decision.region, view, policy, NOW) is not None
        for other in view.control.counted(view.regions):
            mute = all(
                b.votes[other].verdict != HEALTHY
                for b in view.ballots
                if b.observer_healthy
                and 0 <= NOW - b.at_ms <= policy.vote_max_age_s * 1000
                and NOW - b.votes[other].looked_ms <= policy.vote_max_age_s * 1000
            )
            assert other == decision.region or mute


@settings(max_examples=150)
@given(views(), policies)
def test_less_evidence_about_its_own_region_never_brings_it_back_alone(
    view: View, policy: Policy
) -> None:
    def unsure(ballot: Ballot) -> Ballot:
        own = replace(ballot.votes[ballot.observer], verdict=UNKNOWN)
        return replace(ballot, votes={**ballot.votes, ballot.observer: own})

    without = replace(view, ballots=tuple(unsure(ballot) for ballot in view.ballots))

    assert not [d for d in decide(without, policy, NOW) if d.alone]
