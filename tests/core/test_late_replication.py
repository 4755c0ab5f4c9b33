"""Writes that come late from a Region that is well: nothing moves, and a person is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.control import DRAINED, FAILOVER
from sidestep.core.decide import HOLD, NONE, Decision, decide
from sidestep.core.evidence import lag_evidence
from sidestep.core.maintenance import Window
from sidestep.core.policy import Policy
from sidestep.core.votes import Ballot
from tests.core.views import (
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    view,
    with_region,
)

POLICY = Policy()
LATE_MS = POLICY.lag_limit_ms + 1000


def seen(ballot: Ballot, source: str, lag_ms: int | None) -> Ballot:
    """The ballot, with what its observer knows of replication from a Region."""
    vote = ballot.votes[source]
    evidence = (*vote.evidence, lag_evidence(source, lag_ms, POLICY))
    return replace(ballot, votes={**ballot.votes, source: replace(vote, evidence=evidence)})


def about_london(lag_ms: int | None, *observers: str, policy: Policy = POLICY) -> Decision:
    """What is decided of London where these see its heartbeats so late."""
    ballots = [seen(b, LONDON, lag_ms) if b.observer in observers else b for b in all_say()]
    return next(d for d in decide(view(*ballots), policy, NOW) if d.region == LONDON)


@pytest.mark.parametrize("observers", [(VIRGINIA,), (VIRGINIA, OREGON)])
def test_writes_that_come_late_from_a_region_that_is_well_move_nothing_and_call_a_person(
    observers: tuple[str, ...],
) -> None:
    decision = about_london(LATE_MS, *observers)

    assert (decision.action, decision.diagnosis, decision.page) == (HOLD, "replication_late", True)
    assert "eu-west-2's newest heartbeat here is 61.0 s old (limit 60 s)" in decision.reasons[0]
    assert all(f"in {observer}" in decision.reasons[0] for observer in observers)
    assert decision.would_change == "heartbeats within the limit"


def test_writes_that_come_in_time_call_nobody() -> None:
    decision = about_london(POLICY.lag_limit_ms, VIRGINIA, OREGON)

    assert (decision.action, decision.page) == (NONE, False)


def test_a_region_of_which_no_heartbeat_was_ever_seen_calls_nobody() -> None:
    """It is new, or its observer is: that is told by other means."""
    decision = about_london(None, VIRGINIA, OREGON)

    assert (decision.action, decision.page) == (NONE, False)


def test_nobody_is_called_about_it_in_a_maintenance_window() -> None:
    policy = replace(POLICY, maintenance=(Window(LONDON, "daily", 7 * 60, 180),))

    assert not about_london(LATE_MS, VIRGINIA, OREGON, policy=policy).page


def test_a_region_that_is_out_is_no_concern_of_it() -> None:
    control = with_region(
        LONDON, state=DRAINED, kind=FAILOVER, incident="demo-eu-west-2-1", epoch=1
    )
    ballots = [b if b.observer == LONDON else seen(b, LONDON, LATE_MS) for b in all_say()]
    found = decide(view(*ballots, control=replace(control, serving=2)), POLICY, NOW)

    decision = next(d for d in found if d.region == LONDON)
    assert "come late" not in decision.reasons[0]
    assert {d.region for d in found} == set(REGIONS)
