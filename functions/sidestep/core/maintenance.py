"""Maintenance windows: times, in UTC, in which people work on a Region and know it. Pure.

As given: `{region: eu-west-2, weekday: sun, from: "02:00", minutes: 120}`. `region` may be `all`;
instead of `weekday` it may be `date: 2026-12-24` or `daily: true`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

ALL, DAILY = "all", "daily"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_MIN = 1440
MINUTE_MS, DAY_MS = 60_000, 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
"""What an AWS Region's name looks like (https://docs.aws.amazon.com/general/latest/gr/rande.html)."""

Fault = tuple[tuple[str | int, ...], str]
"""Where something is wrong, and what."""


@dataclass(frozen=True)
class Window:
    """A window of one Region or of all. `day`: a weekday, a date, or daily; `begins` in minutes of
    the day; it lasts for `minutes`, if need be beyond midnight."""

    region: str
    day: str
    begins: int
    minutes: int

    @classmethod
    def from_given(cls, given: Mapping[str, Any]) -> Window:
        """From a mapping in which `faults` finds nothing."""
        hours, minutes = given["from"].split(":")
        day = given.get("weekday") or given.get("date") or DAILY
        return cls(given["region"], day, int(hours) * 60 + int(minutes), given["minutes"])

    @property
    def words(self) -> str:
        """It in words, without its Region."""
        begins = f"{self.begins // 60:02}:{self.begins % 60:02}"
        return f"{self.day} {begins} UTC for {self.minutes} minutes"

    def open_until(self, region: str, now_ms: int) -> int | None:
        """When the window ends (epoch ms), if it is open for this Region now; else None."""
        if self.region not in (ALL, region):
            return None
        today = now_ms // DAY_MS
        for day in (today, today - 1):  # one that began yesterday may last beyond midnight
            if self._is_on(date.fromordinal(_EPOCH + day)):
                begins_ms = day * DAY_MS + self.begins * MINUTE_MS
                ends_ms = begins_ms + self.minutes * MINUTE_MS
                if begins_ms <= now_ms < ends_ms:
                    return ends_ms
        return None

    def _is_on(self, day: date) -> bool:
        return self.day in (DAILY, WEEKDAYS[day.weekday()], day.isoformat())


def open_window(windows: Sequence[Window], region: str, now_ms: int) -> tuple[Window, int] | None:
    """The window that is open for a Region now, of several the one that ends last, and its end
    (epoch ms); None when there is none."""
    ends = [(window, window.open_until(region, now_ms)) for window in windows]
    still = [(window, end) for window, end in ends if end is not None]
    return max(still, key=lambda one: one[1], default=None)


def utc(at_ms: int) -> str:
    """A moment as people write it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def faults(given: object, regions: Sequence[str] = ()) -> Iterator[Fault]:
    """All that is wrong in a list of windows as given. `regions`: the guarded ones, where known."""
    if not isinstance(given, list | tuple):
        yield (), "must be a list of windows"
        return
    for at, window in enumerate(given):
        for path, words in _faults_of_one(window, regions):
            yield (at, *path), f"window {at + 1}: {words}"


def region_fault(name: object, regions: Sequence[str]) -> str | None:
    """What is wrong with a Region's name; None when nothing is."""
    if not isinstance(name, str) or not REGION.fullmatch(name):
        return f"{name!r} is no Region's name"
    if regions and name not in regions:
        return f"{name} is not guarded: the guarded Regions are {', '.join(regions)}"
    return None


def _faults_of_one(window: object, regions: Sequence[str]) -> Iterator[Fault]:
    known = ("region", "weekday", "date", "daily", "from", "minutes")
    if not isinstance(window, Mapping):
        yield (), f"must give {', '.join(known)}"
        return
    for name in window:
        if name not in known:
            yield (str(name),), f"has no {name!r}: it has {', '.join(known)}"
    for name in ("region", "from", "minutes"):
        if name not in window:
            yield (), f"{name} is missing"
    if sum(name in window for name in ("weekday", "date", "daily")) != 1:
        yield (), "on which days? Give one of weekday, date, daily"
    for name, value in window.items():
        words = _fault_of(str(name), value, regions)
        if words:
            yield (str(name),), f"{name} is {value!r}: {words}"


def _fault_of(name: str, value: object, regions: Sequence[str]) -> str | None:
    if name == "region" and value != ALL:
        fault = region_fault(value, regions)
        return f"{fault}, nor is it all" if fault else None
    if name == "weekday" and value not in WEEKDAYS:
        return f"it may be {', '.join(WEEKDAYS)}"
    if name == "date" and not _is_date(value):
        return "it must be a date, like 2026-12-24"
    if name == "daily" and value is not True:
        return "it may only be true"
    if name == "from" and not (isinstance(value, str) and _TIME.fullmatch(value)):
        return 'it must be a time of day in UTC, like "02:00"'
    if name == "minutes":
        whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LONGEST_MIN
        return None if whole else f"it must be a whole number, 1 to {LONGEST_MIN}"
    return None


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
