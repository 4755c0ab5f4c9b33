"""Several looks at a Region at once: they ask more, and count as one look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidestep.core.canaries import AT_ONCE, CANARIES, Request
from sidestep.core.evidence import REQUESTS, Probe
from sidestep.core.policy import Policy
from sidestep.core.votes import APART_MS, HEALTHY, IMPAIRED, SUSPECTED, UNKNOWN, Ballot, cast
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
    """Of looks that were made just then."""
    seen = [replace(one, at_ms=now_ms if one.looked else 0) for one in looks]
    return cast(VIRGINIA, seen, {}, {}, True, before, POLICY, now_ms)


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


def verdicts_of(looks: Sequence[Probe], rounds: Ballot | None = None) -> list[str]:
    """The verdicts on London of an observer that looks like this, ten seconds apart."""
    verdicts, before = [], rounds
    for n, one in enumerate(looks):
        before = ballot_of([one], before, NOW + 10_000 * n)
        verdicts.append(before.votes[LONDON].verdict)
    return verdicts


RED, GREEN, NONE_MADE = look(LONDON, health=503), look(LONDON), not_made(LONDON)


def test_a_look_that_was_not_made_does_not_begin_a_streak_anew() -> None:
    assert verdicts_of([RED, NONE_MADE, RED])[-1] == IMPAIRED


def test_nor_does_it_make_a_bad_region_healthy_by_one_good_look() -> None:
    assert POLICY.probe_good_streak == 3
    assert verdicts_of([RED, RED, NONE_MADE, GREEN, GREEN, GREEN]) == [
        UNKNOWN,
        IMPAIRED,
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        HEALTHY,
    ]


def test_nor_does_it_keep_a_healthy_one_from_being_called_so() -> None:
    assert verdicts_of([GREEN, GREEN, NONE_MADE, GREEN])[-2:] == [UNKNOWN, HEALTHY]


looks_in_a_row = st.lists(st.sampled_from([RED, GREEN, NONE_MADE]), min_size=1, max_size=12)


@given(looks_in_a_row)
def test_looks_that_were_not_made_make_a_verdict_unknown_and_never_another(
    looks: list[Probe],
) -> None:
    made = [one for one in looks if one.looked]

    for last in (RED, GREEN):
        verdict = verdicts_of([*looks, last])[-1]
        assert verdict in (verdicts_of([*made, last])[-1], UNKNOWN)
        in_a_row = [*made, last][-POLICY.probe_bad_streak :]
        if in_a_row == [RED] * POLICY.probe_bad_streak:
            assert verdict == IMPAIRED


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


def test_a_chain_of_close_looks_does_not_keep_a_bad_region_from_being_called_so() -> None:
    """Several alarms may each have started looks of their own: every one begins soon after the
    one before, and together they last for minutes."""
    red, before, verdicts = [look(LONDON, health=503)], None, []
    for n in range(4):
        before = ballot_of(red, before, NOW + 3000 * n)
        verdicts.append(before.votes[LONDON].verdict)

    assert APART_MS == 5000
    assert verdicts == [UNKNOWN, UNKNOWN, IMPAIRED, IMPAIRED]


@given(st.lists(st.integers(0, 9000), max_size=12), st.sampled_from([503, 200]))
def test_of_like_looks_those_count_that_begin_half_a_round_after_the_last_that_did(
    gaps_ms: list[int], status: int
) -> None:
    now_ms, counted = NOW, [NOW]
    seen = ballot_of([look(LONDON, status)], None, now_ms)
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        stored = Ballot.from_dict(seen.to_dict())
        seen = ballot_of([look(LONDON, status)], stored, now_ms)
        if now_ms - counted[-1] >= APART_MS:
            counted.append(now_ms)

    vote = seen.votes[LONDON]
    assert abs(vote.streak) == len(counted)
    assert vote.score.looks == (len(counted) if status == 503 else 0)
    assert (vote.looked_ms, vote.counted_ms) == (now_ms, counted[-1])


def test_a_look_that_turns_the_streak_counts_and_the_next_ones_beside_it_do_not() -> None:
    good = ballot_of([look(LONDON)])
    turned = ballot_of([look(LONDON, health=503)], good, NOW + 4000)
    beside = ballot_of([look(LONDON, health=503)], turned, NOW + 8000)
    later = ballot_of([look(LONDON, health=503)], beside, NOW + 9000)

    assert [one.votes[LONDON].streak for one in (good, turned, beside, later)] == [-1, 1, 1, 2]


def test_so_does_the_first_look_in_which_some_requests_failed() -> None:
    few = [look(LONDON, failed=1)]
    good = ballot_of([look(LONDON)])
    first = ballot_of(few, good, NOW + 4000)
    beside = ballot_of(few, first, NOW + 8000)
    later = ballot_of(few, beside, NOW + 9000)

    assert [one.votes[LONDON].score.looks for one in (good, first, beside, later)] == [0, 1, 1, 2]
