"""A Region is not drained for a harm that was over before two looks in a row could see it."""

from __future__ import annotations

import pytest

from localcloud.simulation.harm import BLIP_S, FORGOTTEN_S
from localcloud.simulation.invariants import Watch
from localcloud.simulation.premises import put_to_test
from sidestep.core.policy import Policy
from tests.simulation.histories import HERE, REGIONS, THERE, Events, outcome, state, strike

BLIP = strike("health-errors", HERE, 95.0, 95.0 + BLIP_S - 0.5)


def heard(*events: dict[str, object]) -> Watch:
    """What a watch makes of these, in the order of their times."""
    watch = Watch(REGIONS)
    for event in sorted(events, key=lambda event: float(str(event["t"]))):
        watch.hear(event)
    return watch


def broken(*events: dict[str, object]) -> set[str]:
    return {violation.invariant for violation in heard(*events).violations}


@pytest.mark.parametrize(
    ("what", "harm"),
    [
        ("a blip", BLIP),
        ("a blip of which events come twice", [*BLIP, *strike("duplicates", "", 30.0, 200.0)]),
        ("a harm that has only begun", strike("health-errors", HERE, 100.1 - BLIP_S, 200.0)),
        (
            "a blip after one that is forgotten",
            [*BLIP, *strike("health-errors", HERE, 30.0, 100.0 - FORGOTTEN_S - 0.1)],
        ),
    ],
)
def test_a_region_that_failed_for_a_moment_is_not_drained(what: str, harm: Events) -> None:
    assert broken(*harm, state("DRAINING", 100.0)) == {"not-by-a-blip"}, what


@pytest.mark.parametrize(
    ("what", "harm"),
    [
        ("harm that lasted", strike("health-errors", HERE, 90.0, 90.0 + BLIP_S)),
        (
            "a second blip within a minute",
            [*BLIP, *strike("health-errors", HERE, 50.0, 50.0 + BLIP_S - 0.1)],
        ),
        ("another harm", [*BLIP, *strike("write-errors", HERE, 60.0, 99.0, share=1.0)]),
        ("an observer that is cut off", [*BLIP, *strike("link-cut", HERE, 60.0, 99.0, peer=THERE)]),
        ("canaries, which look for longer", strike("bad-deploy", HERE, 95.0, 97.0, share=1.0)),
        ("wrong clocks", [*BLIP, *strike("clock-skew", THERE, 1.0, 9.0, ahead_s=30.0)]),
        ("looks that take long", [*BLIP, *strike("workflow-slow", THERE, 90.0, 99.0, extra_s=9.0)]),
    ],
)
def test_what_may_have_been_seen_twice_excuses_a_drain(what: str, harm: Events) -> None:
    assert broken(*harm, state("DRAINING", 100.0)) == set(), what


def test_a_person_may_drain_a_region_that_failed_for_a_moment() -> None:
    assert broken(*BLIP, state("DRAINING", 100.0, mode="manual")) == set()


def test_a_world_tests_it_by_a_blip_whether_it_drains_or_not() -> None:
    lasting = heard(*strike("health-errors", HERE, 60.0, 99.0))

    assert "not-by-a-blip" in put_to_test(outcome(), heard(*BLIP), Policy())
    assert "not-by-a-blip" not in put_to_test(outcome(), lasting, Policy())
