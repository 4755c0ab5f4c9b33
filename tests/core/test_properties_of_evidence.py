"""What more evidence may do and what it may not, for every view: hypothesis looks for one where it
does otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.core.canaries import TOLERATED_SHARE, Score
from sidestep.core.decide import FAILOVER, HOLD, NONE, Decision, decide, in_doubt
from sidestep.core.evidence import REQUESTS, Evidence
from sidestep.core.findings import Finding, View, counting, find
from sidestep.core.policy import Policy
from sidestep.core.votes import IMPAIRED, SUSPECTED, Vote
from tests.core.any_view import drains, one_of, policies, views
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA, all_say, view

RANK = {NONE: 0, HOLD: 1, FAILOVER: 2}
"""Of what may be done about a Region that serves and that nobody holds."""
more_value, more_looks = st.sampled_from([0.0, 1.0, 4.0, 14.0]), st.integers(0, 3)
more_failed = st.sampled_from([0.0, 1.0, 8.0, 200.0])


def about(region: str, view: View, worse: Callable[[str, Vote], Vote]) -> View:
    """The view in which each observer's vote about this Region is another."""
    ballots = tuple(
        replace(b, votes={**b.votes, region: worse(b.observer, b.votes[region])})
        for b in view.ballots
    )
    return replace(view, ballots=ballots)


def called_impaired(_observer: str, vote: Vote) -> Vote:
    """The vote once the Region's /health fails."""
    seen = Evidence("health", 503.0, 200, True, "worse")
    return replace(vote, verdict=IMPAIRED, streak=max(vote.streak, 2), evidence=(seen,))


def raised(vote: Vote, value: float, looks: int, failed: float) -> Vote:
    """The vote after more failed requests: its score higher, over more looks; so many more were
    asked, and failed. What was asked before is kept."""
    was = vote.score
    score = replace(
        was,
        value=was.value + value,
        looks=was.looks + looks if was.value + value else 0,
        asked=was.asked + failed,
        failed=was.failed + failed,
    )
    return replace(vote, score=score)


def raised_in_some(data: st.DataObject, region: str, view: View, failing: bool) -> View:
    """The view once the scores of some observers are higher; with their failed requests, or with
    the shares of failed ones as they are."""
    rises = {
        b.observer: (
            data.draw(more_value),
            data.draw(more_looks),
            data.draw(more_failed) if failing else 0.0,
        )
        for b in view.ballots
        if data.draw(st.booleans())
    }
    return about(region, view, lambda who, v: raised(v, *rises[who]) if who in rises else v)


def of(region: str, view: View, policy: Policy) -> Decision:
    return next(d for d in decide(view, policy, NOW) if d.region == region)


def share_of_failed(region: str, view: View, policy: Policy) -> float:
    """Which share of the requests to a Region failed, of all that count."""
    found: Finding = find(region, counting(view, policy, NOW), policy)
    asked = sum(vote.score.asked for vote in found.votes)
    return sum(vote.score.failed for vote in found.votes) / asked if asked else 0.0


def at_rest(region: str, view: View) -> bool:
    """Whether it serves and nobody is at it: else votes alone do not say what is done."""
    state = view.control.of(region)
    return state.state == "SERVING" and not state.unfinished


def assert_no_less(
    region: str, before: View, after: View, policy: Policy, acted_on: bool = True
) -> None:
    """The later view makes no less of the Region; of what is done, where votes alone say that."""
    was, now = of(region, before, policy), of(region, after, policy)
    assert now.impaired >= was.impaired
    if acted_on and at_rest(region, before):
        assert RANK[now.action] >= RANK[was.action]


