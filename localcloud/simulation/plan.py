"""A random world: how many Regions, which policy, how much traffic, what goes wrong and when.

A plan follows from its seed alone, so that a seed is a whole test case.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from localcloud.cloud import ROOT, Topology
from localcloud.faults.kinds import ACTING, KINDS, REGIONLESS, Number, Word
from localcloud.scenario import HELD, Fault, Scenario
from localcloud.simulation.rare import rare_world
from localcloud.simulation.rare_kind import GUARDABLE
from sidestep.core.policy import Policy
from sidestep.core.traffic import LIVES_MS, SLACK_MS

COORDINATING = (
    ("eu-west-1", "eu-west-2", "eu-central-1"),
    ("us-east-2", "us-east-1", "us-west-2"),
)
"""Region sets of strongly consistent tables, each owned by a Region that is not guarded."""
SIZES = {2: 58, 3: 34, 4: 5, 5: 3}
"""How many Regions, and how often of a hundred: a world's cost grows with their square."""
CALM_S = 35.0
"""Nothing goes wrong until every client has come and every observer has voted."""
SPREAD_S = 60.0
"""Faults begin within so long of each other, and so strike on top of each other."""
LONGEST_S = 70.0
"""Of what strikes once, and of three strikes together."""
ONCE, THRICE, LASTING, RETURNING = "once", "thrice", "lasting", "returning"
# RETURNING is for Regions that fail again within their cool-down, LASTING for what is left to be
# put right of a drained Region: both were seldom, and bugs there were not found.
COURSES = {ONCE: 43, THRICE: 20, LASTING: 10, RETURNING: 27}
"""How what does harm goes on, and how often of a hundred. What hinders is there once or thrice."""
LASTING_S = (110.0, 170.0)
"""Beyond the failover, or about its end where `Policy.traffic_deadline_s` is long: the Region is
drained, nobody is at work on it, and it is not yet well."""
AGAIN_S = (40.0, 60.0)
"""How long each of two strikes lasts that are a return apart: enough to be drained for."""
QUICK_S = 120
"""With a longer `Policy.cooldown_s` a world would wait for minutes for the second."""
DRAIN_S, MOVES_S, LEAVES_S, WELL_S, RESTORE_S = 26.0, 20.0, 45.0, 30.0, 52.0
"""What a drain, DNS's move as a failover sees it, the failover's last steps until it puts the
incident down, observers' good looks in a row and a restore take here, beside what the policy says:
seen in runs, and good enough to aim by."""
STALL_S = 150.0
"""Longer than a lease and the clocks' difference (`Policy.lease_s`, CLOCK_SKEW_MS): an execution
that stands still for so long is taken over, and its late steps must be refused."""
CHECKERS = 1
"""Health checkers in each Region of theirs: half of AWS's, to the same verdicts by threes."""
RARE_ONLY = frozenset({"region-lost"})
"""Kinds that only rare worlds draw (rare.py). What a Region that is lost had of its own only comes
back where a failover puts it back: the loss has to last for that, and no order may forbid it."""
HURTS = tuple(sorted(n for n, kind in KINDS.items() if not kind.aside and n not in RARE_ONLY))
"""Kinds that do harm to what clients see."""
HINDERS = tuple(sorted(name for name, kind in KINDS.items() if kind.aside))
"""Kinds that stand in the way of those who deal with it."""
BY_HAND = ("drill", "failover")
"""What a person starts. A Region that was failed over by hand waits for that person's recovery."""
RETURN_AFTER_S = (60.0, 240.0)
"""When that person begins to ask for it."""
REDRIVEN, CRASH = "redriven-by-hand", "workflow-crash"
ALONE_SHARE = 0.05
"""Of the worlds: one lasting fault and nothing else wrong, so that it can be said what must be
done about it (invariant `helps`)."""
ALONE = (
    *("region-down", "region-dark", "health-errors"),
    *("write-errors", "table-throttled", "bad-deploy"),
)
"""Kinds that, whole and lasting, surely harm a Region's clients."""
AFTER_A_STEP = frozenset(
    {
        *("region-down", "region-isolated", "api-errors", "lambda-killed", "lambda-lost"),
        *("lambda-throttled", "stepfunctions-down", "workflow-slow", "route53-down"),
        *("coordination-down", "coordination-replica-down", "regional-table-errors", CRASH),
    }
)
"""Kinds that do another harm at every step of a workflow."""
AFTER_A_STEP_SHARE = 0.1
HINDERED_SHARE = 0.5
"""Of those rare worlds that may be so: one more fault strikes at some step."""
WAITS_S = 400.0
"""A failover has come by then, if there is one, and mostly its recovery."""
PAUSED = "paused-by-operator"
REDRIVEN_AFTER_S = 120.0
"""So much later than other faults somebody redrives what they have cut short: until then it has
been cut short, or finished by another."""


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
            begins = f"{fault.at_s:6.1f} s"
            if fault.after_step is not None:
                begins = f"{fault.delay_s:.1f} s after {fault.after_step!r}"
            lines.append(
                f"  {begins}  {fault.kind}{where} for {fault.for_s:.0f} s{often}{settings}"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


RISKY_SHARE = 0.06
"""Worlds in which a Region fails while nothing replicates out of it, until what it had accepted has
been counted and put back: hardly any other world has such writes."""
RISKY = ("health-errors", "region-down", "bad-deploy")
"""What such a Region fails by: each lets it accept writes until then."""
_PAUSED = "replication-paused"


def plan(seed: int, kinds: Sequence[str] | None = None) -> Plan:
    """The world of a seed; `kinds` limits what may go wrong."""
    chance = random.Random(f"plan {seed}")
    size = chance.choices(list(SIZES), list(SIZES.values()))[0]
    regions = tuple(chance.sample(GUARDABLE, size))
    coordination = chance.choice(COORDINATING)
    policy = _policy(chance, size)
    alone = [kind for kind in ALONE if kinds is None or kind in kinds]
    risky = [kind for kind in RISKY if kinds is None or {kind, _PAUSED} <= set(kinds)]
    # Of a stream of its own: every other world is as it was before these were drawn.
    rare = random.Random(f"risky {seed}")
    if risky and rare.random() < RISKY_SHARE:
        policy |= {"traffic_deadline_s": 30, "replication_deadline_s": 30}
        faults: tuple[Fault, ...] = _risky(rare, rare.choice(risky), regions)
    elif alone and chance.random() < ALONE_SHARE:
        faults = (_alone(chance, chance.choice(alone), regions),)
    else:
        faults = tuple(_fault(chance, kind, regions, policy) for kind in _kinds(chance, kinds))
    requests_per_s = round(chance.uniform(0.2, 0.8), 2)
    drawn = rare_world(seed, regions, kinds)
    if drawn is not None:
        policy = {"approval": "never", **drawn.policy}
        faults, requests_per_s = drawn.faults, drawn.requests_per_s or requests_per_s
        regions = drawn.regions or regions
        hindrance = random.Random(f"hindered {seed}")
        if drawn.hindered and kinds is None and hindrance.random() < HINDERED_SHARE:
            kind = hindrance.choice(sorted(AFTER_A_STEP))
            added = _fault(hindrance, kind, regions, policy)
            faults = (*faults, _after_a_step(hindrance, added))
    return Plan(
        seed=seed,
        regions=regions,
        coordination=coordination,
        policy=policy,
        requests_per_s=requests_per_s,
        faults=tuple(sorted(faults, key=lambda fault: fault.at_s)),
    )


def _risky(chance: random.Random, kind: str, regions: Sequence[str]) -> tuple[Fault, ...]:
    """Replication out of a Region stands still, and then the Region fails, surely."""
    region = chance.choice(regions)
    paused = Fault(_PAUSED, region, round(CALM_S + chance.uniform(0.0, 15.0), 1), 0.0)
    harm = replace(_alone(chance, kind, regions), region=region)
    begins_s, lasts_s = paused.at_s + chance.uniform(10.0, 30.0), chance.uniform(40.0, 120.0)
    return (
        replace(paused, for_s=round(chance.uniform(150.0, 220.0), 1)),
        replace(harm, at_s=round(begins_s, 1), for_s=round(lasts_s, 1)),
    )


def _kinds(chance: random.Random, allowed: Sequence[str] | None) -> list[str]:
    """One or two that hurt, and up to three that hinder, as far as any are allowed."""
    hurts = [kind for kind in HURTS if allowed is None or kind in allowed]
    hinders = [kind for kind in HINDERS if allowed is None or kind in allowed]
    first, second = chance.choice((1, 1, 2)), chance.choice((0, 1, 1, 2, 3))
    drawn = [chance.choice(hurts) for _ in range(first)] if hurts else []
    drawn += [chance.choice(hinders) for _ in range(second or not hurts) if hinders]
    # Who redrives needs something that has ended without success.
    wanted = REDRIVEN in drawn and CRASH not in drawn and CRASH in hinders
    return [*drawn, CRASH] if wanted else drawn


def _policy(chance: random.Random, size: int) -> dict[str, Any]:
    """Defaults in a quarter of the worlds; nobody is there to agree to anything in any."""
    policy: dict[str, Any] = {"approval": "never"}
    if chance.random() < 0.75:
        policy |= {
            "stability_window_s": chance.choice((20, 60)),
            "probation_s": chance.choice((20, 60)),
            "cooldown_s": chance.choice((60, 120)),
            "traffic_deadline_s": chance.choice((30, 60, 120)),
            "lease_s": chance.choice((30, 90)),
        }
        if chance.random() < 0.3:
            policy["max_drains_per_day"] = chance.choice((1, 2, 3))
        if size >= 3:
            policy["min_serving_regions"] = chance.choice((1, 1, 2))
    return policy


def _alone(chance: random.Random, kind: str, regions: Sequence[str]) -> Fault:
    """The only fault of a world: whole from the first moment, once, and for long."""
    whole = {"share": 1.0, "grows_over_s": 0.0}
    return Fault(
        kind=kind,
        region=chance.choice(regions),
        at_s=round(CALM_S + chance.uniform(0.0, SPREAD_S), 1),
        for_s=round(chance.uniform(*LASTING_S), 1),
        settings={name: whole[name] for name in KINDS[kind].settings},
    )


def _fault(
    chance: random.Random, kind: str, regions: Sequence[str], policy: Mapping[str, Any]
) -> Fault:
    for_s, every_s, times = _course(chance, kind, policy)
    after_s = chance.uniform(0.0, REDRIVEN_AFTER_S) if kind == REDRIVEN else 0.0
    settings = {
        name: _value(chance, kind, setting, regions)
        for name, setting in KINDS[kind].settings.items()
    }
    region = "" if kind in REGIONLESS else chance.choice(regions)
    if kind == PAUSED and chance.random() < 0.5:
        region = chance.choice(regions)
    if "peer" in settings:
        settings["peer"] = chance.choice([other for other in regions if other != region])
    fault = Fault(
        kind=kind,
        region=region,
        at_s=round(CALM_S + chance.uniform(0.0, SPREAD_S) + after_s, 1),
        for_s=for_s,
        every_s=every_s,
        times=times,
        settings=settings,
    )
    if kind not in AFTER_A_STEP or chance.random() >= AFTER_A_STEP_SHARE:
        return fault
    return _after_a_step(chance, fault)


def _after_a_step(chance: random.Random, fault: Fault) -> Fault:
    """The same fault at some step of a failover or recovery; half of them strike where it runs."""
    return replace(
        fault,
        at_s=0.0,
        after_step=chance.choice(STEPS),
        delay_s=round(chance.uniform(0.0, 2.0), 1),
        waits_s=WAITS_S,
        region=ACTING if fault.region and chance.random() < 0.5 else fault.region,
    )


def _steps(flow: Mapping[str, Any]) -> Iterator[str]:
    """The names of a workflow's states, at any depth."""
    for name, state in flow["States"].items():
        yield name
        for inner in (
            *state.get("Branches", ()),
            *([state["ItemProcessor"]] if "ItemProcessor" in state else ()),
        ):
            yield from _steps(inner)


STEPS = tuple(
    dict.fromkeys(
        name
        for machine in ("failover", "recovery")
        for name in _steps(json.loads((ROOT / f"statemachines/{machine}.asl.json").read_text()))
    )
)
"""What a fault may wait for."""


def _course(
    chance: random.Random, kind: str, policy: Mapping[str, Any]
) -> tuple[float, float, int]:
    """For how long a fault strikes, how far apart, and how often."""
    numbers = Policy.parse(policy)
    possible = [ONCE, THRICE]
    if kind == PAUSED and chance.random() < 0.5:
        possible = [LASTING]
    if kind in HURTS:
        possible.append(LASTING)
        if numbers.cooldown_s <= QUICK_S:
            possible.append(RETURNING)
    known = {name: COURSES[name] for name in possible}
    course = chance.choices(list(known), list(known.values()))[0]
    if course == LASTING:
        return round(chance.uniform(*LASTING_S), 1), 0.0, 1
    if course == RETURNING:
        for_s = round(chance.uniform(*AGAIN_S), 1)
        return for_s, round(chance.uniform(*cools_down(for_s, numbers)), 1), 2
    times = 3 if course == THRICE else 1
    for_s = round(chance.uniform(5.0, LONGEST_S / times), 1)
    return for_s, round(for_s + chance.uniform(5.0, 75.0), 1) if times > 1 else 0.0, times


def cools_down(for_s: float, policy: Policy) -> tuple[float, float]:
    """From when to when, after a Region's failure of so many seconds began, a new one of it falls
    into the cool-down after its return; a moment only where the policy has hardly any."""
    sent_elsewhere = MOVES_S + (LIVES_MS + SLACK_MS) / 1000
    left = DRAIN_S + min(sent_elsewhere, policy.traffic_deadline_s) + LEAVES_S
    well = for_s + WELL_S + policy.stability_window_s
    restored = max(left, well) + RESTORE_S
    closed = restored + policy.probation_s
    return closed, max(closed + DRAIN_S, restored + policy.cooldown_s - 2 * DRAIN_S)


def _value(
    chance: random.Random, kind: str, setting: Number | Word, regions: Sequence[str]
) -> float | str:
    if setting.name == "workflow":
        return chance.choice(BY_HAND)
    if setting.name == "minutes":
        return chance.choice((2.0, 5.0))
    if setting.name == "return_after_s":
        return round(chance.uniform(*RETURN_AFTER_S), 1)
    if isinstance(setting, Word):
        return chance.choice(setting.known or list(regions))
    if setting.name == "replica":
        return float(chance.choice((1, 2, 3)))
    if setting.name == "share":
        return round(chance.choice((setting.default, chance.uniform(0.05, 1.0))), 2)
    if setting.name == "ahead_s":
        return round(chance.uniform(-30.0, 30.0), 1)  # what leases allow for (CLOCK_SKEW_MS)
    if setting.name == "grows_over_s":
        return chance.choice((0.0, 60.0))
    if kind == "workflow-slow":
        return round(chance.choice((5.0, 60.0, STALL_S)), 1)
    return round(chance.uniform(0.2, 2.0) * setting.default, 2)
