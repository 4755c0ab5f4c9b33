"""A caching resolver between a client and Route 53: "DNS moved" is not "traffic moved"."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.route53.answers import Answer

Ask = Callable[[str, str, str], Answer]
"""(name, record type, Region that the asker is near) → the authoritative answer."""

STRETCHING_SHARE = 0.05
"""Modelled: the share of resolvers that keep answers longer than their TTL. Measurements find
some everywhere and agree on no figure; operators who moved names report about one in twenty."""
STRETCHED_TO_S = 300.0
"""Modelled: how long those keep an answer at least."""
MAX_CNAMES = 8


@dataclass(frozen=True)
class _Kept:
    address: str | None
    until: float


class Resolver:
    """Keeps an answer for its TTL, or `at_least_s` if that is longer; "no such name" too.

    `now` is in seconds. The resolver asks from near a Region, as its clients are.
    """

    def __init__(
        self, now: Callable[[], float], ask: Ask, near: str, at_least_s: float = 0.0
    ) -> None:
        self._now, self._ask, self._near = now, ask, near
        self._at_least_s = at_least_s
        self._cache: dict[str, _Kept] = {}

    def resolve(self, name: str) -> str | None:
        """The address that a client gets for a name now; None when there is none."""
        now = self._now()
        kept = self._cache.get(name)
        if kept is None or now >= kept.until:
            kept = self._cache[name] = self._look_up(name, now)
        return kept.address

    def _look_up(self, name: str, now: float) -> _Kept:
        shortest = float("inf")
        for _ in range(MAX_CNAMES):
            answer = self._ask(name, "A", self._near)
            ttl = answer.ttl if answer.records else answer.negative_ttl
            shortest = min(shortest, ttl)
            if answer.type == "A" or not answer.records:
                address = answer.records[0] if answer.records else None
                return _Kept(address, now + max(shortest, self._at_least_s))
            name = answer.records[0]
        return _Kept(None, now + max(shortest, self._at_least_s))


def some_resolver(now: Callable[[], float], ask: Ask, near: str, chance: random.Random) -> Resolver:
    """A resolver as clients near a Region have them: most honour TTLs, some stretch them."""
    stretches = chance.random() < STRETCHING_SHARE
    return Resolver(now, ask, near, STRETCHED_TO_S if stretches else 0.0)
