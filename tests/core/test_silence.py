"""Silence may be the observer's own: it counts with others' once a second look has met it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.core.canaries import CANARIES, HEALTH, Request, Score
from sidestep.core.decide import FAILOVER, NONE
from sidestep.core.evidence import REQUESTS, Evidence, Probe
from sidestep.core.findings import TOGETHER
from sidestep.core.policy import Policy
from sidestep.core.silence import ROUND_TRIP_MS, may_be_ones_own
from sidestep.core.votes import SUSPECTED, Ballot, cast
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA, ballot, decided, view

POLICY = Policy()
TRIP_MS, SILENCE_MS, ROUND_MS = 120, 2000, 10_000
NEVER_S = float("inf")


def look(region: str, cut_s: float = NEVER_S, at_ms: int = NOW, trip_ms: int = TRIP_MS) -> Probe:
    """A look at a Region that answers all, by an observer whose way is cut so long after NOW."""
    requests: list[Request] = []
    begun_ms = at_ms
    for what in (HEALTH, *CANARIES):
        silent = begun_ms + trip_ms > NOW + cut_s * 1000
        status = None if silent else 200
        why = "no connection within 2 s" if silent else None
        requests.append(Request(what, status, SILENCE_MS if silent else trip_ms, why))
        begun_ms += requests[-1].ms
        if silent and (what == HEALTH or begun_ms > at_ms + 4000):
            break
    first = requests[0]
    reached = first.status is not None
    latency = first.ms if reached else None
    told = region if reached else None
    return Probe(
        region, reached, True, first.status, latency, first.error, told, tuple(requests), at_ms
    )


def seen(*looks: Probe, before: Ballot | None = None) -> Ballot:
    """London's ballot after these looks, made at once."""
    return cast(LONDON, looks, {}, {}, True, before, POLICY, max(one.at_ms for one in looks) + 5000)


def cut_off_after(cut_s: float) -> Ballot:
    """London's ballot after a look in whose midst it was cut off: Oregon is near, and was done."""
    return seen(look(VIRGINIA, cut_s), look(OREGON, cut_s, trip_ms=20))


def test_what_an_observer_misses_because_it_was_cut_off_in_a_look_is_not_told_with_others() -> None:
    # Found by simulation (`--seed 1001181` of the day): its word counts, since it reached some, and
    # with those who are behind another cut link it came over the limit.
    said = cut_off_after(0.6)
    score = said.votes[VIRGINIA].score

    assert said.observer_healthy
    assert score.value > (TOGETHER - 1) * POLICY.request_bad_score
    assert score.told == 0
    assert any(
        "silence that may be eu-west-2's own" in e.words for e in said.votes[VIRGINIA].evidence
    )


def test_nor_what_it_misses_of_one_that_it_had_not_begun_with() -> None:
    late = look(VIRGINIA, 0.3, at_ms=NOW + 400)
    said = seen(late, look(OREGON, 0.3, trip_ms=20))

    assert not late.reached
    assert said.observer_healthy
    assert said.votes[VIRGINIA].score.told == 0


def test_a_region_that_is_silent_while_another_answers_is_silent_itself() -> None:
    score = seen(look(VIRGINIA, 0.0), look(OREGON)).votes[VIRGINIA].score

    assert score.told == score.value > POLICY.request_bad_score


def test_another_answers_meanwhile_only_if_it_was_asked_after_the_way_may_have_been_cut() -> None:
    silent = look(VIRGINIA, 0.0)

    def doubted(asked_after_ms: int) -> int:
        one = look(OREGON, at_ms=NOW + asked_after_ms, trip_ms=10)
        one = replace(one, requests=one.requests[:1])
        return may_be_ones_own(LONDON, {VIRGINIA: [silent], OREGON: [one]}, {})[VIRGINIA]

    assert doubted(ROUND_TRIP_MS) == doubted(SILENCE_MS) == 0
    assert doubted(ROUND_TRIP_MS - 1) == doubted(SILENCE_MS + 1) == 1 + len(CANARIES)


def test_where_others_of_the_look_were_answered_a_round_trip_is_known() -> None:
    def doubted(asked_after_ms: int) -> int:
        one = look(OREGON, at_ms=NOW + 3 * TRIP_MS + asked_after_ms, trip_ms=10)
        one = replace(one, requests=one.requests[:1])
        looks = {VIRGINIA: [look(VIRGINIA, 0.4)], OREGON: [one]}
        return may_be_ones_own(LONDON, looks, {})[VIRGINIA]

    # The fourth request is silent, and so is the fifth, asked SILENCE_MS later.
    assert doubted(2 * TRIP_MS - 1) == 2
    assert doubted(2 * TRIP_MS) == 1


