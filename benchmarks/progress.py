"""How far a bench is, and how long it still takes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

OURS = "e"
_UNKNOWN_S = 10.0
Task = tuple[str, str, int]
"""Design, scenario, seed."""


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """Whole seeds, one after the other; in each, Sidestep's runs first: they take the longest,
    and none of them is the one that everybody waits for in the end."""
    return sorted(tasks, key=lambda task: (task[2], task[0] != OURS))


@dataclass
class Progress:
    """Of runs to be made; `known`: design and CPU seconds of earlier ones, to judge by."""

    tasks: Sequence[Task]
    known: Iterable[tuple[str, float]] = ()
    done: int = 0
    _took_s: dict[str, list[float]] = field(default_factory=dict)
    _left: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for design, cpu_s in self.known:
            self._took_s.setdefault(design, []).append(cpu_s)
        for design, _, _ in self.tasks:
            self._left[design] = self._left.get(design, 0) + 1
        self._done_by = dict.fromkeys(self._left, 0)

    def add(self, design: str, cpu_s: float, elapsed_s: float) -> str:
        """One more is done, so many seconds after the first began: the line's beginning."""
        self.done += 1
        self._took_s.setdefault(design, []).append(cpu_s)
        self._left[design] -= 1
        self._done_by[design] += 1
        left, done = self._work_s(self._left), self._work_s(self._done_by)
        return f"{self.done}/{len(self.tasks)}, {_in_words(elapsed_s * left / done)} to go"

    def _work_s(self, runs: dict[str, int]) -> float:
        """CPU seconds of so many runs of each design, by what such runs have taken."""
        seen = [one for some in self._took_s.values() for one in some]
        usual = statistics.mean(seen) if seen else _UNKNOWN_S
        means = {design: statistics.mean(some) for design, some in self._took_s.items()}
        return sum(number * means.get(design, usual) for design, number in runs.items()) or 1.0


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
