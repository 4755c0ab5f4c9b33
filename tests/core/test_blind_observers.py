"""What an observer saw while it was cut off itself is held against nobody when it sees again."""

from __future__ import annotations

from sidestep.core.evidence import Probe
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, UNKNOWN, Ballot, cast
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA

POLICY = Policy()
ROUND_MS = 10_000


def rounds(*unreached: set[str], before: Ballot | None = None) -> Ballot:
    """London's ballot after looks a round apart at the others, of which these were not reached."""
    ballot = before
    begins_ms = NOW if before is None else before.at_ms + ROUND_MS
    for number, lost in enumerate(unreached):
        now_ms = begins_ms + number * ROUND_MS
        looks = [
            Probe(region, region not in lost, status=None if region in lost else 200, at_ms=now_ms)
            for region in (VIRGINIA, OREGON)
        ]
        ballot = cast(LONDON, looks, {}, {}, True, ballot, POLICY, now_ms)
    assert ballot is not None
    return ballot


BLIND = rounds(*[{VIRGINIA, OREGON}] * 4)


def test_an_observer_that_sees_again_calls_nobody_impaired_for_what_it_saw_before() -> None:
    seen = rounds(set(), before=BLIND)

    assert not BLIND.observer_healthy
    assert seen.observer_healthy
    assert {vote.verdict for vote in seen.votes.values()} == {UNKNOWN}


def test_nor_does_one_more_bad_look_make_a_streak_with_those() -> None:
    once = rounds({OREGON}, before=BLIND)
    twice = rounds({OREGON}, before=once)

    assert once.observer_healthy
    assert once.votes[OREGON].verdict == UNKNOWN
    assert twice.votes[OREGON].verdict == IMPAIRED


def test_it_calls_others_healthy_after_as_many_good_looks_as_ever() -> None:
    well = [set[str]()] * POLICY.probe_good_streak

    assert rounds(*well[1:], before=BLIND).votes[OREGON].verdict == UNKNOWN
    assert rounds(*well, before=BLIND).votes[OREGON].verdict == HEALTHY


def test_what_an_observer_saw_of_one_while_it_reached_another_stays() -> None:
    seen = rounds({OREGON}, {OREGON}, set())

    assert seen.votes[OREGON].verdict == IMPAIRED
