"""What CloudWatch's late and partial figures tell of clients: a request is certain, none is not."""

from __future__ import annotations

import pytest

from sidestep.core.traffic import (
    LIVES_MS,
    MINUTE_MS,
    SLACK_MS,
    WHOLE_AFTER_MS,
    Answers,
    Moved,
    came_since,
    newest_whole,
    sent_elsewhere,
)

DRAINED = 1_767_225_600_000
"""On the minute, so that minutes can be counted from it."""


def after(minutes: float) -> int:
    return DRAINED + int(minutes * MINUTE_MS)


def series(**counts: int) -> dict[int, int]:
    """`m0=3`: three requests in the minute that began at the drain; `b1`: one before it."""
    sign = {"m": 1, "b": -1}
    return {after(sign[name[0]] * int(name[1:])): count for name, count in counts.items()}


FLOWING = series(b2=40, b1=40, m0=40, m1=40, m2=3)
"""All requests as they are seen three and a half minutes after the drain."""
NOW = 3.5


def known(now: float = NOW, flowing: dict[int, int] = FLOWING, **clients: int) -> int | None:
    return came_since(DRAINED, after(now), [series(**clients), {}], flowing)


def test_the_newest_whole_minute_ended_long_enough_ago() -> None:
    for seconds in range(0, 180, 7):
        now = after(10) + seconds * 1000
        age = now - (newest_whole(now) + MINUTE_MS)
        assert WHOLE_AFTER_MS <= age < WHOLE_AFTER_MS + MINUTE_MS


def test_none_is_known_of_a_whole_minute_while_data_come() -> None:
    assert known() == 0


@pytest.mark.parametrize("late", ["m0", "m1", "m2", "m3"])
def test_a_request_is_known_as_soon_as_it_is_seen(late: str) -> None:
    assert came_since(DRAINED, after(NOW), [series(**{late: 1})], FLOWING) == 1


def test_requests_of_all_routes_count() -> None:
    seen = [series(m0=2, m1=1), series(m2=4)]

    assert came_since(DRAINED, after(NOW), seen, FLOWING) == 7


def test_that_there_was_none_is_unknown_until_the_minute_is_whole() -> None:
    assert known(now=2.9) is None


def test_a_minute_that_began_before_the_drain_tells_nothing_of_it() -> None:
    drained_late = DRAINED + 1

    assert came_since(drained_late, after(NOW), [{}], FLOWING) is None
    assert came_since(drained_late, after(NOW), [series(m0=5)], FLOWING) is None


def test_what_came_before_the_newest_whole_minute_is_over() -> None:
    flowing = {**FLOWING, after(3): 40, after(4): 1}

    assert known(now=5.5, flowing=flowing, m0=9) == 0


@pytest.mark.parametrize(
    "flowing",
    [
        pytest.param({}, id="nothing at all"),
        pytest.param(series(m1=40, m2=3), id="nothing of that minute"),
        pytest.param(series(b1=40, m0=40), id="nothing newer"),
    ],
)
def test_that_there_was_none_is_unknown_while_data_do_not_come(flowing: dict[int, int]) -> None:
    assert known(flowing=flowing) is None
    assert known(flowing=flowing, m0=1) == 1


LEFT, OTHERS = "eu-west-2", ("us-east-1", "us-west-2")
GUARDED = (LEFT, *OTHERS)
RUN_OUT_MS = LIVES_MS + SLACK_MS


def looks(*seen: tuple[int, str | None]) -> Moved:
    """The last of several looks: at which millisecond, and whom DNS named; None: not asked."""
    moved_at: int | None = None
    for at, named in seen:
        answers = None if named is None else Answers((named,), GUARDED)
        found = sent_elsewhere(LEFT, answers, moved_at, at)
        moved_at = found.moved_at
    return found


@pytest.mark.parametrize(
    ("later_ms", "done"), [(0, False), (RUN_OUT_MS - 1, False), (RUN_OUT_MS, True)]
)
def test_clients_are_sent_elsewhere_once_every_answer_of_before_has_run_out(
    later_ms: int, done: bool
) -> None:
    found = looks((0, LEFT), (20_000, OTHERS[0]), (20_000 + later_ms, OTHERS[1]))

    assert (found.dns, found.done, found.moved_at) == (True, done, 20_000)
    assert found.traffic is None


def test_a_region_that_dns_names_again_begins_anew() -> None:
    found = looks((0, OTHERS[0]), (30_000, LEFT), (40_000, OTHERS[0]), (RUN_OUT_MS, OTHERS[0]))

    assert (found.done, found.moved_at) == (False, 40_000)


@pytest.mark.parametrize("nothing", [None, "mars-north-1"])
def test_a_look_that_shows_nothing_is_never_done_and_forgets_nothing(nothing: str | None) -> None:
    blind = looks((0, OTHERS[0]), (RUN_OUT_MS, nothing))

    assert (blind.dns, blind.done, blind.moved_at) == (None, False, 0)
    assert looks((0, OTHERS[0]), (9, nothing), (RUN_OUT_MS, OTHERS[0])).done
    assert looks((0, nothing), (RUN_OUT_MS, nothing)).moved_at is None
