"""What Route 53 needs from the world around it: time, chance, a history, requests, alarms."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol, TypeVar

import simpy

from localcloud.compute.frontdoor import HttpAnswer

T = TypeVar("T")
Steps = Generator[simpy.Event, Any, T]
"""Steps of a SimPy process that come to a T."""


class World(Protocol):
    """Simulated time, seeded chance and a history: what `localcloud.kernel.Kernel` is."""

    @property
    def env(self) -> simpy.Environment:
        """The SimPy environment; its `now` is seconds since the start."""

    @property
    def now(self) -> float:
        """Epoch seconds."""

    def fork(self, name: str) -> random.Random:
        """A stream of chance of its own for `name`."""

    def log(self, kind: str, **fields: Any) -> None:
        """Add an event to the history."""


Ask = Callable[[str, str, str, str], Steps[HttpAnswer]]
"""(host, method, path, source) → steps to an answer.

Raises `localcloud.compute.frontdoor.Unreachable` when no connection comes about, LookupError when
the host has no address. Method `CONNECT` opens a connection and asks nothing more."""

AlarmData = Callable[[str, str], str | None]
"""(Region, alarm's name) → the state that the alarm's data gives: OK, ALARM, anything else for
too little data. Raises LookupError when there is no such alarm."""

Record = Callable[[str, Mapping[str, str], float], None]
"""(metric's name, its dimensions, value) → CloudWatch, namespace AWS/Route53, us-east-1."""
