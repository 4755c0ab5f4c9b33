"""What holds for every view whatever: hypothesis looks for one where it does not."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.core.control import AUTOMATIC, DRAINED, SERVING, ControlState, RegionState
from sidestep.core.decide import FAILOVER, View, decide, due
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, UNKNOWN, Ballot, Evidence, Vote
from tests.core.views import NOW

verdicts = st.sampled_from([HEALTHY, IMPAIRED, UNKNOWN])
RANK = {HEALTHY: 0, UNKNOWN: 0, IMPAIRED: 1}


@st.composite
def views(draw: st.DrawFn) -> View:
    """Two to five Regions, any ballots, some drained, all put down."""
    count = draw(st.integers(2, 5))
    regions = tuple(f"region-{n}" for n in range(count))
    ballots = []
    for observer in regions:
        if not draw(st.booleans() | st.just(True)):
            continue
        votes = {}
        for region in regions:
            verdict = draw(verdicts)
            bad = {IMPAIRED: True, HEALTHY: False, UNKNOWN: None}[verdict]
            seen = Evidence("health", 503.0, 200, bad, f"{observer} on {region}")
            votes[region] = Vote(
                region, verdict, NOW - draw(st.integers(0, 200)) * 1000, 1, (seen,)
            )
        age_ms = draw(st.integers(-40, 60)) * 1000
        ballots.append(Ballot(observer, NOW - age_ms, draw(st.booleans()), "", votes))
    states = {
        region: RegionState(
            state=draw(st.sampled_from([SERVING, SERVING, DRAINED])),
            mode=AUTOMATIC,
            kind=draw(st.sampled_from(["", "recovery"])),
        )
        for region in regions
    }
    serving = sum(state.state == SERVING for state in states.values())
    return View("demo", regions, tuple(ballots), ControlState(serving=serving, regions=states))


policies = st.builds(
    Policy,
    min_serving_regions=st.integers(1, 3),
    vote_max_age_s=st.integers(20, 60),
    observe_only=st.booleans(),
)


def drains(view: View, policy: Policy) -> set[str]:
    return {d.region for d in decide(view, policy, NOW) if d.action == FAILOVER}


@given(views(), policies)
def test_no_votes_no_move(view: View, policy: Policy) -> None:
    assert not drains(replace(view, ballots=()), policy)


@given(views(), policies)
def test_votes_that_are_too_old_or_not_believed_change_nothing(view: View, policy: Policy) -> None:
    oldest = NOW - policy.vote_max_age_s * 1000
    counting = tuple(
        b for b in view.ballots if b.observer_healthy and oldest <= b.at_ms <= NOW + 30_000
    )

    assert decide(view, policy, NOW) == decide(replace(view, ballots=counting), policy, NOW)


@given(views(), policies, st.randoms(use_true_random=False))
def test_the_order_of_votes_never_matters(
    view: View, policy: Policy, chance: random.Random
) -> None:
    shuffled = list(view.ballots)
    chance.shuffle(shuffled)

    assert decide(replace(view, ballots=tuple(shuffled)), policy, NOW) == decide(view, policy, NOW)


@given(views(), policies)
def test_deciding_twice_is_deciding_once(view: View, policy: Policy) -> None:
    first, second = decide(view, policy, NOW), decide(view, policy, NOW)

    assert first == second
    assert due(view, first) == due(view, second)


@settings(max_examples=300)
@given(views(), policies)
def test_each_drain_leaves_as_many_that_serve_and_look_well_as_must_remain(
    view: View, policy: Policy
) -> None:
    decisions = {d.region: d for d in decide(view, policy, NOW)}
    serving = [r for r in view.regions if view.control.of(r).state == SERVING]

    for region in drains(view, policy):
        able = [r for r in serving if r != region and not decisions[r].impaired]
        assert len(able) >= policy.min_serving_regions
    # Even if all of them are carried out.
    if drains(view, policy):
        assert set(serving) - drains(view, policy)


@settings(max_examples=300)
@given(views(), policies, st.data())
def test_more_evidence_against_a_region_never_calls_it_better(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(st.sampled_from(view.regions))
    worse = []
    for ballot in view.ballots:
        votes = dict(ballot.votes)
        if data.draw(st.booleans()):
            seen = Evidence("health", 503.0, 200, True, "worse")
            votes[region] = replace(votes[region], verdict=IMPAIRED, evidence=(seen,))
        worse.append(replace(ballot, votes=votes))

    def impaired(ballots: tuple[Ballot, ...]) -> bool:
        found = decide(replace(view, ballots=ballots), policy, NOW)
        return next(d.impaired for d in found if d.region == region)

    assert impaired(tuple(worse)) >= impaired(view.ballots)


@given(views(), policies)
def test_once_it_is_drained_it_is_not_drained_again(view: View, policy: Policy) -> None:
    for region in drains(view, policy):
        states = {**view.control.regions, region: RegionState(state=DRAINED, mode=AUTOMATIC)}
        after = replace(view, control=replace(view.control, regions=states))

        assert region not in drains(after, policy)
