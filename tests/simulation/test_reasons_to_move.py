"""A Region goes out only for a reason, and comes back only once it has been well."""

from __future__ import annotations

import pytest

from localcloud.faults.by_hand import FORCED_BACK
from localcloud.simulation.harm import LATE_S
from localcloud.simulation.invariants import Watch
from tests.simulation.histories import (
    HERE,
    REGIONS,
    THERE,
    Events,
    broken,
    drilled,
    found,
    outcome,
    state,
    strike,
)


@pytest.mark.parametrize(
    ("harm", "excused"),
    [
        ([], False),
        (strike("health-errors", HERE, 80.0, 400.0), True),
        (strike("health-errors", THERE, 80.0, 400.0), False),
        (strike("health-errors", HERE, 120.0, 400.0), False),
        (strike("health-errors", HERE, 20.0, 100.0 - LATE_S + 1.0), True),
        (strike("health-errors", HERE, 20.0, 100.0 - LATE_S - 1.0), False),
        (strike("replication-paused", HERE, 80.0, 400.0), False),
        (strike("link-cut", HERE, 80.0, 400.0, peer=THERE), False),
        (strike("stepfunctions-down", HERE, 80.0, 400.0), False),
        (strike("api-errors", HERE, 80.0, 400.0, service="dynamodb", how="error"), True),
        (strike("api-errors", HERE, 80.0, 400.0, service="events", how="error"), False),
        (drilled(HERE, 80.0, 400.0), True),
        (drilled(THERE, 80.0, 400.0), False),
    ],
)
def test_only_a_region_that_something_harms_is_drained(harm: Events, excused: bool) -> None:
    there = found(*harm, state("DRAINING", 100.0))

    assert there == (set() if excused else {"harmed-only"})


def test_a_person_may_drain_a_region_that_nothing_harms() -> None:
    assert found(state("DRAINING", 100.0, mode="manual")) == set()
    assert found(state("DRAINING", 100.0, mode="automatic")) == {"harmed-only"}


@pytest.mark.parametrize("until_s", [130.0, 30.0])
def test_a_region_that_is_cut_off_from_all_others_may_be_drained(until_s: float) -> None:
    cuts = [strike("link-cut", HERE, 20.0, until_s, peer=peer) for peer in (THERE, "us-west-2")]
    drain = state("DRAINING", 100.0)

    assert found(*cuts[0], drain) == {"harmed-only"}
    still = until_s > 100.0 - LATE_S
    assert found(*cuts[0], *cuts[1], drain) == (set() if still else {"harmed-only"})


@pytest.mark.parametrize("silenced", [HERE, THERE])
def test_of_two_regions_that_are_cut_off_only_one_that_does_not_speak_may_be_drained(
    silenced: str,
) -> None:
    watch = Watch(REGIONS)
    for event in (
        *strike("link-cut", HERE, 20.0, 130.0, peer=THERE),
        *strike("stepfunctions-down", silenced, 20.0, 130.0),
    ):
        if event["t"] < 100.0:
            watch.hear(event)
    watch.hear(state("DRAINING", 100.0))

    assert broken(outcome(), watch) == (set() if silenced == HERE else {"harmed-only"})


@pytest.mark.parametrize(
    ("kind", "until_s", "breaks"),
    [
        ("health-errors", 250.0, True),
        ("health-errors", 200.0, False),
        ("region-dark", 250.0, False),  # observers reach it: nobody could tell
        ("slow", 250.0, False),
    ],
)
def test_a_region_returns_only_when_it_has_been_well_for_its_window(
    kind: str, until_s: float, breaks: bool
) -> None:
    harm = strike(kind, HERE, 50.0, until_s)
    there_and_back = [
        state(name, at)
        for name, at in (("DRAINING", 100.0), ("DRAINED", 110.0), ("RESTORING", 300.0))
    ]

    assert found(*harm, *there_and_back) == ({"returns-well"} if breaks else set())
    by_force = state("RESTORING", 300.0, by=f"{FORCED_BACK}{HERE}-1")
    assert found(*harm, *there_and_back[:-1], by_force) == set()
    just_begun = strike("health-errors", HERE, 290.0, 400.0)
    assert "returns-well" not in found(*just_begun, *there_and_back)


def test_a_drain_that_is_late_is_one_where_executions_are_slow_or_clocks_wrong() -> None:
    harm = strike("health-errors", HERE, 20.0, 30.0)
    drain = state("DRAINING", 100.0)

    assert found(*harm, drain) == {"harmed-only"}
    assert found(*harm, *strike("workflow-slow", THERE, 20.0, 90.0, extra_s=5.0), drain) == set()
    assert found(*harm, *strike("clock-skew", THERE, 20.0, 90.0, ahead_s=20.0), drain) == set()


def test_how_long_a_look_waited_for_its_ballot_is_no_excuse_for_a_drain() -> None:
    """Two states are between the last judgement of the votes and the drain, not the eight from a
    look on."""
    harm = strike("health-errors", HERE, 10.0, 25.0)
    slow = strike("workflow-slow", THERE, 5.0, 90.0, extra_s=5.0)

    assert found(*harm, *slow, state("DRAINING", 100.0)) == {"harmed-only"}
    at_once = strike("workflow-slow", THERE, 50.0, 90.0, extra_s=5.0)
    assert found(*harm, *slow, *at_once, state("DRAINING", 100.0)) == set()
