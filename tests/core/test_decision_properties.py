"""What holds for every view whatever: hypothesis looks for one where it does not."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidestep.aws.incident_lease import control_of
from sidestep.core.control import AUTOMATIC, CLOCK_SKEW_MS, FAILOVER, SERVING, plan_claim
from sidestep.core.decide import (
    HOLD,
    NONE,
    TAKE_OVER,
    TOGGLE,
    Due,
    decide,
    due,
)
from sidestep.core.findings import View, counting, fresh, unheard
from sidestep.core.holds import orders
from sidestep.core.policy import Policy
from sidestep.core.votes import UNKNOWN, Ballot, Vote
from tests.core.any_view import drains, policies, views
from tests.core.views import NOW, view, with_region

HALF_DONE = view(
    control=with_region(
        "us-east-1",
        incident="demo-us-east-1-1",
        epoch=1,
        kind=FAILOVER,
        mode=AUTOMATIC,
        holder="arn:of-the-dead",
        token=1,
        lease_until_ms=NOW - CLOCK_SKEW_MS,
    )
)
"""Nobody votes, and the lease of a failover that had not drained yet has run out."""


@given(views(), policies)
@example(HALF_DONE, Policy())
def test_without_votes_nothing_new_begins(view: View, policy: Policy) -> None:
    silent = replace(view, ballots=())

    decisions = decide(silent, policy, NOW)

    assert {d.action for d in decisions} <= {NONE, HOLD, TAKE_OVER}
    begun = {region for region in view.regions if view.control.of(region).unfinished}
    for one in due(silent, decisions):
        assert one.workflow == TOGGLE or one.input["region"] in begun


@given(views(), policies)
@example(HALF_DONE, Policy())
def test_without_votes_what_is_half_done_is_taken_over_unless_it_is_held(
    view: View, policy: Policy
) -> None:
    silent = replace(view, ballots=())

    for decision in decide(silent, policy, NOW):
        state = view.control.of(decision.region)
        left = state.unfinished and not state.leased(NOW)
        ordered = orders(decision.region, view.control, policy, NOW)
        assert (decision.action == TAKE_OVER) == (left and ordered is None)


def test_without_votes_a_failover_whose_lease_ran_out_is_carried_on_and_no_other_begun() -> None:
    decisions = decide(HALF_DONE, Policy(), NOW)

    assert [d.action for d in decisions] == [HOLD, TAKE_OVER, HOLD]
    assert [(one.workflow, one.name) for one in due(HALF_DONE, decisions)] == [
        (FAILOVER, "demo-us-east-1-1-t2")
    ]


@given(views(), policies)
def test_votes_that_are_too_old_change_nothing(view: View, policy: Policy) -> None:
    oldest = NOW - policy.vote_max_age_s * 1000
    young = tuple(b for b in view.ballots if oldest <= b.at_ms <= NOW + CLOCK_SKEW_MS)

    assert decide(view, policy, NOW) == decide(replace(view, ballots=young), policy, NOW)


@given(views(), policies)
def test_an_observer_that_is_not_believed_changes_nothing_but_its_own_return_where_it_alone_votes(
    view: View, policy: Policy
) -> None:
    believed = replace(view, ballots=tuple(b for b in view.ballots if b.observer_healthy))
    cast = fresh(view, policy, NOW)
    alone = cast[0].observer if len(cast) == 1 and cast[0].replica_works else None

    # What it says of its own table agrees with a lone witness, as its silence may.
    lone = len(counting(view, policy, NOW)) == 1
    agrees = unheard(view, policy, NOW).ailing if lone else frozenset()

    before, after = decide(believed, policy, NOW), decide(view, policy, NOW)

    for without, told in zip(before, after, strict=True):
        if agrees:
            assert told.impaired == without.impaired or told.region in agrees
            assert told.impaired >= without.impaired
            continue
        assert told == without or told.region == alone
        assert (told.action == FAILOVER) == (without.action == FAILOVER)


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


def read_back(view: View) -> View:
    """The view as another observer has it: out of the coordination table's items, as JSON."""
    ballots = tuple(Ballot.from_dict(json.loads(json.dumps(b.to_dict()))) for b in view.ballots)
    item = json.loads(json.dumps(asdict(view.control)))
    return replace(view, ballots=ballots, control=control_of(item, view.regions))


@given(views(), policies, st.randoms(use_true_random=False))
def test_all_who_read_the_same_start_the_same_executions(
    view: View, policy: Policy, chance: random.Random
) -> None:
    other = read_back(view)
    shuffled = list(other.ballots)
    chance.shuffle(shuffled)
    other = replace(other, ballots=tuple(shuffled))

    mine, theirs = decide(view, policy, NOW), decide(other, policy, NOW)

    assert theirs == mine
    # Step Functions takes the same name with the same input for one execution.
    assert due(other, theirs) == due(view, mine)


LEASE_MS = 90_000
later = st.integers(0, 300)
"""Seconds after a claim: within its lease and the clocks' skew, or past them."""


@settings(max_examples=200)
@given(views(), policies, later)
def test_once_it_is_claimed_nothing_more_of_that_region_begins(
    view: View, policy: Policy, after_s: int
) -> None:
    after_ms = after_s * 1000
    for one in due(view, decide(view, policy, NOW)):
        if one.workflow == TOGGLE:
            continue
        region = one.input["region"]
        claimed, why = claim(view, one, f"arn:{one.name}")
        assert claimed is not None, why

        # Whoever was started for the same comes too late.
        assert claim(claimed, one, f"arn:{one.name}-of-another")[0] is None
        # Votes go on saying the same as long as it lasts.
        then = NOW + after_ms
        still = replace(claimed, ballots=tuple(moved(b, after_ms) for b in view.ballots))
        decisions = decide(still, policy, then)
        action = next(d.action for d in decisions if d.region == region)
        names = [
            d.name
            for d in due(still, decisions)
            if d.input["region"] == region and d.workflow != TOGGLE
        ]
        if after_ms < LEASE_MS + CLOCK_SKEW_MS:
            assert (action, names) == (NONE, [])
        else:
            # Nobody goes on with it: it is taken over, by a name that was never used.
            assert action in (TAKE_OVER, HOLD)
            assert one.name not in names


def claim(view: View, one: Due, holder: str) -> tuple[View | None, str]:
    """The view once a due workflow's first step has claimed its Region; None and why if it may
    not."""
    plan = plan_claim(
        view.control,
        view.application,
        one.input["region"],
        one.workflow,
        one.input["mode"],
        holder,
        one.input["incident"],
        LEASE_MS,
        NOW,
    )
    if plan.state is None:
        return None, plan.why
    regions = {**view.control.regions, one.input["region"]: plan.state}
    control = replace(view.control, token=view.control.token + 1, regions=regions)
    return replace(view, control=control), plan.why


def moved(ballot: Ballot, by_ms: int) -> Ballot:
    """The ballot as it is cast again, so much later, of looks that saw the same."""
    votes = {r: replace(v, looked_ms=v.looked_ms + by_ms) for r, v in ballot.votes.items()}
    return replace(ballot, at_ms=ballot.at_ms + by_ms, votes=votes)


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
