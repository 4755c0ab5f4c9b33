"""Capacity: a Region is drained only onto Regions that can carry the application's peak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.core.capacity import faults, shortfall
from sidestep.core.control import DRAINED
from sidestep.core.decide import FAILOVER, HOLD
from sidestep.core.drill import obstacles
from sidestep.core.policy import Policy
from tests.core.views import (
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    decided,
    view,
    with_region,
)


def can(london: int = 100, virginia: int = 100, oregon: int = 100) -> Policy:
    return Policy(capacity_percent={LONDON: london, VIRGINIA: virginia, OREGON: oregon})


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        (Policy(), FAILOVER),
        (can(virginia=50, oregon=50), FAILOVER),
        (can(virginia=50, oregon=49), HOLD),
        (can(london=0, virginia=100, oregon=0), FAILOVER),
        (Policy(capacity_percent={VIRGINIA: 10}), FAILOVER),  # Oregon, not named, carries all
    ],
)
def test_a_bad_region_is_drained_only_if_the_others_carry_the_peak(
    policy: Policy, action: str
) -> None:
    assert decided(view(*all_say((LONDON,))), policy)[LONDON].action == action


def test_what_is_held_for_capacity_says_the_numbers_and_calls_a_person() -> None:
    decision = decided(view(*all_say((LONDON,))), can(virginia=50, oregon=40))[LONDON]

    assert (decision.page, decision.impaired) == (True, True)
    assert decision.reasons[0] == (
        "the others that can serve carry 90 % of the peak (us-east-1 50 %, us-west-2 40 %), "
        "100 % must be carried"
    )
    assert "another Region serving and healthy" in decision.would_change


def test_what_is_drained_or_looks_bad_itself_carries_nothing() -> None:
    policy = can(virginia=60, oregon=60)
    gone = with_region(OREGON, state=DRAINED, mode="manual")

    both_bad = decided(view(*all_say((LONDON, OREGON))), policy)
    one_out = decided(view(*all_say((LONDON,)), control=gone), policy)

    assert (both_bad[LONDON].action, both_bad[OREGON].action) == (HOLD, HOLD)
    assert one_out[LONDON].action == HOLD
    assert "us-east-1 60 %)" in one_out[LONDON].reasons[0]


def test_a_drill_is_not_begun_that_the_others_could_not_carry() -> None:
    policy = can(london=60, virginia=60, oregon=30)

    assert obstacles(OREGON, view(*all_say()), policy, NOW) == ()
    (obstacle,) = obstacles(LONDON, view(*all_say()), policy, NOW)
    assert "carry 90 % of the peak" in obstacle


@given(
    st.dictionaries(st.sampled_from(REGIONS), st.integers(0, 200)),
    st.sets(st.sampled_from(REGIONS)),
)
def test_more_regions_or_more_capacity_never_carry_less(
    percent: dict[str, int], able: set[str]
) -> None:
    if shortfall(sorted(able), percent) is None:
        assert shortfall(REGIONS, percent) is None
        for region in REGIONS:
            more = {**percent, region: percent.get(region, 100) + 1}
            assert shortfall(sorted(able), more) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([60], "must be a mapping of Region: percent"),
        ({"London": 60}, "'London' is no Region's name"),
        ({LONDON: -1}, "of eu-west-2 is -1: it must be a whole number, 0 to 1000"),
        ({LONDON: 1001}, "of eu-west-2 is 1001: it must be a whole number"),
        ({LONDON: "60 %"}, "of eu-west-2 is '60 %': it must be a whole number"),
        ({LONDON: None}, "of eu-west-2 is nothing: it must be a whole number"),
        ({LONDON: True}, "of eu-west-2 is True: it must be a whole number"),
        ({"us-west-9": 60}, "us-west-9 is not guarded: the guarded Regions are eu-west-2"),
    ],
)
def test_what_is_no_capacity_is_refused_in_words(wrong: object, said: str) -> None:
    ((_, words),) = faults(wrong, REGIONS)

    assert said in words
