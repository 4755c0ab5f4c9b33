"""Requests that fail here and there: what several observers saw is weighed together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.core.canaries import AT_ONCE, FRESH_LOOKS, Score
from sidestep.core.control import DRAINED, ControlState
from sidestep.core.decide import FAILOVER, HOLD, NONE, closer_looks, decide, in_doubt
from sidestep.core.evidence import REQUESTS, Evidence
from sidestep.core.findings import TOGETHER, View, counting, find, healthy_for_s
from sidestep.core.policy import Policy
from sidestep.core.votes import SUSPECTED, Ballot
from tests.core.views import (
    APPLICATION,
    LONDON,
    NOW,
    OREGON,
    VIRGINIA,
    ballot,
    decided,
    view,
    with_region,
)

ENOUGH = TOGETHER * Policy().request_bad_score


def suspecting(observer: str, value: float, looks: int = 2) -> Ballot:
    """A ballot of one who saw requests to London fail, too few to call it impaired."""
    said = ballot(observer)
    words = f"1 of 8 requests to {LONDON} from {observer} failed"
    seen = Evidence(REQUESTS, value, 5.0, None, words)
    vote = replace(
        said.votes[LONDON],
        verdict=SUSPECTED,
        evidence=(seen,),
        score=Score(value, looks, asked=40, failed=8),
    )
    return replace(said, votes={**said.votes, LONDON: vote})


def test_what_several_observers_saw_adds_up() -> None:
    seen = view(*(suspecting(observer, ENOUGH / 3) for observer in (LONDON, VIRGINIA, OREGON)))

    decision = decided(seen)[LONDON]

    assert (decision.action, decision.diagnosis) == (FAILOVER, "requests_failing")
    assert "requests of 3 observers to eu-west-2 failed" in decision.reasons[1]
    assert f"1 of 8 requests to {LONDON} from {VIRGINIA} failed" in decision.reasons


@pytest.mark.parametrize(
    "ballots",
    [
        pytest.param([suspecting(VIRGINIA, ENOUGH * 2), ballot(OREGON), ballot(LONDON)], id="one"),
        pytest.param(
            [suspecting(who, ENOUGH, looks=1) for who in (LONDON, VIRGINIA, OREGON)], id="a moment"
        ),
        pytest.param(
            [suspecting(who, ENOUGH / 3 - 0.1) for who in (LONDON, VIRGINIA, OREGON)], id="little"
        ),
        pytest.param(
            [suspecting(LONDON, ENOUGH), ballot(VIRGINIA), ballot(OREGON)], id="its own only"
        ),
    ],
)
def test_one_observer_one_moment_or_little_moves_nothing(ballots: list[Ballot]) -> None:
    assert decided(view(*ballots))[LONDON].action == NONE


def test_where_all_fail_and_one_is_found_out_first_nothing_moves() -> None:
    ballots = []
    for observer in (LONDON, VIRGINIA, OREGON):
        said = suspecting(observer, ENOUGH)
        alike = {
            other: replace(said.votes[LONDON], region=other, score=Score(2.0, 1, 22, 2))
            for other in (VIRGINIA, OREGON)
        }
        ballots.append(replace(said, votes={**said.votes, **alike}))

    decision = decided(view(*ballots))[LONDON]

    assert (decision.action, decision.page) == (HOLD, True)
    assert "us-east-1, us-west-2 may be as bad as eu-west-2" in decision.reasons[0]


def beside(asked: float, failed: float = 0) -> tuple[Ballot, ...]:
    """All see a fifth of London's requests fail, and so much of every other Region's."""
    ballots = []
    for observer in (LONDON, VIRGINIA, OREGON):
        said = suspecting(observer, ENOUGH)
        seen = {
            other: replace(said.votes[other], score=Score(0, 0, asked, failed))
            for other in (VIRGINIA, OREGON)
        }
        ballots.append(replace(said, votes={**said.votes, **seen}))
    return tuple(ballots)


def test_traffic_moves_only_to_a_region_that_was_asked_enough() -> None:
    assert decided(view(*beside(asked=2)))[LONDON].action == HOLD
    assert decided(view(*beside(asked=22)))[LONDON].action == FAILOVER


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_more_failures_elsewhere_never_let_traffic_go_there(of: int, one: int, two: int) -> None:
    few, many = sorted(min(bad, of) for bad in (one, two))
    if decided(view(*beside(of, many)))[LONDON].action == FAILOVER:
        assert decided(view(*beside(of, few)))[LONDON].action == FAILOVER


def test_doubt_about_one_region_is_doubt_until_it_is_settled() -> None:
    policy, well = Policy(), tuple(ballot(who) for who in (LONDON, VIRGINIA, OREGON))
    suspected = (suspecting(VIRGINIA, 1.0), *well[::2])

    assert not in_doubt(view(*well), policy, NOW)
    assert in_doubt(view(*suspected), policy, NOW)
    assert in_doubt(view(*beside(asked=2)), policy, NOW)
    assert not in_doubt(view(*beside(asked=22)), policy, NOW)
    drained = with_region(LONDON, state=DRAINED)
    assert not in_doubt(view(*suspected, control=drained), policy, NOW)


def test_a_blip_elsewhere_that_one_observer_saw_holds_nothing_back() -> None:
    ballots = [suspecting(observer, ENOUGH) for observer in (LONDON, VIRGINIA, OREGON)]
    blips = {
        other: replace(ballots[0].votes[LONDON], region=other, score=Score(10.0, 1, 22, 9))
        for other in (VIRGINIA, OREGON)
    }
    ballots[0] = replace(ballots[0], votes={**ballots[0].votes, **blips})

    assert decided(view(*ballots))[LONDON].action == FAILOVER


def test_a_region_whose_last_looks_were_all_good_is_not_left_any_more() -> None:
    ballots = []
    for observer in (VIRGINIA, OREGON):
        said = ballot(observer, bad=(LONDON,))
        vote = replace(said.votes[LONDON], streak=-1)
        ballots.append(replace(said, votes={**said.votes, LONDON: vote}))

    assert decided(view(*ballots))[LONDON].action != FAILOVER
    assert decided(view(ballots[0], ballot(OREGON, bad=(LONDON,))))[LONDON].action == FAILOVER


def test_a_suspected_region_is_not_stable() -> None:

    seen = view(suspecting(VIRGINIA, 1.0), ballot(OREGON), ballot(LONDON))
    finding = find(LONDON, counting(seen, Policy(), NOW), Policy())

    assert healthy_for_s(finding, NOW)[0] == 0


def test_two_whose_own_ways_are_cut_move_nothing_while_most_see_nothing_bad() -> None:
    # Found by simulation: two of four links of a Region were cut, and it was drained.
    five = (LONDON, VIRGINIA, OREGON, "sa-east-1", "ap-southeast-2")

    def said(observer: str, sees: bool) -> Ballot:
        of_three = suspecting(VIRGINIA, ENOUGH * 2) if sees else ballot(VIRGINIA)
        about = of_three.votes[LONDON]
        votes = {region: replace(ballot(LONDON).votes[LONDON], region=region) for region in five}
        return Ballot(observer, NOW - 5000, True, "as it says", {**votes, LONDON: about})

    def decision(cut: tuple[str, ...]) -> str:
        ballots = tuple(said(observer, observer in cut) for observer in five)
        of_five = View(APPLICATION, five, ballots, ControlState(serving=5))
        return decide(of_five, Policy(), NOW)[0].action

    assert decision((VIRGINIA, OREGON)) == NONE
    assert decision((VIRGINIA, OREGON, "sa-east-1")) == FAILOVER


@pytest.mark.parametrize(
    ("looks", "wanted"), [(1, AT_ONCE), (FRESH_LOOKS, AT_ONCE), (FRESH_LOOKS + 1, 1)]
)
def test_fresh_doubt_is_worth_several_looks_at_once_and_old_doubt_one(
    looks: int, wanted: int
) -> None:
    seen = view(suspecting(VIRGINIA, 1.0, looks), ballot(OREGON), ballot(LONDON))

    assert closer_looks(seen, Policy(), NOW) == wanted


def test_without_doubt_no_look_is_a_closer_one() -> None:
    assert closer_looks(view(*map(ballot, (LONDON, VIRGINIA, OREGON))), Policy(), NOW) == 0


def test_a_region_that_is_out_and_goes_on_failing_makes_no_doubt_about_another_old() -> None:
    said = suspecting(VIRGINIA, 1.0, 1)
    failing = replace(said.votes[OREGON], score=Score(14.0, FRESH_LOOKS + 1, asked=40, failed=40))
    seen = view(replace(said, votes={**said.votes, OREGON: failing}), ballot(LONDON))
    out = replace(seen, control=with_region(OREGON, state=DRAINED))

    assert closer_looks(seen, Policy(), NOW) == 1
    assert closer_looks(out, Policy(), NOW) == AT_ONCE
