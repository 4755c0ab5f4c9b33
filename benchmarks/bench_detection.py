"""How soon grey failures are noticed, and how often in vain: `make bench-detection`.

The observers' own code (what a look asks, scores, ballots, decision) against chance, without
the simulated cloud: thousands of incidents in minutes. Simulated: each write of a canary fails
with a given probability, independently; nothing else is wrong. False drains are too rare to be
waited for. They are counted by importance sampling: excursions from the first failed canary
until nothing is in doubt are drawn with a higher probability, and weighed by how much likelier
that made them (D. Siegmund, "Importance sampling in the Monte Carlo study of sequential
tests", Annals of Statistics 4, 1976).
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.table import put_into
from sidestep.core.canaries import AT_ONCE, CANARIES, CLOSER, WRITE, Request, asked
from sidestep.core.control import FAILOVER, ControlState
from sidestep.core.decide import Decision, closer_looks, decide
from sidestep.core.evidence import Probe
from sidestep.core.findings import View
from sidestep.core.policy import Policy
from sidestep.core.votes import Ballot, cast
from sidestepctl.one_line import OneLine

REGIONS = ("eu-west-2", "us-east-1", "us-west-2")
SICK = REGIONS[0]
RESULTS = Path(__file__).parent / "results" / "detection.json"
PAGE = Path(__file__).parent.parent / "docs" / "benchmark.md"
ROUND_S, LOOKS_A_MINUTE = 10.0, 6
REQUEST_S, VOTE_S = 0.12, 0.6
"""A canary across an ocean, and the vote after the look: as the local cloud has them."""
WARM_S = 60.0
"""Observers watch for so long before the fault."""
CLOCK_MS = 1_800_000_000_000
ROUNDS_A_YEAR = 365 * 86_400 / ROUND_S
LONGEST_EXCURSION_S = 600.0
MS = 40
_HEALTH = Request("GET /health", 200, MS)

Share = Callable[[str, float], float]
"""The probability that a canary write to a Region fails so many seconds after the fault began."""


@dataclass(frozen=True)
class Design:
    """What a look asks, how many are made at once where there is doubt, whether doubt is shared
    between observers, and the policy."""

    name: str
    always: Sequence[str] = CANARIES
    more: Sequence[str] = CLOSER
    at_once: int = AT_ONCE
    shared: bool = True
    policy: Policy = field(default_factory=Policy)


DESIGNS = (
    Design("as it is"),
    Design("closer looks are the observer's own", shared=False),
    Design("four writes in each look instead of six", always=CANARIES[:-2]),
    Design(
        "four writes, sixteen more, one look at a time",
        always=CANARIES[:-2],
        more=(WRITE,) * 16,
        at_once=1,
    ),
    Design(
        "two writes, four more at a failure, nothing shared",
        always=(*CANARIES[:2], WRITE),
        more=(WRITE,) * 4,
        shared=False,
        policy=Policy(request_bad_share=0.2, request_bad_score=5.5),
    ),
)


@dataclass
class Luck:
    """Which canary writes fail. A `tilted` Region's do with another probability than is told,
    and `log_weight` becomes the logarithm of how much likelier that made what happened."""

    rng: random.Random
    share: Share
    tilted: str | None = None
    tilt: float = 0.0
    forced: list[bool] = field(default_factory=list)
    log_weight: float = 0.0

    def fails(self, region: str, what: str, t: float) -> bool:
        """Whether this request, asked now, fails."""
        if what != WRITE:
            return False
        share = self.share(region, t)
        if region != self.tilted:
            return self.rng.random() < share
        if self.forced:
            return self.forced.pop(0)
        bad = self.rng.random() < self.tilt
        told, drawn = (share, self.tilt) if bad else (1 - share, 1 - self.tilt)
        self.log_weight += math.log(told / drawn)
        return bad


class Observers:
    """Three Regions' observers, each with its rounds and minutes at a time of its own."""

    def __init__(self, design: Design, luck: Luck) -> None:
        self._design, self._luck = design, luck
        self._phase = {region: luck.rng.random() * ROUND_S for region in REGIONS}
        self._minute = {region: luck.rng.randrange(LOOKS_A_MINUTE) for region in REGIONS}
        self._closer = dict.fromkeys(REGIONS, 0)
        self.ballots: dict[str, Ballot] = {}

    def looks(self, from_s: float, until_s: float) -> list[tuple[float, str]]:
        """When who looks, in order."""
        rounds = range(math.floor(from_s / ROUND_S), math.ceil(until_s / ROUND_S))
        times = [(self._phase[who] + n * ROUND_S, who) for who in REGIONS for n in rounds]
        return sorted(one for one in times if one[0] <= until_s)

    def look(self, t: float, observer: str) -> tuple[float, tuple[Decision, ...]]:
        """One look and vote: when it is decided, and what."""
        # A minute's first look is a new execution's, which knows of no doubt.
        number = round((t - self._phase[observer]) / ROUND_S) + self._minute[observer]
        known = self._design.shared and number % LOOKS_A_MINUTE > 0
        closer = self._closer[observer] if known else 0
        times = min(self._design.at_once, max(1, closer))
        looks = [region for region in REGIONS for _ in range(times)]
        probes = [self._probe(observer, region, closer > 0, t) for region in looks]
        at = t + VOTE_S + REQUEST_S * max(len(probe.requests) for probe in probes)
        now_ms = CLOCK_MS + int(at * 1000)
        policy, before = self._design.policy, self.ballots.get(observer)
        lags = dict.fromkeys(REGIONS, 500)
        self.ballots[observer] = cast(observer, probes, {}, lags, True, before, policy, now_ms)
        view = View("demo", REGIONS, tuple(self.ballots.values()), ControlState(serving=3))
        self._closer[observer] = closer_looks(view, policy, now_ms)
        return at, decide(view, policy, now_ms)

    def _probe(self, observer: str, region: str, closer: bool, t: float) -> Probe:
        requests = [_HEALTH]
        if closer or region != observer:
            plan = asked(closer, self._design.always, self._design.more)
            what: str | None = next(plan)
            while what is not None:
                bad = self._luck.fails(region, what, t)
                requests.append(Request(what, 503 if bad else 200, MS))
                try:
                    what = plan.send(bad)
                except StopIteration:
                    what = None
        at_ms = CLOCK_MS + int(t * 1000)
        return Probe(region, True, True, 200, MS, None, region, tuple(requests), at_ms)


