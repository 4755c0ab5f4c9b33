"""The decision: when a Region is moved, when it is not, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.control import (
    AUTOMATIC,
    DRAINED,
    PROBATION,
    SERVING,
    ControlState,
    Move,
    Pause,
    RegionState,
    plan_claim,
)
from sidestep.core.decide import FAILOVER, HOLD, NONE, RECOVERY, TAKE_OVER, decide, due
from sidestep.core.policy import Policy
from sidestep.core.votes import Ballot
from tests.core.views import (
    APPLICATION,
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    ballot,
    decided,
    drained_once,
    undrained,
    view,
    with_region,
)

BAD = (LONDON,)
AILING = ballot(LONDON, believed=False)
"""It is not believed, and says that its own table does not work."""


@pytest.mark.parametrize(
    ("who", "says", "action"),
    [
        ("all others", (ballot(VIRGINIA, BAD), ballot(OREGON, BAD)), FAILOVER),
        ("all, itself too", all_say(BAD), FAILOVER),
        ("itself and one other", (ballot(LONDON, BAD), ballot(OREGON, BAD)), FAILOVER),
        ("one of two others", (ballot(VIRGINIA, BAD), ballot(OREGON), ballot(LONDON)), HOLD),
        ("itself alone", (ballot(LONDON, BAD), ballot(VIRGINIA), ballot(OREGON)), HOLD),
        ("one, and itself", (ballot(VIRGINIA, BAD), ballot(LONDON, BAD)), FAILOVER),
        ("one, all that look bad silent", (ballot(VIRGINIA, (LONDON, OREGON)),), FAILOVER),
        ("one, the rest never heard", (ballot(VIRGINIA, BAD),), FAILOVER),
        (
            "one, another silent that last called it well",
            (ballot(VIRGINIA, BAD), ballot(OREGON, age_s=50)),
            HOLD,
        ),
        (
            "one, another silent that last called it bad",
            (ballot(VIRGINIA, BAD), ballot(OREGON, BAD, age_s=50)),
            FAILOVER,
        ),
        (
            "one, and one that looks bad and is silent",
            (ballot(VIRGINIA, (LONDON, OREGON)), ballot(OREGON, age_s=50)),
            FAILOVER,
        ),
        ("one, and its own table is broken", (ballot(VIRGINIA, BAD), AILING), FAILOVER),
        ("one, against its own word", (ballot(VIRGINIA, BAD), ballot(LONDON)), HOLD),
        ("nobody", (), HOLD),
        ("too long ago", (ballot(VIRGINIA, BAD, 36), ballot(OREGON, BAD, 36)), HOLD),
        ("in the future", (ballot(VIRGINIA, BAD, -31), ballot(OREGON, BAD, -31)), HOLD),
        (
            "clocks half a minute apart",
            (ballot(VIRGINIA, BAD, -30), ballot(OREGON, BAD, 30)),
            FAILOVER,
        ),
        (
            "observers that doubt themselves",
            (ballot(VIRGINIA, BAD, believed=False), ballot(OREGON, BAD, believed=False)),
            HOLD,
        ),
        ("nobody anything bad", all_say(), NONE),
    ],
)
def test_who_has_to_say_so(who: str, says: tuple[Ballot, ...], action: str) -> None:
    assert decided(view(*says))[LONDON].action == action, who


def test_a_decision_says_the_evidence_with_its_numbers_and_what_would_change_it() -> None:
    decision = decided(view(*all_say(BAD, since_s=15)))[LONDON]

    assert decision.reasons[0] == f"{LONDON} is impaired and {VIRGINIA}, {OREGON} can serve"
    assert "2 of 2 other observers" in decision.reasons[1]
    assert f"GET /health of {LONDON} from {VIRGINIA} answered 503" in decision.reasons
    assert decision.would_change == "3 good looks in a row by its observers"
    assert decision.diagnosis == "health_failing"


def test_when_all_look_bad_nothing_moves_and_a_person_is_called() -> None:
    decisions = decided(view(*all_say(REGIONS)))

    assert {d.action for d in decisions.values()} == {HOLD}
    assert all(d.page for d in decisions.values())
    assert "not a Regional fault" in decisions[LONDON].reasons[0]


def test_two_bad_regions_go_while_one_that_can_serve_remains() -> None:
    decisions = decided(view(*all_say((LONDON, VIRGINIA))))

    assert [decisions[region].action for region in REGIONS] == [FAILOVER, FAILOVER, NONE]


def test_the_last_region_that_serves_is_never_drained() -> None:
    control = with_region(VIRGINIA, with_region(OREGON, state=DRAINED), state=DRAINED)

    decision = decided(view(*all_say(BAD), control=control))[LONDON]

    assert (decision.action, decision.page) == (HOLD, True)


@pytest.mark.parametrize("deployed", [(VIRGINIA, OREGON), REGIONS])
def test_a_region_that_has_never_been_up_is_not_failed_over(deployed: tuple[str, ...]) -> None:
    looks = (ballot(VIRGINIA, (LONDON,)), ballot(OREGON, (LONDON,)))
    seen = replace(view(*looks), registered=frozenset(deployed))

    of = {decision.region: decision for decision in decide(seen, Policy(), NOW)}[LONDON]

    assert of.action == (FAILOVER if LONDON in deployed else HOLD)
    assert ("has never been up" in of.reasons[0]) == (LONDON not in deployed)


def test_as_many_regions_remain_as_the_policy_wants() -> None:
    control = with_region(OREGON, state=DRAINED, mode="manual")

    two = decided(view(*all_say(BAD), control=control), Policy(min_serving_regions=2))
    one = decided(view(*all_say(BAD), control=control), Policy(min_serving_regions=1))

    assert (two[LONDON].action, one[LONDON].action) == (HOLD, FAILOVER)


@pytest.mark.parametrize(
    ("why", "control", "policy"),
    [
        ("observe_only", ControlState(serving=3), Policy(observe_only=True)),
        (
            "paused by ada",
            ControlState(serving=3, paused=Pause("ada", "a release", NOW + 1000)),
            Policy(),
        ),
        (
            f"{LONDON} is paused by ada for another 1 s: a release",
            ControlState(serving=3, paused_regions={LONDON: Pause("ada", "a release", NOW + 1000)}),
            Policy(),
        ),
        ("cool-down is 300 s", drained_once(LONDON, NOW - 299_000), Policy()),
        (
            "max_drains_per_day",
            ControlState(
                serving=3,
                moves=tuple(Move(NOW - n, OREGON, "drain", "x") for n in range(6)),
            ),
            Policy(),
        ),
        ("put down without a drain 9 s ago", undrained(LONDON, 1, 9), Policy()),
        ("(3 in a row)", undrained(LONDON, 3, 39), Policy()),
    ],
)
def test_what_holds_automation_back_is_said_and_calls_a_person(
    why: str, control: ControlState, policy: Policy
) -> None:
    decision = decided(view(*all_say(BAD), control=control), policy)[LONDON]

    assert (decision.action, decision.page, decision.impaired) == (HOLD, True, True)
    assert why in decision.reasons[0]


@pytest.mark.parametrize(
    "control",
    [
        ControlState(serving=3, paused=Pause("ada", "a release", NOW)),
        ControlState(serving=3, paused_regions={LONDON: Pause("ada", "a release", NOW)}),
        ControlState(serving=3, paused_regions={OREGON: Pause("ada", "a release", NOW + 1000)}),
        drained_once(LONDON, NOW - 301_000),
        ControlState(
            serving=3,
            moves=tuple(Move(NOW - 86_400_000 - n, OREGON, "drain", "x") for n in range(6)),
        ),
        undrained(LONDON, 1, 10),
        undrained(LONDON, 3, 40),
    ],
    ids=[
        "pause over",
        "its own over",
        "another is paused",
        "cooled down",
        "yesterday's drains",
        "one round later",
        "backed off",
    ],
)
def test_what_is_over_holds_nothing_back(control: ControlState) -> None:
    assert decided(view(*all_say(BAD), control=control))[LONDON].action == FAILOVER


def test_cool_down_grows_with_each_drain_of_a_day_and_has_an_end() -> None:
    def waits(drains: int) -> bool:
        """Whether 40 minutes after its last move the Region still has to wait."""
        at = NOW - 2_400_000
        moves = tuple(Move(at - n, LONDON, "drain", "x") for n in range(drains))
        control = ControlState(serving=3, moves=moves)
        policy = Policy(max_drains_per_day=25)
        return decided(view(*all_say(BAD), control=control), policy)[LONDON].action == HOLD

    assert [waits(drains) for drains in (1, 3, 4, 5, 20)] == [False, False, False, True, True]


def test_a_drained_region_returns_when_everyone_called_it_healthy_for_the_window() -> None:
    control = with_region(LONDON, state=DRAINED, mode="automatic", epoch=1, incident="demo-x-1")
    fresh = tuple(ballot(observer, since_s=59) for observer in REGIONS)

    assert decided(view(*all_say(), control=control))[LONDON].action == RECOVERY
    assert decided(view(*fresh, control=control))[LONDON].action == NONE
    silent = view(ballot(VIRGINIA), ballot(OREGON), control=control)
    assert decided(silent)[LONDON].action == NONE
    assert "own observer is silent" in decided(silent)[LONDON].reasons[0]


@pytest.mark.parametrize("whose", [None, LONDON])
def test_a_paused_region_is_not_brought_back_and_another_is(whose: str | None) -> None:
    pause = Pause("ada", "a release", NOW + 60_000)
    control = with_region(LONDON, state=DRAINED, mode="automatic")
    control = with_region(OREGON, control, state=DRAINED, mode="automatic")
    control = replace(
        control,
        paused=None if whose else pause,
        paused_regions={whose: pause} if whose else {},
    )

    decisions = decided(view(*all_say(), control=control))

    assert decisions[LONDON].action == HOLD
    assert "paused by ada for another 60 s: a release" in decisions[LONDON].reasons[0]
    assert decisions[OREGON].action == (RECOVERY if whose else HOLD)


def test_a_dead_holders_incident_in_a_paused_region_is_told_and_calls_a_person() -> None:
    control = with_region(LONDON, state="DRAINING", holder="arn:x", kind="failover")
    pause = Pause("ada", "a release", NOW + 1000)

    own = replace(control, paused_regions={LONDON: pause})
    others = replace(control, paused_regions={OREGON: pause})

    held = decided(view(*all_say(BAD), control=own))[LONDON]
    assert (held.action, held.page) == (HOLD, True)
    assert "paused by ada" in held.reasons[0]
    assert decided(view(*all_say(BAD), control=others))[LONDON].action == TAKE_OVER


def test_a_region_returns_only_while_the_days_budget_has_a_drain_left_for_a_bad_return() -> None:
    moves = tuple(Move(NOW - 4_000_000 - n, LONDON, "drain", "x") for n in range(6))
    control = replace(with_region(LONDON, state=DRAINED, mode="automatic"), moves=moves)

    spent = decided(view(*all_say(), control=control))[LONDON]
    left = decided(view(*all_say(), control=replace(control, moves=moves[1:])))[LONDON]

    assert (spent.action, spent.page, left.action) == (HOLD, True, RECOVERY)
    assert "as many as max_drains_per_day allows" in spent.reasons[0]


def test_what_an_operator_drained_an_operator_brings_back() -> None:
    control = with_region(LONDON, state=DRAINED, mode="manual", incident="demo-x-1")

    decision = decided(view(*all_say(), control=control))[LONDON]

    assert (decision.action, decision.diagnosis) == (NONE, "ordered")


def test_a_dead_holders_incident_is_taken_over_and_a_living_ones_is_not() -> None:
    held = {"holder": "arn:x", "incident": "demo-eu-west-2-1", "kind": "failover", "epoch": 1}
    dead = with_region(LONDON, state="DRAINING", lease_until_ms=NOW - 30_001, **held)
    alive = with_region(LONDON, state="DRAINING", lease_until_ms=NOW - 29_999, **held)

    decisions = decided(view(*all_say(BAD), control=dead))
    assert decisions[LONDON].action == TAKE_OVER
    (start,) = due(view(control=dead), [decisions[LONDON]])
    assert (start.workflow, start.name) == ("failover", "demo-eu-west-2-1-t1")
    assert decided(view(*all_say(BAD), control=alive))[LONDON].action == NONE


def test_a_take_overs_name_stays_when_another_region_is_claimed_meanwhile() -> None:
    """Else an execution more would begin for each such claim, to find the incident held."""
    held = {"holder": "arn:x", "incident": "demo-eu-west-2-1", "kind": "failover", "epoch": 1}
    dead = with_region(LONDON, state="DRAINING", lease_until_ms=NOW - 30_001, token=7, **held)
    other = with_region(OREGON, dead, epoch=1, token=8, holder="arn:y", lease_until_ms=NOW)
    names = []
    for control in (replace(dead, token=7), replace(other, token=8)):
        known = view(*all_say(BAD), control=control)
        names += [one.name for one in due(known, [decided(known)[LONDON]])]

    assert names == ["demo-eu-west-2-1-t8"] * 2


def test_an_order_that_died_before_it_turned_a_return_back_is_taken_over_as_a_failover() -> None:
    control = with_region(
        LONDON,
        state=PROBATION,
        holder="arn:x",
        incident="demo-eu-west-2-1",
        kind="failover",
        mode="forced",
    )

    (start,) = due(view(control=control), [decided(view(*all_say(), control=control))[LONDON]])

    assert start.workflow == "failover"


def test_a_return_that_died_on_probation_is_taken_over_as_a_recovery() -> None:
    control = with_region(
        LONDON,
        state=PROBATION,
        holder="arn:x",
        incident="demo-eu-west-2-1",
        kind="recovery",
        lease_until_ms=NOW - 60_000,
    )

    (start,) = due(view(control=control), [decided(view(*all_say(), control=control))[LONDON]])

    assert start.workflow == "recovery"


def test_the_number_of_failovers_without_a_drain_counts_only_those_in_a_row() -> None:
    region = undrained(LONDON, 3, 5).of(LONDON)

    assert region.undrained == 3
    assert replace(region, kind="recovery").undrained == 0
    assert replace(region, state=DRAINED).undrained == 0
    assert replace(region, holder="arn:x").undrained == 0
    assert region.state == SERVING


def test_what_a_person_called_off_is_no_failover_without_a_drain() -> None:
    region = undrained(LONDON, 3, 5).of(LONDON)

    assert replace(region, mode="planned").undrained == 2


def test_failovers_without_a_drain_of_long_ago_are_not_in_a_row() -> None:
    """Ten blips in half a year would make a real failure wait for an hour."""
    assert claimed_after(hours=0.9).attempts == 10
    assert claimed_after(hours=1.1).attempts == 0


def claimed_after(hours: float) -> RegionState:
    """London, claimed anew so long after the tenth failover in a row that drained nothing."""
    control = undrained(LONDON, 10, hours * 3600)
    plan = plan_claim(control, APPLICATION, LONDON, FAILOVER, AUTOMATIC, "h", None, 90_000, NOW)
    assert plan.state is not None
    return plan.state


@pytest.mark.parametrize(("since_s", "page"), [(60, False), (121, True)])
def test_a_failover_that_is_due_and_does_not_begin_calls_a_person(since_s: int, page: bool) -> None:
    decision = decided(view(*all_say(BAD, since_s=since_s)))[LONDON]

    assert (decision.action, decision.page) == (FAILOVER, page)
    assert ("failovers do not begin" in decision.reasons[0]) == page


@pytest.mark.parametrize(("out_s", "page"), [(60, False), (121, True)])
def test_a_take_over_in_which_nobody_succeeds_calls_a_person(out_s: int, page: bool) -> None:
    ran_out = NOW - out_s * 1000
    control = with_region(LONDON, kind=FAILOVER, holder="arn:x", lease_until_ms=ran_out)

    decision = decided(view(*all_say(BAD), control=control))[LONDON]

    assert (decision.action, decision.page) == (TAKE_OVER, page)
