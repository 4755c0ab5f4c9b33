"""Three observers in doubt, all at once, at a Region that is well and has hardly an environment.

A queueing model of the Region alone: one environment serves one request at a time, the last used
first, and is made anew when none is free.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
import simpy

from sidestep.aws.endpoint_probe import LOOK_S
from sidestep.core.canaries import AT_ONCE, COLD_STARTS, HEALTH, READ, Request, asked
from sidestep.core.evidence import Probe
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, Ballot, Vote, cast
from tests.core.views import LONDON, NOW, OREGON, VIRGINIA

POLICY = Policy()
OBSERVERS = {LONDON: 0.005, VIRGINIA: 0.08, OREGON: 0.14}
"""And the way to London and back, in seconds."""
START_S, WARM_S = (1.6, 3.2), 0.03
"""Every start is slower than `slow_probe_ms`: the worst that is still heard out."""
CLIENTS_A_SECOND = 2.0
ROUNDS, ROUND_S = 6, 10.0


class Region:
    """Environments by function; `ends_each_time`: none serves a second request."""

    def __init__(self, seed: int, ends_each_time: bool = False) -> None:
        self.env, self.chance = simpy.Environment(), random.Random(seed)
        self.idle: Counter[str] = Counter()
        self.ends_each_time = ends_each_time
        self.env.process(self._clients())

    def serve(self, function: str) -> Generator[Any, Any, bool]:
        """One request; whether it was cold."""
        cold = not self.idle[function]
        self.idle[function] -= not cold
        yield self.env.timeout(WARM_S + (self.chance.uniform(*START_S) if cold else 0.0))
        self.idle[function] += not self.ends_each_time
        return cold

    def _clients(self) -> Generator[Any, Any, None]:
        while True:
            yield self.env.timeout(self.chance.expovariate(CLIENTS_A_SECOND))
            self.env.process(self.serve(self.chance.choice(["write", READ])))

    def look(self, way_s: float) -> Generator[Any, Any, tuple[Request, ...]]:
        """A closer look: /health, and all canaries of it, one after the other."""
        yield self.env.timeout(self.chance.uniform(0, 0.1))
        began = self.env.now
        requests = [(yield from self._ask(HEALTH, way_s))]
        for what in asked(closer=True):
            if self.env.now - began >= LOOK_S:
                break
            requests.append((yield from self._ask(what, way_s)))
        return tuple(requests)

    def _ask(self, what: str, way_s: float) -> Generator[Any, Any, Request]:
        began = self.env.now
        function = what if what in (HEALTH, READ) else "write"
        yield self.env.timeout(way_s / 2)
        cold = yield from self.serve(function)
        yield self.env.timeout(way_s / 2)
        return Request(what, 200, int((self.env.now - began) * 1000), cold=cold)


def votes_on(region: Region) -> list[list[Vote]]:
    """Each observer's votes, round by round, on looks that it makes side by side."""
    before: dict[str, Ballot | None] = dict.fromkeys(OBSERVERS)
    rounds = []
    for n in range(ROUNDS):
        looks = {
            observer: [region.env.process(region.look(way_s)) for _ in range(AT_ONCE)]
            for observer, way_s in OBSERVERS.items()
        }
        region.env.run(until=(n + 1) * ROUND_S)
        now = NOW + int(n * ROUND_S * 1000)
        for observer, made in looks.items():
            probes = [Probe(OREGON, True, True, 200, 40, at_ms=now)]
            for look in made:
                requests: Any = look.value
                ms = requests[0].ms
                probes.append(Probe(LONDON, True, True, 200, ms, None, LONDON, requests, now))
            ballot = cast(observer, probes, {}, {}, True, before[observer], POLICY, now)
            before[observer] = ballot
        rounds.append([ballot.votes[LONDON] for ballot in before.values() if ballot])
    return rounds


@pytest.mark.parametrize("seed", range(20))
def test_a_burst_of_looks_finds_no_fault_in_a_region_that_is_well(seed: int) -> None:
    votes = [vote for each in votes_on(Region(seed)) for vote in each]

    assert {vote.verdict for vote in votes} == {HEALTHY}
    assert {vote.score.failed for vote in votes} == {0}
    assert 0 < max(vote.score.cold for vote in votes) <= COLD_STARTS


def test_a_region_whose_environments_serve_once_is_told_from_it_by_all() -> None:
    last = votes_on(Region(1, ends_each_time=True))[-1]

    assert not any(vote.verdict == HEALTHY for vote in last)
    assert all(vote.score.failed for vote in last)