@settings(max_examples=200)
@given(views(), policies, st.data())
def test_more_observers_calling_a_region_impaired_never_make_less_of_it(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(one_of(view.regions))
    calling = {b.observer for b in view.ballots if data.draw(st.booleans())}
    worse = about(region, view, lambda who, v: called_impaired(who, v) if who in calling else v)

    assert_no_less(region, view, worse, policy)


@settings(max_examples=200)
@given(views(), policies, st.data())
def test_a_higher_score_over_more_looks_never_makes_less_of_a_region(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(one_of(view.regions))
    worse = raised_in_some(data, region, view, failing=False)

    assert_no_less(region, view, worse, policy)


# The others are compared with a Region only by a share of its requests that is past what is
# tolerated. One that is past it already can only stand out more: who is well enough beside it has
# a smaller share, and is the better told from a greater one (`wellness` grows with the ill share
# wherever it is above zero).
@settings(max_examples=200)
@given(views(), policies, st.data())
def test_more_failed_requests_never_undo_a_failover_once_more_fail_than_is_tolerated(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(one_of(view.regions))
    worse = raised_in_some(data, region, view, failing=True)

    before, after = (share_of_failed(region, one, policy) for one in (view, worse))
    acted_on = not before <= TOLERATED_SHARE < after
    assert_no_less(region, view, worse, policy, acted_on)


@settings(max_examples=200)
@given(views(), policies, st.data())
def test_evidence_against_another_region_never_makes_a_failover_of_any_other(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(one_of(view.regions))
    calling = {b.observer for b in view.ballots if data.draw(st.booleans())}
    worse = raised_in_some(data, region, view, failing=True)
    worse = about(region, worse, lambda who, v: called_impaired(who, v) if who in calling else v)

    assert drains(worse, policy) - {region} <= drains(view, policy)


def in_grey(value: float, looks: int, failed: float) -> View:
    """Everybody's requests to Virginia fail now and then, no /health does: so many of 40 each."""

    def doubted(_observer: str, vote: Vote) -> Vote:
        score = Score(value, looks, 40.0, failed)
        return replace(vote, verdict=SUSPECTED, streak=0, score=score)

    def much_asked(_observer: str, vote: Vote) -> Vote:
        return replace(vote, score=Score(asked=400.0))

    seen = view(*all_say())
    for other in (LONDON, OREGON):
        seen = about(other, seen, much_asked)
    return about(VIRGINIA, seen, doubted)


@pytest.mark.parametrize(
    ("value", "looks", "action"),
    [
        (3.4, 2, NONE),  # 10.2 together
        (3.5, 1, NONE),  # enough, but all of one moment
        (3.5, 2, FAILOVER),  # 10.5, three observers' limit together
        (14.0, 9, FAILOVER),
    ],
)
def test_scores_below_each_ones_limit_move_a_region_together(
    value: float, looks: int, action: str
) -> None:
    assert of(VIRGINIA, in_grey(value, looks, failed=4), Policy()).action == action


def asked(requests: float) -> Callable[[str, Vote], Vote]:
    """The vote of an observer that asked so many requests lately, of which none failed."""
    return lambda _observer, vote: replace(vote, score=Score(asked=requests))


def test_the_first_failed_requests_hold_a_failover_until_others_are_known_to_be_better() -> None:
    # All call Virginia impaired, and no request failed: it is ill otherwise.
    ill = about(VIRGINIA, view(*all_say(bad=(VIRGINIA,))), asked(40))
    # Then two do, of 122: more than a hundredth, and too few were asked of the others to tell.
    failing = about(VIRGINIA, ill, lambda who, v: raised(v, 3.0, 1, 2.0) if who == OREGON else v)
    # More requests to the others settle that; the doubt asks for them.
    settled = about(LONDON, about(OREGON, failing, asked(120)), asked(120))

    held = of(VIRGINIA, failing, Policy())

    assert of(VIRGINIA, ill, Policy()).action == FAILOVER
    assert (held.action, held.impaired) == (HOLD, True)
    assert "may be as bad as" in held.reasons[0]
    assert in_doubt(failing, Policy(), NOW)
    assert of(VIRGINIA, settled, Policy()).action == FAILOVER


scores = st.tuples(st.sampled_from([0.0, 1.0, 5.0, 8.0, 12.0, 21.0]), st.integers(0, 4))
three_scores = st.tuples(scores, scores, scores)


def seen_in_grey(seen: tuple[tuple[float, int], ...]) -> View:
    """Nobody calls London impaired by itself; what failed of its requests is in the scores."""
    evidence = (Evidence(REQUESTS, 1.0, 10.5, None, "some failed"),)
    by = dict(zip((LONDON, VIRGINIA, OREGON), seen, strict=True))

    def grey(observer: str, vote: Vote) -> Vote:
        value, looks = by[observer]
        score = Score(value, looks if value else 0, asked=120, failed=30)
        return replace(vote, verdict=SUSPECTED, streak=0, evidence=evidence, score=score)

    well = well_elsewhere(view(*all_say()))
    return about(LONDON, well, grey)


def well_elsewhere(of_all: View) -> View:
    """The view in which enough is known of every other Region, none of it bad."""
    for region in (VIRGINIA, OREGON):
        of_all = about(region, of_all, lambda _, v: replace(v, score=Score(asked=400)))
    return of_all


@given(three_scores, three_scores)
def test_of_a_region_seen_in_grey_a_higher_score_by_anybody_never_makes_less(
    seen: tuple[tuple[float, int], ...], more: tuple[tuple[float, int], ...]
) -> None:
    raised_to = tuple((v + dv, n + dn) for (v, n), (dv, dn) in zip(seen, more, strict=True))
    was, now = (of(LONDON, seen_in_grey(one), Policy()) for one in (seen, raised_to))

    assert RANK[now.action] >= RANK[was.action]


@pytest.mark.parametrize(("value", "action"), [(8.0, FAILOVER), (1.0, NONE)])
def test_what_several_saw_in_grey_is_summed(value: float, action: str) -> None:
    assert of(LONDON, seen_in_grey(((value, 3),) * 3), Policy()).action == action
