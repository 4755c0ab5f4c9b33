"""What a rare world is, and how often one is drawn.

Each kind is drawn from a stream of chance of its own, so that every other world is as it was
before these were drawn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from localcloud.faults.kinds import KINDS
from localcloud.scenario import Fault

GUARDABLE = ("eu-west-2", "us-east-1", "us-west-2", "ap-southeast-2", "sa-east-1")
"""Regions on four continents, so that latencies and wardens differ."""
SHARE = 0.01
"""Of all worlds, for each kind of rare world."""
NAMED_SHARE = 0.4
"""Where nothing but what such a world is made of may go wrong."""
FROM_S = (36.0, 60.0)
"""When the first fault strikes: every client has come, and every observer has voted."""


@dataclass(frozen=True)
class Drawn:
    """What a rare world has of its own. `requests_per_s`, `regions`: None for what the seed's world
    would have elsewhere. `hindered`: something may stand in the way of those who deal with it, too
    (plan.py), unless the kinds that may go wrong are named."""

    faults: tuple[Fault, ...]
    policy: Mapping[str, Any] = field(default_factory=dict)
    requests_per_s: float | None = None
    regions: tuple[str, ...] | None = None
    hindered: bool = False


@dataclass(frozen=True)
class Rare:
    """A kind of rare world. `harms`: one of these does the harm; `with_`: these are all there.
    `size`: how many Regions it takes, where that matters."""

    name: str
    draw: Callable[[random.Random, str, Sequence[str]], Drawn]
    harms: tuple[str, ...] = ()
    with_: tuple[str, ...] = ()
    size: int | None = None

    def drawn(self, seed: int, regions: Sequence[str], kinds: Sequence[str] | None) -> Drawn | None:
        """The world of a seed, if this is one of them. `kinds` limits what may go wrong."""
        harms = [kind for kind in self.harms if kinds is None or kind in kinds]
        possible = kinds is None or set(self.with_) <= set(kinds)
        if not possible or (self.harms and not harms):
            return None
        named = kinds is not None and set(kinds) <= {*self.harms, *self.with_}
        chance = random.Random(f"{self.name} {seed}")
        if chance.random() >= (NAMED_SHARE if named else SHARE):
            return None
        if self.size is None:
            return self.draw(chance, chance.choice(harms) if harms else "", regions)
        chosen = tuple(chance.sample(GUARDABLE, self.size))
        drawn = self.draw(chance, chance.choice(harms) if harms else "", chosen)
        return replace(drawn, regions=chosen)


def failing(kind: str, region: str, at_s: float, for_s: float, extra_s: float = 0.0) -> Fault:
    """One that fails all that it may strike, from its first moment, or slows it by `extra_s`."""
    whole = {"share": 1.0, "grows_over_s": 0.0, "extra_s": round(extra_s, 1)}
    return Fault(
        kind=kind,
        region=region,
        at_s=round(at_s, 1),
        for_s=round(for_s, 1),
        settings={name: whole[name] for name in KINDS[kind].settings},
    )
