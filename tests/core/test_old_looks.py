"""A vote is as old as its look, whenever it was cast: Step Functions may be slow in between."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.canaries import Request
from sidestep.core.control import AUTOMATIC, FAILOVER, Claim
from sidestep.core.decide import NONE
from sidestep.core.evidence import Probe
from sidestep.core.findings import counting, find, healthy_for_s
from sidestep.core.policy import Policy
from sidestep.core.recheck import recheck
from sidestep.core.votes import APART_MS, HEALTHY, IMPAIRED, UNKNOWN, Ballot, cast
from tests.core.views import LONDON, NOW, OREGON, REGIONS, VIRGINIA, ballot, decided, view

POLICY = Policy()
OLD_S = POLICY.vote_max_age_s + 1.0
CLAIM = Claim("demo", LONDON, "one", FAILOVER, AUTOMATIC, 1, "holder", NOW)


def look(status: int, at_ms: int, region: str = LONDON, reached: bool = True) -> Probe:
    asked = (Request("GET /health", status, 40),)
    return Probe(region, reached, True, status, 40, None, region, asked, at_ms)


def cast_at(now_ms: int, *looks: Probe, before: Ballot | None = None, **how: Any) -> Ballot:
    return cast(
        VIRGINIA, looks, how.get("alarms", {}), {}, how.get("works", True), before, POLICY, now_ms
    )


@pytest.mark.parametrize(("looked_s", "action"), [(0.0, FAILOVER), (OLD_S, NONE)])
def test_ballots_of_this_moment_move_nothing_where_their_looks_are_old(
    looked_s: float, action: str
) -> None:
    everybody = [ballot(one, (LONDON,), age_s=0.0, looked_s=looked_s) for one in REGIONS]

    assert decided(view(*everybody))[LONDON].action == action
    going_on = recheck(CLAIM, view(*everybody), POLICY, NOW).go
    assert going_on == (action == FAILOVER)


def test_a_ballot_says_since_when_its_observer_has_been_at_work_with_no_gap() -> None:
    first = cast_at(NOW, look(200, NOW))
    later = NOW + POLICY.vote_max_age_s * 1000
    going_on = cast_at(later, look(200, later), before=first)
    back = later + int(OLD_S * 1000)
    again = cast_at(back, look(200, back), before=Ballot.from_dict(going_on.to_dict()))

    assert [b.at_work_since_ms for b in (first, going_on, again)] == [NOW, NOW, back]


def test_old_looks_do_not_prove_a_region_to_be_well_either() -> None:
    everybody = [ballot(one, age_s=0.0, looked_s=OLD_S) for one in REGIONS]
    found = find(LONDON, counting(view(*everybody), POLICY, NOW), POLICY)

    healthy_s, why = healthy_for_s(found, NOW)

    assert (healthy_s, why) == (0.0, f"not every observer calls {LONDON} healthy")


def test_an_observer_that_casts_old_looks_about_its_own_region_is_not_silent() -> None:
    """Of two Regions one's silence would agree with the other's word against it."""
    own = ballot(LONDON, age_s=0.0, looked_s=OLD_S)
    seen = counting(view(own, ballot(VIRGINIA, (LONDON,))), POLICY, NOW)

    found = find(LONDON, seen, POLICY)

    assert found.own is not None
    assert not found.impaired


def test_what_it_says_of_an_old_look_is_how_old_that_is() -> None:
    (one,) = counting(view(ballot(VIRGINIA, (LONDON,), age_s=0.0, looked_s=40.0)), POLICY, NOW)

    words = one.votes[LONDON].evidence[0].words

    assert words == f"{VIRGINIA}'s last look at {LONDON} was 40 s ago (limit 35 s)"


def test_a_vote_bears_the_time_of_the_oldest_of_the_looks_that_it_counts_as_one() -> None:
    seen = cast_at(NOW, look(503, NOW - 9000), look(503, NOW - 7000))

    assert (seen.at_ms, seen.votes[LONDON].looked_ms) == (NOW, NOW - 9000)
    assert seen.votes[LONDON].since_ms == NOW - 9000


@pytest.mark.parametrize(
    ("apart_ms", "streak", "verdict"), [(APART_MS - 1, 1, UNKNOWN), (APART_MS, 2, IMPAIRED)]
)
def test_looks_of_one_moment_are_one_however_far_apart_they_were_cast(
    apart_ms: int, streak: int, verdict: str
) -> None:
    first = cast_at(NOW + 1000, look(503, NOW))
    second = cast_at(NOW + 30_000, look(503, NOW + apart_ms), before=first)

    assert (second.votes[LONDON].streak, second.votes[LONDON].verdict) == (streak, verdict)


def test_looks_ten_seconds_apart_are_two_however_close_they_were_cast() -> None:
    first = cast_at(NOW + 10_400, look(503, NOW))
    second = cast_at(NOW + 10_500, look(503, NOW + 10_000), before=first)

    assert second.votes[LONDON].verdict == IMPAIRED


def test_what_a_slow_execution_saw_before_the_last_ballots_looks_says_nothing_new() -> None:
    newer = cast_at(NOW + 20_000, look(200, NOW + 19_000))
    after = cast_at(NOW + 21_000, look(503, NOW), before=newer)

    assert after.votes == newer.votes
    assert after.at_ms == NOW + 21_000


def test_nor_does_it_make_an_observer_believed_that_has_been_found_to_be_cut_off_since() -> None:
    cut_off = [look(503, NOW + 19_000, region, reached=False) for region in (LONDON, OREGON)]
    newer = cast_at(NOW + 20_000, *cut_off)
    after = cast_at(NOW + 21_000, look(200, NOW), look(200, NOW, OREGON), before=newer)

    assert not newer.observer_healthy
    assert not after.observer_healthy


def test_nor_is_one_believed_that_casts_it_and_whose_own_replica_does_not_work() -> None:
    newer = cast_at(NOW + 20_000, look(200, NOW + 19_000))

    assert not cast_at(NOW + 21_000, look(200, NOW), before=newer, works=False).observer_healthy


def test_a_clock_that_was_set_back_does_not_make_new_looks_old_ones() -> None:
    ahead = cast_at(NOW + 31_000, look(200, NOW + 30_000))
    after = cast_at(NOW + 11_000, look(503, NOW + 10_000), before=ahead)

    assert after.votes[LONDON].looked_ms == NOW + 10_000
    assert after.votes[LONDON].streak == 1


def test_a_look_from_the_future_is_of_now() -> None:
    """The clock was set back between the look and the ballot."""
    assert cast_at(NOW, look(200, NOW + 30_000)).votes[LONDON].looked_ms == NOW


def test_a_look_that_was_not_made_leaves_the_time_of_the_last_that_was() -> None:
    first = cast_at(NOW + 1000, look(503, NOW))
    not_made = Probe.from_dict({"region": LONDON, "reached": False, "looked": False})
    after = cast_at(NOW + 11_000, not_made, before=first)

    assert (after.votes[LONDON].verdict, after.votes[LONDON].looked_ms) == (UNKNOWN, NOW)


def test_where_none_was_made_an_alarm_of_its_own_that_rings_now_is_of_now() -> None:
    not_made = Probe.from_dict({"region": VIRGINIA, "reached": False, "looked": False})
    seen = cast_at(NOW, not_made, alarms={"write-errors": "ALARM"})

    assert (seen.votes[VIRGINIA].streak, seen.votes[VIRGINIA].looked_ms) == (1, NOW)


def test_an_answer_that_does_not_say_when_it_was_given_proves_nothing() -> None:
    """As the probe of the release before answers, while a new one is rolled out."""
    answer = {"region": LONDON, "reached": True, "status": 503, "latency_ms": 40}

    assert cast_at(NOW, Probe.from_dict(answer)).votes[LONDON].verdict == UNKNOWN
    timed = Probe.from_dict({**answer, "at_ms": NOW})
    assert cast_at(NOW, timed).votes[LONDON].streak == 1


def test_a_stored_ballot_of_the_release_before_is_as_old_as_it_was_cast() -> None:
    stored = ballot(VIRGINIA, (LONDON,)).to_dict()
    for vote in stored["votes"].values():
        del vote["looked_ms"], vote["counted_ms"]

    read = Ballot.from_dict(stored)

    assert {vote.looked_ms for vote in read.votes.values()} == {read.at_ms}
    assert {vote.counted_ms for vote in read.votes.values()} == {read.at_ms}
    assert read.votes[OREGON].verdict == HEALTHY