def first_drain(
    design: Design, rng: random.Random, share: Share, until_s: float
) -> tuple[float, str] | None:
    """When an incident first has a Region drained, in seconds after the fault, and which."""
    observers = Observers(design, Luck(rng, share))
    for t, observer in observers.looks(-WARM_S, until_s):
        at, decisions = observers.look(t, observer)
        moved = next((d.region for d in decisions if d.action == FAILOVER), None)
        if moved is not None:
            return at, moved
    return None


def false_drains_a_year(
    design: Design, rng: random.Random, blips: float, trials: int
) -> tuple[float, float]:
    """Drains a year of three Regions in which a share `blips` of canaries fails at all times,
    and the estimate's standard error."""
    writes = sum(what == WRITE for what in design.always)
    tilt = max(design.policy.request_bad_share / 2, 2 * blips)
    weights = [_excursion(design, rng, blips, tilt, writes) for _ in range(trials)]
    first = 1 - (1 - blips) ** (writes * (len(REGIONS) - 1))
    a_year = ROUNDS_A_YEAR * first * len(REGIONS)
    mean = sum(weights) / trials
    variance = sum((weight - mean) ** 2 for weight in weights) / (trials - 1)
    return a_year * mean, a_year * math.sqrt(variance / trials)


def _excursion(design: Design, rng: random.Random, blips: float, tilt: float, writes: int) -> float:
    """The weight of an excursion that ends in a drain; 0 for one that does not."""
    luck = Luck(rng, everywhere(_step(blips)))
    observers = Observers(design, luck)
    for t, observer in observers.looks(-WARM_S, -1e-9):
        observers.look(t, observer)
    luck.tilted, luck.tilt = SICK, tilt
    begun = rng.choice([region for region in REGIONS if region != SICK])
    # The first failure among one look's writes, as chance has it.
    which = rng.choices(range(writes), [(1 - blips) ** n for n in range(writes)])[0]
    started = False
    for t, observer in observers.looks(0.0, LONGEST_EXCURSION_S):
        if not started and observer != begun:
            continue
        if not started:
            luck.forced = [False] * which + [True]
            started = True
        _, decisions = observers.look(t, observer)
        if any(d.action == FAILOVER and d.region == SICK for d in decisions):
            return math.exp(luck.log_weight)
        if not any(ballot.votes[SICK].score.value for ballot in observers.ballots.values()):
            return 0.0
    return 0.0


def only_sick(course: Callable[[float], float]) -> Share:
    """The fault is one Region's."""
    return lambda region, t: course(t) if region == SICK and t >= 0 else 0.0


def everywhere(course: Callable[[float], float]) -> Share:
    """All Regions fail alike."""
    return lambda _, t: course(t) if t >= 0 else 0.0


