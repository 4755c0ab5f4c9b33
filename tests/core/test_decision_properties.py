"""What holds for every view whatever: hypothesis looks for one where it does not."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.core import holds
from sidestep.core.control import (
    AUTOMATIC,
    DRAINED,
    SERVING,
    Acknowledgement,
    ControlState,
    Move,
    Pause,
    RegionState,
)
from sidestep.core.decide import FAILOVER, RECOVERY, TAKE_OVER, View, decide, due
from sidestep.core.maintenance import Window
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, UNKNOWN, Ballot, Evidence, Vote
from tests.core.views import NOW

rarely = st.sampled_from([False, False, False, False, True])
verdicts = st.sampled_from([HEALTHY, HEALTHY, IMPAIRED, IMPAIRED, UNKNOWN])
RANK = {HEALTHY: 0, UNKNOWN: 0, IMPAIRED: 1}


@st.composite
def views(draw: st.DrawFn) -> View:
    """Two to five Regions, any ballots, some drained, some in a dead holder's hands; any orders
    of operators."""
    count = draw(st.integers(2, 5))
    regions = tuple(f"region-{n}" for n in range(count))
    ballots = []
    # Observers mostly agree, and mostly count: else nearly nothing would ever be decided.
    truth = {region: draw(verdicts) for region in regions}
    for observer in regions:
        if not draw(st.booleans() | st.just(True)):
            continue
        votes = {}
        age_ms = draw(st.integers(-40, 60) if draw(rarely) else st.integers(0, 15)) * 1000
        for region in regions:
            verdict = draw(verdicts) if draw(rarely) else truth[region]
            bad = {IMPAIRED: True, HEALTHY: False, UNKNOWN: None}[verdict]
            seen = Evidence("health", 503.0, 200, bad, f"{observer} on {region}")
            since_ms = NOW - draw(st.sampled_from([0, 30, 200, 200])) * 1000
            looked_ms = NOW - age_ms - (draw(st.integers(0, 60)) * 1000 if draw(rarely) else 0)
            votes[region] = Vote(region, verdict, since_ms, 1, (seen,), looked_ms=looked_ms)
        ballots.append(Ballot(observer, NOW - age_ms, not draw(rarely), "", votes))
    states = {
        region: RegionState(
            state=draw(st.sampled_from([SERVING, SERVING, DRAINED])),
            mode=AUTOMATIC,
            kind=draw(st.sampled_from(["", "recovery", "failover"])),
            token=draw(st.integers(1, 2)),
            since_ms=NOW - draw(st.integers(0, 900)) * 1000,
            attempts=draw(st.integers(0, 2)),
            holder="arn:of-the-dead" if draw(rarely) else "",
        )
        for region in regions
    }
    control = ControlState(
        serving=sum(state.state == SERVING for state in states.values()),
        regions=states,
        paused=draw(pauses) if draw(rarely) else None,
        paused_regions=draw(st.dictionaries(st.sampled_from(regions), pauses, max_size=2)),
        acknowledged=draw(st.dictionaries(st.sampled_from(regions), acknowledgements)),
        moves=tuple(draw(st.lists(st.builds(move, st.sampled_from(regions), ages), max_size=6))),
    )
    return View("demo", regions, tuple(ballots), control)


ages = st.integers(0, 90_000)
"""Seconds, up to a day and an hour."""
pauses = st.builds(
    lambda left_s: Pause("ada", "a release", NOW + left_s * 1000), st.integers(-90_000, 90_000)
)
acknowledgements = st.builds(
    lambda token, ago_s: Acknowledgement("demo-x-1", token, "ada", NOW - ago_s * 1000),
    st.integers(1, 2),
    ages,
)


def move(region: str, ago_s: int) -> Move:
    return Move(NOW - ago_s * 1000, region, "drain", "demo-x-1")


def around_now(region: str, ago_min: int, minutes: int) -> Window:
    """A window that began so many minutes ago: open, or over already."""
    begins = (NOW // 60_000 - ago_min) % 1440
    return Window(region, "daily", begins, minutes)


names = st.sampled_from([f"region-{n}" for n in range(5)])
policies = st.builds(
    Policy,
    min_serving_regions=st.sampled_from([1, 1, 1, 2, 3]),
    vote_max_age_s=st.integers(20, 60),
    observe_only=rarely,
    maintenance=st.lists(
        st.builds(around_now, names | st.just("all"), st.integers(0, 90), st.integers(1, 120)),
        max_size=2,
    ).map(tuple),
    capacity_percent=st.dictionaries(names, st.integers(0, 150), max_size=3),
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


@given(views(), policies)
def test_votes_of_looks_that_are_too_old_prove_nothing_however_lately_they_were_cast(
    view: View, policy: Policy
) -> None:
    oldest = NOW - policy.vote_max_age_s * 1000

    def unseen(ballot: Ballot) -> Ballot:
        votes = {
            region: vote if vote.looked_ms >= oldest else Vote(region, UNKNOWN, NOW, 0, ())
            for region, vote in ballot.votes.items()
        }
        return replace(ballot, votes=votes)

    without = replace(view, ballots=tuple(unseen(ballot) for ballot in view.ballots))

    assert decide(view, policy, NOW) == decide(without, policy, NOW)


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


@settings(max_examples=120)
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


@settings(max_examples=120)
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


MOVING = (FAILOVER, RECOVERY, TAKE_OVER)


@given(views(), policies)
def test_nothing_moves_in_a_paused_region_or_in_its_maintenance_window(
    view: View, policy: Policy
) -> None:
    for decision in decide(view, policy, NOW):
        held = (
            view.control.pause_of(decision.region, NOW) is not None
            or holds.window(decision.region, policy, NOW) is not None
        )
        assert not (held and decision.action in MOVING)


@given(views(), policies)
def test_a_pause_or_a_window_that_is_over_is_as_none(view: View, policy: Policy) -> None:
    control = view.control
    lasting = {r: p for r, p in control.paused_regions.items() if p.until_ms > NOW}
    whole = control.paused if control.paused and control.paused.until_ms > NOW else None
    swept = replace(control, paused=whole, paused_regions=lasting)
    opened = tuple(w for w in policy.maintenance if any(w.open_until(r, NOW) for r in view.regions))

    assert decide(view, policy, NOW) == decide(
        replace(view, control=swept), replace(policy, maintenance=opened), NOW
    )


@given(views(), policies)
def test_what_is_detected_is_told_whatever_is_ordered(view: View, policy: Policy) -> None:
    pause = Pause("ada", "a release", NOW + 1000)
    ordered = replace(view, control=replace(view.control, paused=pause))
    windows = (around_now("all", 0, 60),)

    for other in (
        decide(ordered, policy, NOW),
        decide(view, replace(policy, maintenance=windows, observe_only=True), NOW),
    ):
        for one, was in zip(other, decide(view, policy, NOW), strict=True):
            assert (one.impaired, one.reasons[1:]) == (was.impaired, was.reasons[1:])


@given(views(), policies, st.data())
def test_what_is_ordered_for_one_region_changes_nothing_for_another(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(st.sampled_from(view.regions))
    control, window = view.control, Window(region, "daily", 0, 1440)
    token = control.of(region).token
    orders = replace(
        control,
        paused_regions={**control.paused_regions, region: data.draw(pauses)},
        acknowledged={**control.acknowledged, region: Acknowledgement("x", token, "ada", NOW)},
    )
    own = replace(policy, maintenance=(*policy.maintenance, window))

    before = decide(view, policy, NOW)
    after = decide(replace(view, control=orders), own, NOW)

    for was, now in zip(before, after, strict=True):
        assert was.region == region or was == now


@given(views(), policies)
def test_each_drain_leaves_regions_that_carry_the_peak(view: View, policy: Policy) -> None:
    decisions = {d.region: d for d in decide(view, policy, NOW)}

    for region in drains(view, policy):
        able = [
            r
            for r in view.regions
            if r != region and view.control.of(r).state == SERVING and not decisions[r].impaired
        ]
        assert sum(policy.capacity_percent.get(r, 100) for r in able) >= 100


@given(views(), policies)
def test_with_all_capacity_a_region_is_drained_that_is_drained_with_less(
    view: View, policy: Policy
) -> None:
    assert drains(view, policy) <= drains(view, replace(policy, capacity_percent={}))


@given(views(), policies)
def test_an_acknowledgement_pages_nobody_more_and_holds_nothing_back(
    view: View, policy: Policy
) -> None:
    without = replace(view, control=replace(view.control, acknowledged={}))

    for was, now in zip(decide(without, policy, NOW), decide(view, policy, NOW), strict=True):
        assert now.page <= was.page
        assert was.action not in MOVING or now.action == was.action


@given(views(), policies)
def test_no_more_is_drained_in_a_day_than_the_budget(view: View, policy: Policy) -> None:
    today = [m for m in view.control.moves if NOW - m.at_ms < 86_400_000]
    small = replace(policy, max_drains_per_day=max(1, len(today)))

    if today:
        moved = [d for d in decide(view, small, NOW) if d.action in (FAILOVER, RECOVERY)]
        # Where nothing else serves a return is not backed out: it costs no drain.
        assert all(d.alone and d.action == RECOVERY for d in moved)


@given(views(), policies)
def test_once_it_is_drained_it_is_not_drained_again(view: View, policy: Policy) -> None:
    for region in drains(view, policy):
        states = {**view.control.regions, region: RegionState(state=DRAINED, mode=AUTOMATIC)}
        after = replace(view, control=replace(view.control, regions=states))

        assert region not in drains(after, policy)
