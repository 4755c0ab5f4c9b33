"""A random world: how many Regions, which policy, how much traffic, what goes wrong and when.

A plan follows from its seed alone, so that a seed is a whole test case.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from localcloud.cloud import Topology
from localcloud.fault_kinds import KINDS, REGIONLESS, Number, Word
from localcloud.scenario import HELD, Fault, Scenario

GUARDABLE = ("eu-west-2", "us-east-1", "us-west-2", "ap-southeast-2", "sa-east-1")
"""Regions on four continents, so that latencies and wardens differ."""
COORDINATING = (
    ("eu-west-1", "eu-west-2", "eu-central-1"),
    ("us-east-2", "us-east-1", "us-west-2"),
)
"""Region sets of strongly consistent tables, each owned by a Region that is not guarded."""
SIZES = {2: 58, 3: 34, 4: 5, 5: 3}
"""How many Regions, and how often of a hundred: a world's cost grows with their square."""
CALM_S = 35.0
"""Nothing goes wrong until every client has come and every observer has voted."""
SPREAD_S = 90.0
"""Faults begin within so long of each other, and so strike on top of each other."""
LONGEST_S = 90.0
STALL_S = 150.0
"""Longer than a lease and the clocks' difference (`Policy.lease_s`, CLOCK_SKEW_MS): an execution
that stands still for so long is taken over, and its late steps must be refused."""
CHECKERS = 1
"""Health checkers in each Region of theirs: half of AWS's, to the same verdicts by threes."""
HURTS = tuple(sorted(name for name, kind in KINDS.items() if not kind.aside))
"""Kinds that do harm to what clients see."""
HINDERS = tuple(sorted(name for name, kind in KINDS.items() if kind.aside))
"""Kinds that stand in the way of those who deal with it."""
BY_HAND = "drill"
"""What a person starts: a failover by hand would wait for that person's recovery."""


@dataclass(frozen=True)
class Plan:
    """One random world. `horizon_s`: how long after the last fault it may take to be well."""

    seed: int
    regions: tuple[str, ...]
    coordination: tuple[str, ...]
    policy: Mapping[str, Any]
    requests_per_s: float
    faults: tuple[Fault, ...]

    @property
    def topology(self) -> Topology:
        """As the local cloud takes it."""
        return Topology(
            regions=self.regions,
            coordination=self.coordination,
            policy=self.policy,
            checkers_per_region=CHECKERS,
        )

    @property
    def scenario(self) -> Scenario:
        """As a run takes it: nothing in particular is expected but that it becomes well."""
        why = "whatever goes wrong, the invariants hold"
        return Scenario(
            f"seed-{self.seed}", why, HELD, (), self.faults, requests_per_s=self.requests_per_s
        )

    def without(self, number: int) -> Plan:
        """The same world without one of its faults."""
        kept = (*self.faults[:number], *self.faults[number + 1 :])
        return replace(self, faults=kept)

    def in_words(self) -> str:
        """What goes wrong, a line each."""
        lines = [f"Regions {', '.join(self.regions)}; policy {dict(self.policy) or 'defaults'}"]
        for fault in self.faults:
            settings = "".join(f", {name} {value}" for name, value in fault.settings.items())
            often = f", {fault.times} times every {fault.every_s:.0f} s" if fault.times > 1 else ""
            where = f" {fault.region}" if fault.region else ""
            lines.append(
                f"  {fault.at_s:6.1f} s  {fault.kind}{where} for {fault.for_s:.0f} s"
                f"{often}{settings}"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def plan(seed: int, kinds: Sequence[str] | None = None) -> Plan:
    """The world of a seed; `kinds` limits what may go wrong."""
    chance = random.Random(f"plan {seed}")
    size = chance.choices(list(SIZES), list(SIZES.values()))[0]
    regions = tuple(chance.sample(GUARDABLE, size))
    coordination = chance.choice(COORDINATING)
    faults = tuple(_fault(chance, kind, regions) for kind in _kinds(chance, kinds))
    return Plan(
        seed=seed,
        regions=regions,
        coordination=coordination,
        policy=_policy(chance),
        requests_per_s=round(chance.uniform(0.2, 0.8), 2),
        faults=tuple(sorted(faults, key=lambda fault: fault.at_s)),
    )


def _kinds(chance: random.Random, allowed: Sequence[str] | None) -> list[str]:
    """One or two that hurt, and up to three that hinder, as far as any are allowed."""
    hurts = [kind for kind in HURTS if allowed is None or kind in allowed]
    hinders = [kind for kind in HINDERS if allowed is None or kind in allowed]
    first, second = chance.choice((1, 1, 2)), chance.choice((0, 1, 1, 2, 3))
    drawn = [chance.choice(hurts) for _ in range(first)] if hurts else []
    return [*drawn, *(chance.choice(hinders) for _ in range(second or not hurts) if hinders)]


def _policy(chance: random.Random) -> dict[str, Any]:
    """Defaults in a quarter of the worlds; nobody is there to agree to anything in any."""
    policy: dict[str, Any] = {"approval": "never"}
    if chance.random() < 0.75:
        policy |= {
            "stability_window_s": chance.choice((20, 60)),
            "probation_s": chance.choice((20, 60)),
            "cooldown_s": chance.choice((60, 120)),
            "traffic_deadline_s": chance.choice((60, 240)),
        }
    return policy


def _fault(chance: random.Random, kind: str, regions: Sequence[str]) -> Fault:
    times = chance.choice((1, 1, 1, 3))
    for_s = round(chance.uniform(5.0, LONGEST_S / times), 1)
    settings = {
        name: _value(chance, kind, setting, regions)
        for name, setting in KINDS[kind].settings.items()
    }
    region = "" if kind in REGIONLESS else chance.choice(regions)
    if "peer" in settings:
        settings["peer"] = chance.choice([other for other in regions if other != region])
    return Fault(
        kind=kind,
        region=region,
        at_s=round(CALM_S + chance.uniform(0.0, SPREAD_S), 1),
        for_s=for_s,
        every_s=round(for_s + chance.uniform(5.0, 90.0), 1) if times > 1 else 0.0,
        times=times,
        settings=settings,
    )


def _value(
    chance: random.Random, kind: str, setting: Number | Word, regions: Sequence[str]
) -> float | str:
    if setting.name == "workflow":
        return BY_HAND
    if setting.name == "minutes":
        return chance.choice((2.0, 5.0))
    if isinstance(setting, Word):
        return chance.choice(setting.known or list(regions))
    if setting.name == "share":
        return round(chance.choice((setting.default, chance.uniform(0.05, 1.0))), 2)
    if setting.name == "ahead_s":
        return round(chance.uniform(-30.0, 30.0), 1)  # what leases allow for (CLOCK_SKEW_MS)
    if setting.name == "grows_over_s":
        return chance.choice((0.0, 60.0))
    if kind == "workflow-slow":
        return round(chance.choice((5.0, 60.0, STALL_S)), 1)
    return round(chance.uniform(0.2, 2.0) * setting.default, 2)