def _leak(t: float) -> float:
    """As in localcloud/scenarios/slow-leak.yaml: to 0.6 within 300 s, in twenty steps."""
    return 0.6 * min(20, 1 + int(t / 15)) / 20


def _step(share: float) -> Callable[[float], float]:
    return lambda _: share


FAULTS: dict[str, tuple[Callable[[float], float], float]] = {
    "leak": (_leak, 300.0),
    **{f"{share:.0%}": (_step(share), 600.0) for share in (0.05, 0.1, 0.3, 1.0)},
}
"""Each fault's course, and how long it is watched, in seconds."""
ALIKE_S = 240.0
"""Where all fail alike, so long is waited for a wrong move."""
BLIPS = (0.001, 0.003, 0.005, 0.01)


def measure(design: Design, trials: int, seed: int) -> dict[str, Any]:
    """All figures of one design."""
    found: dict[str, Any] = {"design": design.name, "noticed": {}, "all_alike": {}, "false": {}}
    for name, (course, until_s) in FAULTS.items():
        rng = random.Random(f"{seed} {name}")
        drains = [first_drain(design, rng, only_sick(course), until_s) for _ in range(trials)]
        times = sorted(d[0] if d and d[1] == SICK else math.inf for d in drains)
        found["noticed"][name] = {
            "median_s": _told(median(times)),
            "p95_s": _told(times[min(trials - 1, math.ceil(0.95 * trials) - 1)]),
            "never": sum(t == math.inf for t in times) / trials,
            "wrong": sum(d is not None and d[1] != SICK for d in drains) / trials,
        }
        moved = [first_drain(design, rng, everywhere(course), ALIKE_S) for _ in range(trials)]
        found["all_alike"][name] = sum(d is not None for d in moved) / trials
    for blips in BLIPS:
        rng = random.Random(f"{seed} {blips}")
        a_year, error = false_drains_a_year(design, rng, blips, 2 * trials)
        found["false"][f"{blips:.1%}"] = {"a_year": _digits(a_year), "error": _digits(error)}
    return found


def _told(seconds: float) -> float | None:
    return None if seconds == math.inf else round(seconds, 1)


def _digits(number: float) -> float:
    return float(f"{number:.2g}")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The figures as Markdown, a column a design."""
    said = {"leak": "slow leak", "100%": "all fail"}
    words = {name: said.get(name, f"{name.replace('%', ' %')} fail") for name in FAULTS}
    lines = [
        "| | " + " | ".join(row["design"] for row in rows) + " |",
        "|---" * (len(rows) + 1) + "|",
    ]

    def add(words: str, cells: Iterable[str]) -> None:
        lines.append(f"| {words} | " + " | ".join(cells) + " |")

    for name, fault in words.items():
        noticed = [row["noticed"][name] for row in rows]
        pairs = (f"{_whole(one['median_s'])} / {_whole(one['p95_s'])}" for one in noticed)
        add(f"{fault}: decided after, s (median / p95)", pairs)
    for name, fault in words.items():
        shares = (f"{100 * row['all_alike'][name]:.0f} %" for row in rows)
        add(f"{fault} in every Region alike: moved all the same", shares)
    for blips in (f"{one:.1%}" for one in BLIPS):
        drains = [row["false"][blips] for row in rows]
        told = (f"{n['a_year']:g} ± {n['error']:g}" if n["a_year"] else "none seen" for n in drains)
        add(f"{blips.replace('%', ' %')} fail at all times, everywhere: false drains a year", told)
    return "\n".join(lines)


def _whole(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f}"


def text_of(trials: int, rows: Sequence[dict[str, Any]]) -> str:
    """What the page has between its marks."""
    counts = f"{trials} incidents for each figure, {2 * trials} excursions for each of false drains"
    return f"{counts}.\n\n{table(rows)}"


@click.command(cls=OneLine)
@click.argument("trials", type=click.IntRange(1), default=400)
def main(trials: int) -> None:
    """Measure every design with so many TRIALS (400) each, and write it down."""
    rows = [measure(design, trials, seed=1) for design in DESIGNS]
    told = {"simulated": True, "trials": trials, "unit": "s from the fault; drains a year"}
    RESULTS.write_text(json.dumps(told | {"designs": rows}, indent=1) + "\n", encoding="utf-8")
    text = text_of(trials, rows)
    put_into(PAGE, text, "<!-- bench-detection -->", "<!-- /bench-detection -->")
    click.echo(text)


if __name__ == "__main__":
    main()
