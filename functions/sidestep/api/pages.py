"""Paging through history: newest first, walking back day by day, a bounded way at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sidestep.core.messages import Cursor, Message, day_before, first_cursor

DAYS_A_PAGE = 7
"""Day partitions asked for one page: a bound on a page's time and cost when days are empty."""
HISTORY_DAYS = 31
"""How far back history goes. Older messages stay in the table."""
_DAY_MS = 86_400_000


class Days(Protocol):
    """The history index."""

    def day(self, cursor: Cursor, limit: int) -> list[Message]:
        """The day's messages from the cursor on, newest first; fewer than `limit`: no more."""


@dataclass(frozen=True)
class Page:
    """One page. `cursor` is where to go on, also after an empty page; None: the end."""

    messages: list[Message]
    cursor: Cursor | None


def page(days: Days, cursor: Cursor | None, limit: int, now_ms: int) -> Page:
    """The next at most `limit` messages from the cursor on, or from now."""
    oldest = first_cursor(now_ms - HISTORY_DAYS * _DAY_MS).day
    at = cursor or first_cursor(now_ms)
    found: list[Message] = []
    for _ in range(DAYS_A_PAGE):
        if at.day < oldest:
            return Page(found, None)
        found += days.day(at, limit - len(found))
        if len(found) == limit:
            return Page(found, Cursor(at.day, found[-1].history_sk))
        at = day_before(at)
    return Page(found, at if at.day >= oldest else None)
