"""Failing requests: a blip is nothing, a lasting share is noticed, good looks forget it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.core.canaries import (
    CANARIES,
    CAP,
    CLOSER,
    Request,
    Score,
    asked,
    wellness,
)
from sidestep.core.evidence import Probe
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, SUSPECTED, Ballot, cast
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA

POLICY = Policy()
SHARE, LIMIT = POLICY.request_bad_share, POLICY.request_bad_score
LOOKS = st.lists(st.lists(st.booleans(), max_size=8), max_size=40)


def scored(*looks: tuple[int, int]) -> Score:
    """The score after these looks, each (failed, asked)."""
    score = Score()
    for bad, of in looks:
        score = score.after(["503"] * bad + [None] * (of - bad), SHARE, LIMIT)
    return score


def certain(score: Score) -> bool:
    return score.value >= LIMIT and score.looks >= POLICY.probe_bad_streak


def test_one_look_is_a_blip_however_bad_it_was() -> None:
    assert not certain(scored((8, 8)))


def test_a_red_health_check_speaks_for_all_that_was_not_asked_then() -> None:
    ballot = None
    for _ in range(2):
        at = (ballot.at_ms if ballot else NOW) + 10_000
        asked = (Request("GET /health", 503, 40),)
        red = Probe(LONDON, True, status=503, requests=asked, at_ms=at)
        ballot = cast(VIRGINIA, [red], {}, {}, True, ballot, POLICY, at)

    assert ballot
    assert certain(ballot.votes[LONDON].score)
    assert ballot.votes[LONDON].score.failed > len(CANARIES)


def test_half_of_the_requests_failing_is_certain_after_two_looks() -> None:
    assert certain(scored((4, 8), (4, 8)))


def test_a_tenth_failing_is_certain_in_the_end() -> None:
    assert certain(scored(*[(1, 8), (0, 4)] * 12)) or certain(scored(*[(1, 8)] * 6))


def test_one_in_a_hundred_is_never_certain_however_long_it_lasts() -> None:
    score = Score()
    for _ in range(500):
        for look in [(1, 8), *[(0, 4)] * 23]:
            score = score.after(["503"] * look[0] + [None] * (look[1] - look[0]), SHARE, LIMIT)
            assert not certain(score)


def test_the_first_failure_of_a_look_brings_more_requests_and_the_second_no_further_ones() -> None:
    plan = asked(closer=False)
    what = [next(plan)]
    with suppress(StopIteration):
        while True:
            what.append(plan.send(True))

    assert what == [*CANARIES, *CLOSER]


@given(st.booleans())
def test_doubt_asks_more_whatever_fails(fails: bool) -> None:
    plan = asked(closer=True)
    what = [next(plan)]
    with suppress(StopIteration):
        while True:
            what.append(plan.send(fails))

    assert what == [*CANARIES, *CLOSER]


def test_another_region_is_well_when_enough_of_its_requests_say_so() -> None:
    ill = [Score(asked=40, failed=4)]

    assert (wellness([Score(asked=80)], ill) or 0) > 5
    assert (wellness([Score(asked=80, failed=8)], ill) or 0) < 0
    assert wellness([Score()], ill) == 0


@pytest.mark.parametrize("ill", [[], [Score()], [Score(asked=300, failed=2)]])
def test_what_is_not_ill_by_its_requests_is_compared_with_nothing(ill: list[Score]) -> None:
    assert wellness([Score(asked=80)], ill) is None


@given(st.integers(0, 60), st.integers(0, 59), st.integers(2, 40))
def test_one_more_failure_never_makes_a_region_look_better(of: int, bad: int, ill: int) -> None:
    bad = min(bad, max(of - 1, 0))
    other = [Score(asked=40, failed=ill)]
    worse = wellness([Score(asked=of, failed=bad + (of > 0))], other)
    assert (worse or 0) <= (wellness([Score(asked=of, failed=bad)], other) or 0)


def test_a_look_that_asked_nothing_changes_nothing() -> None:
    assert scored((3, 8), (0, 0)) == scored((3, 8))


@given(LOOKS, st.integers(0, 39), st.integers(0, 7))
def test_one_more_failure_never_speaks_for_a_region(
    looks: list[list[bool]], which: int, where: int
) -> None:
    worse = [list(look) for look in looks]
    if which < len(worse) and where < len(worse[which]):
        worse[which][where] = False

    def over(history: list[list[bool]]) -> Score:
        return scored(*((look.count(False), len(look)) for look in history))

    assert over(worse).value >= over(looks).value


@given(LOOKS)
def test_a_score_is_never_below_zero_nor_over_its_cap(looks: list[list[bool]]) -> None:
    score = scored(*((look.count(False), len(look)) for look in looks))

    assert 0 <= score.value <= CAP * LIMIT
    assert score.value or not score.looks


def look(
    before: Ballot | None, failed: int, asked: int = 8, status: int = 503, ms: int = 40
) -> Ballot:
    """Virginia's next ballot: so many canaries to London failed, Oregon is well."""
    canaries = [Request("POST /canary", 200, 40) for _ in range(asked)]
    canaries[:failed] = [Request("POST /canary", status, ms)] * failed
    at = (before.at_ms if before else NOW) + 10_000
    probes = [
        Probe(region, True, status=200, latency_ms=40, requests=requests, at_ms=at)
        for region, requests in ((LONDON, tuple(canaries)), (OREGON, ()), (VIRGINIA, ()))
    ]
    return cast(VIRGINIA, probes, {}, {}, True, before, POLICY, at)


def verdicts(*failed: int, asked: int = 8) -> list[str]:
    """Virginia's verdicts on London, look by look."""
    found, ballot = [], None
    for number in failed:
        ballot = look(ballot, number, asked)
        found.append(ballot.votes[LONDON].verdict)
    return found


def test_a_green_health_check_does_not_hide_failing_writes() -> None:
    assert verdicts(0, 4, 4) == [HEALTHY, SUSPECTED, IMPAIRED]


def test_a_suspected_region_is_healthy_after_good_looks_in_a_row() -> None:
    assert verdicts(1, 0, 0, 0) == [SUSPECTED, SUSPECTED, SUSPECTED, HEALTHY]


def test_a_doubtful_look_breaks_a_good_streak() -> None:
    assert verdicts(4, 4, 0, 0, 1, 0, 0, 0)[1:] == [*[IMPAIRED] * 6, HEALTHY]


def test_good_looks_enough_forget_what_was() -> None:
    assert verdicts(8, 8, 0, 0, 0, 1)[-2:] == [HEALTHY, SUSPECTED]


def test_a_slow_answer_is_a_failed_one() -> None:
    ballot = look(None, 3, ms=1800, status=200)

    (_, evidence, _) = ballot.votes[LONDON].evidence
    assert evidence.words.startswith(f"3 of 8 requests to {LONDON} from {VIRGINIA} failed")
    assert "POST /canary took 1800 ms (limit 1500 ms)" in evidence.words


def test_a_route_that_an_older_deployment_does_not_know_is_no_failure() -> None:
    assert look(None, 8, status=404).votes[LONDON].verdict == HEALTHY


def test_a_ballot_comes_back_from_storage_as_it_was() -> None:
    ballot = look(look(None, 2), 1)

    assert Ballot.from_dict(ballot.to_dict()) == ballot


def test_a_ballot_of_before_there_were_scores_is_read() -> None:
    stored = look(None, 0).to_dict()
    for vote in stored["votes"].values():
        del vote["score"]

    assert Ballot.from_dict(stored).votes[LONDON].score == Score()
