"""Several looks at a Region at once: they ask more, and count as one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sidestep.core.canaries import AT_ONCE, CANARIES, Request
from sidestep.core.policy import Policy
from sidestep.core.votes import (
    APART_MS,
    HEALTHY,
    IMPAIRED,
    REQUESTS,
    SUSPECTED,
    UNKNOWN,
    Ballot,
    Probe,
    cast,
)
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA

POLICY = Policy()


def look(region: str, health: int | None = 200, failed: int = 0) -> Probe:
    """A look whose /health got this, and of whose canaries so many failed."""
    requests = [Request("GET /health", health, 40)]
    if health == 200:
        requests += [
            Request(what, 503 if n < failed else 200, 40) for n, what in enumerate(CANARIES)
        ]
    return Probe(region, health is not None, True, health, 40, None, region, tuple(requests))


def not_made(region: str) -> Probe:
    return Probe(region, reached=False, looked=False, error="Sandbox.Timedout")


def ballot_of(looks: Sequence[Probe], before: Ballot | None = None, now_ms: int = NOW) -> Ballot:
    return cast(VIRGINIA, looks, {}, {}, True, before, POLICY, now_ms)


def test_what_all_of_them_asked_is_weighed_together() -> None:
    vote = ballot_of([look(LONDON, failed=1)] * AT_ONCE).votes[LONDON]

    said = next(e.words for e in vote.evidence if e.signal == REQUESTS)
    asked = AT_ONCE * (1 + len(CANARIES))
    assert said.startswith(f"{AT_ONCE} of {asked} requests to {LONDON} from {VIRGINIA} failed")
    assert (vote.score.asked, vote.score.failed) == (asked, AT_ONCE)


def test_they_are_one_look_of_a_streak_and_of_a_score() -> None:
    vote = ballot_of([look(LONDON, health=503)] * AT_ONCE).votes[LONDON]

    assert (vote.streak, vote.score.looks) == (1, 1)


def test_several_good_ones_are_not_several_looks_either() -> None:
    suspected = ballot_of([look(LONDON, failed=1)])
    after = ballot_of([look(LONDON)] * POLICY.probe_good_streak, suspected, NOW + 10_000)

    assert suspected.votes[LONDON].verdict == after.votes[LONDON].verdict == SUSPECTED


@pytest.mark.parametrize("order", [1, -1])
def test_one_that_could_not_be_made_hides_nothing_of_those_that_could(order: int) -> None:
    looks = [not_made(LONDON), look(LONDON)][::order]

    assert ballot_of(looks).votes[LONDON].verdict == HEALTHY
    assert ballot_of([not_made(LONDON)] * 2).votes[LONDON].verdict == UNKNOWN


def test_an_observer_that_does_not_reach_its_one_peer_however_often_it_looks_is_believed() -> None:
    silent = replace(look(LONDON, health=None), reached=False)

    assert ballot_of([look(VIRGINIA), *[silent] * AT_ONCE]).observer_healthy
    blind = [replace(silent, region=OREGON), silent]
    assert not ballot_of([look(VIRGINIA), *blind]).observer_healthy


@pytest.mark.parametrize(
    ("later_ms", "streak", "verdict"), [(500, 1, UNKNOWN), (APART_MS, 2, IMPAIRED)]
)
def test_an_alarms_look_beside_the_scheduled_one_is_no_second_bad_look(
    later_ms: int, streak: int, verdict: str
) -> None:
    red = [look(LONDON, health=503)]
    vote = ballot_of(red, ballot_of(red), NOW + later_ms).votes[LONDON]

    assert (vote.streak, vote.score.looks, vote.verdict) == (streak, streak, verdict)


def test_nor_is_it_a_further_good_look() -> None:
    first = ballot_of([look(LONDON)])

    assert ballot_of([look(LONDON)], first, NOW + 500).votes[LONDON].streak == -1
    assert ballot_of([look(LONDON)], first, NOW + 10_000).votes[LONDON].streak == -2
