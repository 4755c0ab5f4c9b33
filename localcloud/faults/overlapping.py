"""What holds as long as anything wants it: faults that overlap do not end each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Overlapping(dict[T, int]):
    """A set of what holds; each is there until it has been taken away as often as it was put in.

    `in` is a dictionary's: every packet asks whether a Region is down.
    """

    def add(self, member: T) -> None:
        """Let it hold, once more."""
        self[member] = self.get(member, 0) + 1

    def discard(self, member: T) -> None:
        """Take it away once; nothing happens when it does not hold."""
        left = self.get(member, 0) - 1
        if left > 0:
            self[member] = left
        else:
            self.pop(member, None)


class Newest(Generic[T]):
    """Values of which the newest that still stands holds."""

    def __init__(self) -> None:
        self._standing: list[tuple[T]] = []

    def stand(self, value: T) -> Callable[[], None]:
        """Let a value stand; what is returned takes it away again."""
        mine = (value,)
        self._standing.append(mine)

        def end() -> None:
            self._standing[:] = [one for one in self._standing if one is not mine]

        return end

    def value(self, otherwise: T) -> T:
        """The one that holds."""
        return self._standing[-1][0] if self._standing else otherwise
