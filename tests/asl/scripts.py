"""Scripted answers of Tasks, by the state's name: the same for both interpreters."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Throw:
    """An answer that fails the Task."""

    error: str
    cause: str = "scripted"


class Script:
    """Gives each attempt at a Task its next answer; the last one goes on for ever."""

    def __init__(self, answers: Mapping[str, Sequence[Any]]) -> None:
        self.answers = answers
        self._given = dict.fromkeys(answers, 0)
        self._lock = threading.Lock()

    def next(self, state: str) -> Any:
        """The next answer of a state: a result, or a Throw. KeyError for a state not scripted."""
        with self._lock:
            index = min(self._given[state], len(self.answers[state]) - 1)
            self._given[state] += 1
        return copy.deepcopy(self.answers[state][index])


@dataclass(frozen=True)
class Run:
    """What an execution came to.

    `states` are those entered, in order; `waited_s` what its Waits and retries took in all.
    """

    status: str
    output: Any
    error: str | None
    cause: str | None
    states: list[str]
    waited_s: float
