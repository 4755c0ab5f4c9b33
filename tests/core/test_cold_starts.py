"""A cold start is slow and says nothing of the Region, unless there is no end of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.core.canaries import (
    AT_ONCE,
    CANARIES,
    COLD_STARTS,
    COLD_STARTS_BACK,
    HEALTH,
    READ,
    WRITE,
    Request,
    Score,
)
from sidestep.core.evidence import REQUESTS, Probe
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, SUSPECTED, Ballot, Vote, cast
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA

POLICY = Policy()
SLOW_MS = POLICY.slow_probe_ms
LATE_MS = SLOW_MS + 900
WHAT = (HEALTH, *CANARIES)


def look(late: Sequence[int] = (), cold: Sequence[int] = (), status: int = 200) -> Probe:
    """Of which these requests, by their place in WHAT, took long, and these were cold."""
    requests = tuple(
        Request(what, status, LATE_MS if n in late else 40, cold=n in cold)
        for n, what in enumerate(WHAT)
    )
    return Probe(LONDON, True, True, status, requests[0].ms, None, LONDON, requests)


WELL = look()
FIRST_OF_EACH = look((0, 1, 2), (0, 1, 2))
"""What a look gets where no environment is free: /health, a write and a read wait for theirs."""
ALL = range(len(WHAT))


def votes_of(*rounds: Probe | Sequence[Probe]) -> list[Vote]:
    """Virginia's votes on London, of looks a round apart; a sequence is looks at once."""
    ballot: Ballot | None = None
    votes = []
    for n, one in enumerate(rounds):
        now = NOW + 10_000 * n
        looks = [one] if isinstance(one, Probe) else one
        seen = [
            Probe(**{**vars(each), "region": region, "at_ms": now})
            for region in (LONDON, OREGON)
            for each in (looks if region == LONDON else [WELL])
        ]
        ballot = cast(VIRGINIA, seen, {}, {}, True, ballot, POLICY, now)
        votes.append(ballot.votes[LONDON])
    return votes


def words(vote: Vote) -> str:
    return "; ".join(evidence.words for evidence in vote.evidence)


@pytest.mark.parametrize(
    ("status", "cold", "fault"),
    [
        (200, True, None),
        (201, True, None),
        (200, False, f"{WRITE} took {LATE_MS} ms (limit {SLOW_MS} ms)"),
        (503, True, f"{WRITE} answered 503"),
        (None, True, f"{WRITE} got no answer (None)"),
    ],
)
def test_only_a_slow_success_is_excused_by_a_cold_start(
    status: int | None, cold: bool, fault: str | None
) -> None:
    assert Request(WRITE, status, LATE_MS, cold=cold).fault(SLOW_MS) == fault


def test_a_slow_start_of_health_is_no_bad_look_and_is_told() -> None:
    [vote] = votes_of(look((0,), (0,)))

    assert (vote.verdict, vote.streak) == (HEALTHY, -1)
    assert f"in {LATE_MS} ms (limit {SLOW_MS} ms), a cold start" in words(vote)


def test_a_warm_health_that_slow_is_a_bad_look() -> None:
    assert votes_of(look((0,)))[0].streak == 1


def test_the_burst_that_doubt_makes_finds_only_cold_environments_in_a_region_that_is_well() -> None:
    doubtful = [FIRST_OF_EACH] * AT_ONCE

    votes = votes_of(WELL, FIRST_OF_EACH, doubtful, WELL, WELL)

    assert {vote.verdict for vote in votes} == {HEALTHY}
    assert {vote.score.value for vote in votes} == {0}
    many = 3 * AT_ONCE
    assert f"{many} slow by a cold start, {many} of them excused" in words(votes[2])


def test_a_region_that_starts_anew_for_every_request_is_left_after_four_looks() -> None:
    votes = votes_of(WELL, *[look(ALL, ALL)] * 4)

    assert [vote.verdict for vote in votes] == [HEALTHY, HEALTHY, HEALTHY, SUSPECTED, IMPAIRED]
    assert f"{WRITE} took {LATE_MS} ms" in words(votes[-1])
    assert f"{len(WHAT)} slow by a cold start, 0 of them excused" in words(votes[-1])


@pytest.mark.parametrize("always", [(WHAT.index(READ),), (1, 3, 5)])
def test_one_function_that_starts_anew_each_time_is_noticed_within_ten_minutes(
    always: Sequence[int],
) -> None:
    votes = votes_of(*[look(always, always)] * 60)

    assert (votes[0].verdict, votes[-1].verdict) == (HEALTHY, IMPAIRED)


def test_a_slow_start_in_every_other_look_is_never_held_against_a_region() -> None:
    votes = votes_of(*[look((1,), (1,)), WELL] * 180)

    assert {vote.verdict for vote in votes} == {HEALTHY}


def test_in_five_minutes_all_cold_starts_are_allowed_again() -> None:
    spent = votes_of(look(ALL, ALL), look(ALL, ALL), *[WELL] * 32)

    assert spent[1].score.cold > COLD_STARTS - 1
    assert spent[-1].score.cold == 0


def test_a_second_look_at_the_same_moment_brings_none_back() -> None:
    score = Score(cold=4)

    assert score.excusing([WELL.requests], SLOW_MS, again=True)[1].cold == 4
    assert score.excusing([WELL.requests], SLOW_MS)[1].cold == 4 - COLD_STARTS_BACK


def test_the_release_before_knew_no_cold_starts() -> None:
    assert not Request.from_dict({"what": WRITE, "status": 200, "ms": 40, "error": None}).cold
    assert Score.from_dict({"value": 1.0, "looks": 1, "asked": 8.0, "failed": 1.0}).cold == 0


LATE_AND_COLD = st.lists(st.sampled_from(ALL), unique=True)


@given(st.lists(LATE_AND_COLD, min_size=1, max_size=30))
def test_saying_that_it_was_cold_never_makes_a_region_look_worse(late: list[list[int]]) -> None:
    warm = votes_of(*(look(which) for which in late))
    cold = votes_of(*(look(which, which) for which in late))

    for one, other in zip(cold, warm, strict=True):
        assert one.score.failed <= other.score.failed
        assert not any(e.bad and e.signal == REQUESTS for e in one.evidence) or other.score.failed
