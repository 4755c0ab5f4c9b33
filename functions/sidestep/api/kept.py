"""A value kept for a short time, for answers that are asked for more often than they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The latest value of each key, good for as long as `for_ms` says of it. What could not be
    made is not kept.

    Times are epoch milliseconds by the wall clock: a Lambda environment sleeps between
    invocations, and a monotonic clock may sleep with it. A clock set back makes a value old.
    """

    def __init__(self, for_ms: Callable[[Value], int]) -> None:
        self._for_ms = for_ms
        self._values: dict[str, tuple[int, Value]] = {}

    def get(self, key: str, now_ms: int, make: Callable[[], Value]) -> Value:
        """The kept value, or a new one from `make`, which may raise."""
        known = self._values.get(key)
        if known is not None and 0 <= now_ms - known[0] < self._for_ms(known[1]):
            return known[1]
        value = make()
        self._values[key] = (now_ms, value)
        return value
