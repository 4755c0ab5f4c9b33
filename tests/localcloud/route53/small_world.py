"""The least that Route 53 needs around it: SimPy time, chance and a list for a history."""

from __future__ import annotations

import random
from typing import Any

import simpy

from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.route53.config import HealthCheck, validated
from localcloud.route53.ports import Steps

EPOCH_S = 1_700_000_000.0
THREE_REGIONS = ("eu-west-1", "us-east-1", "us-west-2")


class SmallWorld:
    """Simulated time from 0 s, and a history."""

    def __init__(self) -> None:
        self.env = simpy.Environment()
        self.history: list[dict[str, Any]] = []

    @property
    def now(self) -> float:
        return EPOCH_S + float(self.env.now)

    def fork(self, name: str) -> random.Random:
        return random.Random(name)

    def log(self, kind: str, **fields: Any) -> None:
        self.history.append({"t": float(self.env.now), "kind": kind, **fields})

    def run(self, until: float) -> None:
        """Let the world go on until so many seconds after the start."""
        self.env.run(until=until)


class Endpoint:
    """What checkers ask: it answers `status` after `answer_s`, or not at all."""

    def __init__(self, world: SmallWorld) -> None:
        self._world = world
        self.status, self.body, self.answer_s = 200, b"", 0.1
        self.dead_to: set[str] = set()
        self.unknown = False
        self.asked: list[tuple[float, str, str]] = []
        """(when, method, the checker's place) of each request."""

    def ask(self, host: str, method: str, _path: str, source: str) -> Steps[HttpAnswer]:
        """As the port: LookupError comes before the first step, as from a resolver."""
        self.asked.append((float(self._world.env.now), method, source))
        if self.unknown:
            raise LookupError(host)
        return self._answer(host, source)

    def _answer(self, host: str, source: str) -> Steps[HttpAnswer]:
        if source in self.dead_to or "everyone" in self.dead_to:
            raise Unreachable(host)
        yield self._world.env.timeout(self.answer_s)
        return HttpAnswer(self.status, {}, self.body)


def endpoint_check(**settings: Any) -> HealthCheck:
    """A check of an endpoint: every 10 s, threshold 3, three checker Regions."""
    given = {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": "api.example.com",
        "RequestInterval": 10,
        "FailureThreshold": 3,
        "Regions": list(THREE_REGIONS),
        **settings,
    }
    return HealthCheck("check", "check", validated(given))