@pytest.mark.parametrize(
    ("before", "told"), [(None, 0.0), (look(VIRGINIA, at_ms=NOW - ROUND_MS), 14.0)]
)
def test_or_from_the_last_look_at_it(before: Probe | None, told: float) -> None:
    # All that Oregon answered had begun within the half second that is taken where none is known.
    known = before and seen(before, look(OREGON, at_ms=NOW - ROUND_MS))
    said = seen(look(VIRGINIA, 0.0), look(OREGON, trip_ms=60), before=known or None)

    assert said.votes[VIRGINIA].score.told == told


def test_its_own_region_answers_an_observer_that_is_cut_off_from_all_others() -> None:
    looks = {LONDON: [look(LONDON)], VIRGINIA: [look(VIRGINIA, 0.5)], OREGON: [look(OREGON, 0.5)]}

    assert all(may_be_ones_own(LONDON, looks, {})[peer] for peer in (VIRGINIA, OREGON))


def test_of_two_regions_no_silence_is_doubted_since_the_other_has_to_agree_about_itself() -> None:
    looks = {LONDON: [look(LONDON)], VIRGINIA: [look(VIRGINIA, 0.5)]}

    assert may_be_ones_own(LONDON, looks, {}) == {LONDON: 0, VIRGINIA: 0}


def test_an_answered_error_is_the_regions_whoever_else_was_silent() -> None:
    failing = look(VIRGINIA)
    errors = tuple(replace(one, status=503) for one in failing.requests[1:])
    failing = replace(failing, requests=(failing.requests[0], *errors))
    score = seen(failing, look(OREGON, 0.3)).votes[VIRGINIA].score

    assert score.told == score.value > 0


def test_the_next_look_that_meets_silence_counts_and_so_does_what_the_last_one_met() -> None:
    once = cut_off_after(0.6)
    next_ms = once.votes[VIRGINIA].looked_ms + ROUND_MS
    gone_s = (next_ms - NOW) / 1000 + 0.6
    again = seen(
        look(VIRGINIA, gone_s, next_ms), look(OREGON, gone_s, next_ms, trip_ms=20), before=once
    )

    assert again.votes[VIRGINIA].score.told == again.votes[VIRGINIA].score.value
    assert again.votes[VIRGINIA].score.value > once.votes[VIRGINIA].score.value


def test_a_second_look_at_the_same_moment_does_not() -> None:
    once = cut_off_after(0.6)
    at_ms = NOW + 300
    beside = seen(look(VIRGINIA, 0.6, at_ms), look(OREGON, trip_ms=20), before=once)

    assert beside.votes[VIRGINIA].score.silences == 1
    assert beside.votes[VIRGINIA].score.told == 0


def test_good_looks_forget_it() -> None:
    said = cut_off_after(0.6)
    for number in range(POLICY.probe_good_streak):
        at_ms = NOW + (number + 1) * ROUND_MS
        said = seen(look(VIRGINIA, at_ms=at_ms), look(OREGON, at_ms=at_ms), before=said)
    score = said.votes[VIRGINIA].score

    assert (score.value, score.doubted, score.silences) == (0.0, 0.0, 0)


def behind_a_cut_link(told: float) -> str:
    """What is done about London where Virginia's link to it is cut, and of what Oregon saw fail so
    much is told."""
    enough = POLICY.request_bad_score
    ballots = [ballot(LONDON)]
    for observer, score in (
        (VIRGINIA, Score(enough, 2, 40, 20)),
        (OREGON, Score(enough, 1, 22, 4, doubted=enough - told, silences=int(told < enough))),
    ):
        said = ballot(observer)
        words = Evidence(REQUESTS, score.value, enough, None, "some requests failed")
        vote = replace(said.votes[LONDON], verdict=SUSPECTED, evidence=(words,), score=score)
        ballots.append(replace(said, votes={**said.votes, LONDON: vote}))
    return decided(view(*ballots))[LONDON].action


def test_a_region_behind_one_cut_link_is_not_left_for_silence_that_is_anothers_own() -> None:
    enough = TOGETHER * POLICY.request_bad_score - POLICY.request_bad_score

    assert behind_a_cut_link(told=0.0) == NONE
    assert behind_a_cut_link(told=enough - 0.1) == NONE
    assert behind_a_cut_link(told=enough) == FAILOVER


looks_made = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=20
)


@given(looks_made)
def test_what_is_told_is_never_more_than_what_was_seen_nor_less_than_nothing(
    looks: list[tuple[int, int, int, bool]],
) -> None:
    score = known = Score()
    for bad, good, own, again in looks:
        faults = ["no answer"] * bad + [None] * good
        share, limit = POLICY.request_bad_share, POLICY.request_bad_score
        score = score.after(faults, share, limit, again, min(own, bad))
        known = known.after(faults, share, limit, again)

        assert 0 <= score.told <= score.value
        assert replace(score, doubted=0.0, silences=0) == known
        if score.silences != 1:
            assert score.told == score.value


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_a_score_of_the_release_before_doubted_nothing(value: float) -> None:
    assert Score.from_dict({"value": value, "looks": 1}).told == value
