"""API Gateway's throttle proves nothing: anybody can fill the limits of the observers' routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sidestep.core.canaries import AT_ONCE, CANARIES, Request
from sidestep.core.evidence import THROTTLES, Probe
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, SUSPECTED, UNKNOWN, Ballot, Vote, cast
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA

POLICY = Policy()
ROUND_MS = 10_000


def look(health: int, *canaries: int, region: str = LONDON) -> Probe:
    """What /health answered, and then the canaries, one after the other."""
    requests = [Request("GET /health", health, 40)]
    requests += [
        Request(what, status, 40) for what, status in zip(CANARIES, canaries, strict=False)
    ]
    by = region if health == 200 else None
    return Probe(region, True, True, health, 40, None, by, tuple(requests))


WELL = look(200, *[200] * 7)
HEALTH_FLOODED = look(429, *[200] * 7)
CANARIES_FLOODED = look(200, *[429] * 7)
ALL_FLOODED = look(429, *[429] * 7)
GREY = look(200, 503, *[200] * 6)


def ballots_of(*rounds: Probe | Sequence[Probe]) -> list[Ballot]:
    """Of looks a round apart; a sequence is looks at once."""
    ballots: list[Ballot] = []
    for n, one in enumerate(rounds):
        now = NOW + ROUND_MS * n
        looks = [one] if isinstance(one, Probe) else one
        seen = [replace(each, at_ms=now) for each in looks]
        before = ballots[-1] if ballots else None
        ballots.append(cast(VIRGINIA, seen, {}, {}, True, before, POLICY, now))
    return ballots


def last_of(*rounds: Probe | Sequence[Probe]) -> Vote:
    return ballots_of(*rounds)[-1].votes[LONDON]


@pytest.mark.parametrize(
    "flooded", [look(429), HEALTH_FLOODED, CANARIES_FLOODED, ALL_FLOODED, [ALL_FLOODED] * AT_ONCE]
)
def test_however_long_a_flood_lasts_nobody_calls_the_region_impaired(
    flooded: Probe | Sequence[Probe],
) -> None:
    ballots = ballots_of(WELL, *[flooded] * 20)

    assert not {b.votes[LONDON].verdict for b in ballots} & {SUSPECTED, IMPAIRED}
    assert ballots[-1].votes[LONDON].score.value == 0


def test_a_throttled_health_is_no_look_and_says_so() -> None:
    vote = last_of(WELL, ALL_FLOODED)

    assert (vote.verdict, vote.looked_ms) == (UNKNOWN, NOW)
    assert f"GET /health of {LONDON} from {VIRGINIA} was throttled" in vote.evidence[0].words


def test_where_only_health_is_flooded_the_canaries_tell() -> None:
    assert last_of(WELL, HEALTH_FLOODED).verdict == HEALTHY
    assert last_of(*[look(429, *[503] * 7)] * 3).verdict == IMPAIRED
    assert last_of(look(429, 503, *[200] * 6)).verdict == SUSPECTED


def test_where_only_the_canaries_are_flooded_health_tells() -> None:
    flooded = last_of(WELL, CANARIES_FLOODED)

    assert flooded.verdict == HEALTHY
    assert any(e.signal == THROTTLES and "7 requests" in e.words for e in flooded.evidence)
    assert last_of(*[look(503)] * 2).verdict == IMPAIRED


def test_bad_looks_before_and_after_a_throttled_one_are_in_a_row() -> None:
    assert last_of(look(503), ALL_FLOODED, look(503)).verdict == IMPAIRED


def test_throttled_looks_make_no_region_healthy_again() -> None:
    red = [look(503)] * 2

    assert last_of(*red, *[ALL_FLOODED] * 9, *[WELL] * 2).verdict != HEALTHY
    assert last_of(*red, *[ALL_FLOODED] * 9, *[WELL] * 3).verdict == HEALTHY


def test_a_flood_of_canaries_does_not_hide_a_grey_failure_that_was_seen() -> None:
    grey, flooded = last_of(GREY), last_of(GREY, *[CANARIES_FLOODED] * 9)

    assert (grey.verdict, flooded.verdict) == (SUSPECTED, UNKNOWN)
    assert flooded.score == grey.score


def test_of_canaries_some_of_which_are_throttled_the_others_count() -> None:
    vote = last_of(look(200, 429, 503, 429, 503, 429, 503, 429))

    assert (vote.score.asked, vote.score.failed) == (4, 3)
    assert any("3 of 4 requests" in e.words and "4 requests" in e.words for e in vote.evidence)


def test_of_looks_at_once_one_that_was_not_throttled_speaks_for_health() -> None:
    vote = last_of([ALL_FLOODED, look(503), ALL_FLOODED, ALL_FLOODED])

    assert vote.evidence[0].bad
    assert vote.streak == 1


def test_a_peer_that_throttles_has_been_reached() -> None:
    [ballot] = ballots_of([look(429), look(429, region=OREGON)])

    assert ballot.observer_healthy
