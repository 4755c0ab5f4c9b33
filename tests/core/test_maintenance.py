"""Maintenance windows: when they are open, what they hold, and what is no window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidestep.core.control import DRAINED
from sidestep.core.decide import FAILOVER, HOLD, RECOVERY, TAKE_OVER
from sidestep.core.maintenance import WEEKDAYS, Window, faults, open_window
from sidestep.core.policy import Policy
from tests.core.views import (
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    ballot,
    decided,
    view,
    with_region,
)

SUNDAY_NIGHT = {"region": LONDON, "weekday": "sun", "from": "23:00", "minutes": 120}
CHRISTMAS = {"region": "all", "date": "2026-12-24", "from": "18:00", "minutes": 60}
DAILY = {"region": LONDON, "daily": True, "from": "02:00", "minutes": 1440}


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "at", "ends"),
    [
        (SUNDAY_NIGHT, "2026-11-29T22:59:59.999", None),
        (SUNDAY_NIGHT, "2026-11-29T23:00", "2026-11-30T01:00"),
        (SUNDAY_NIGHT, "2026-11-30T00:59:59.999", "2026-11-30T01:00"),  # Monday by then
        (SUNDAY_NIGHT, "2026-11-30T01:00", None),
        (SUNDAY_NIGHT, "2026-11-28T23:30", None),  # a Saturday
        (CHRISTMAS, "2026-12-24T18:30", "2026-12-24T19:00"),
        (CHRISTMAS, "2027-12-24T18:30", None),
        (DAILY, "2026-12-24T01:59", "2026-12-24T02:00"),
        (DAILY, "2026-12-24T02:00", "2026-12-25T02:00"),
    ],
)
def test_a_window_is_open_from_its_time_for_its_minutes(
    window: dict[str, Any], at: str, ends: str | None
) -> None:
    assert Window.from_given(window).open_until(LONDON, ms(at)) == (ends and ms(ends))


def test_a_window_is_of_its_region_or_of_all() -> None:
    own, of_all = Window.from_given(SUNDAY_NIGHT), Window.from_given(CHRISTMAS)

    assert own.open_until(OREGON, ms("2026-11-29T23:30")) is None
    assert of_all.open_until(OREGON, ms("2026-12-24T18:30")) is not None


def test_of_two_open_windows_the_one_that_ends_last_counts() -> None:
    windows = [Window(LONDON, "daily", 0, minutes) for minutes in (60, 180, 120)]

    assert open_window(windows, LONDON, ms("2026-11-29T00:30")) == (
        windows[1],
        ms("2026-11-29T03:00"),
    )


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([*WEEKDAYS, "daily"]),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.integers(0, 6),
)
def test_a_window_is_open_for_exactly_its_minutes_a_week_or_a_day(
    day: str, begins: int, minutes: int, shift: int
) -> None:
    window = Window("all", day, begins, minutes)
    start = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=shift)
    moments = [start + timedelta(minutes=m) for m in range(7 * 1440)]

    opened = sum(window.open_until(LONDON, int(m.timestamp()) * 1000) is not None for m in moments)

    assert opened == minutes * (7 if day == "daily" else 1)


def in_a_window(region: str, day: str = "daily") -> Policy:
    """A policy with a window that is open at NOW, for another hour and some minutes."""
    now = datetime.fromtimestamp(NOW / 1000, UTC)
    return Policy(maintenance=(Window(region, day, now.hour * 60, 120),))


@pytest.mark.parametrize("region", [LONDON, "all"])
def test_a_bad_region_in_its_window_is_told_and_neither_moved_nor_paged(region: str) -> None:
    decision = decided(view(*all_say((LONDON,))), in_a_window(region))[LONDON]

    assert (decision.action, decision.impaired, decision.page) == (HOLD, True, False)
    assert decision.diagnosis == "health_failing"
    assert (
        f"a maintenance window of {LONDON} is open until 2027-01-15 10:00 UTC"
        in (decision.reasons[0])
    )
    assert f"GET /health of {LONDON} from {VIRGINIA} answered 503" in decision.reasons
    assert "window ending" in decision.would_change


def test_another_region_is_drained_while_one_is_in_its_window() -> None:
    decisions = decided(view(*all_say((LONDON, VIRGINIA))), in_a_window(LONDON))

    assert (decisions[LONDON].action, decisions[VIRGINIA].action) == (HOLD, FAILOVER)


def test_when_all_look_bad_those_outside_the_window_call_a_person() -> None:
    decisions = decided(view(*all_say(REGIONS)), in_a_window(LONDON))

    assert [decisions[region].page for region in REGIONS] == [False, True, True]
    assert {decisions[region].action for region in REGIONS} == {HOLD}


def test_a_silent_region_in_its_window_calls_nobody() -> None:
    alone = view(ballot(LONDON))  # nobody but itself speaks

    assert not decided(alone, in_a_window(LONDON))[LONDON].page
    assert decided(alone)[LONDON].page


def test_a_drained_region_stays_out_through_its_window() -> None:
    control = with_region(LONDON, state=DRAINED, mode="automatic")

    inside = decided(view(*all_say(), control=control), in_a_window(LONDON))[LONDON]
    outside = decided(view(*all_say(), control=control), in_a_window(OREGON))[LONDON]

    assert (inside.action, inside.page, outside.action) == (HOLD, False, RECOVERY)
    assert "maintenance window" in inside.reasons[0]


def test_what_a_dead_holder_left_half_done_calls_a_person_in_a_window_too() -> None:
    control = with_region(LONDON, state="DRAINING", holder="arn:x", kind="failover")
    seen = view(*all_say((LONDON,)), control=control)

    inside, outside = decided(seen, in_a_window(LONDON))[LONDON], decided(seen)[LONDON]

    assert (inside.action, inside.page, outside.action) == (HOLD, True, TAKE_OVER)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("sundays", "must be a list of windows"),
        ([7], "window 1: must give region, weekday, date, daily, from, minutes"),
        ([{**SUNDAY_NIGHT, "to": "03:00"}], "window 1: has no 'to': it has region, "),
        ([DAILY, {"weekday": "sun", "from": "02:00", "minutes": 1}], "window 2: region is missing"),
        ([{"region": "all", "from": "02:00", "minutes": 1}], "Give one of weekday, date, daily"),
        ([{**CHRISTMAS, "daily": True}], "Give one of weekday, date, daily"),
        ([{**DAILY, "daily": False}], "daily is False: it may only be true"),
        ([{**DAILY, "region": "London"}], "'London' is no Region's name, nor is it all"),
        ([{**SUNDAY_NIGHT, "weekday": "sunday"}], "weekday is 'sunday': it may be mon, tue"),
        ([{**CHRISTMAS, "date": "2026-02-30"}], "date is '2026-02-30': it must be a date"),
        ([{**CHRISTMAS, "date": "20261224"}], "it must be a date, like 2026-12-24"),
        ([{**DAILY, "from": "24:00"}], "from is '24:00': it must be a time of day in UTC"),
        ([{**DAILY, "from": 120}], "from is 120: it must be a time of day in UTC"),
        ([{**DAILY, "minutes": 0}], "minutes is 0: it must be a whole number, 1 to 1440"),
        ([{**DAILY, "minutes": 1441}], "minutes is 1441: it must be a whole number"),
        ([{**DAILY, "minutes": True}], "minutes is True: it must be a whole number"),
    ],
)
def test_what_is_no_window_is_refused_in_words(wrong: object, said: str) -> None:
    ((_, words),) = faults(wrong)

    assert said in words
