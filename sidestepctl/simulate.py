"""`sidestep simulate`: many random worlds, and what to do with one in which an invariant broke."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from localcloud.simulation import simulate as simulation
from localcloud.simulation.invariants import NAMES
from localcloud.simulation.simulate import Result
from sidestepctl.live import Live
from sidestepctl.workers import give_up, lost_ones_told, pool_of

_WORLDS_A_PROCESS = 60
"""After so many a process makes room for another: what worlds leave behind grows."""
PROGRESS_S = 30.0
"""Wall seconds between two lines of a soak."""
TOLD_LINES = 60
"""How much of a failing seed's history is shown: so many lines of the live view."""
AFTERWARDS_S = 10.0
"""Simulated seconds of history shown after a violation: the live view sums clients up every ten."""


@dataclass
class Simulated:
    """What many seeds came to."""

    seeds: int = 0
    failed: list[Result] = field(default_factory=list)
    simulated_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    moves: int = 0
    acknowledged: int = 0
    lost_with_region: int = 0
    tested: Counter[str] = field(default_factory=Counter)
    """Invariant → in how many worlds there was something for it to judge."""

    def add(self, result: Result) -> None:
        """One seed more."""
        self.seeds += 1
        self.simulated_s += result.simulated_s
        self.faults.update(result.faults)
        self.moves += result.moves
        self.acknowledged += result.acknowledged
        self.lost_with_region += result.lost_with_region
        self.tested.update(result.tested)
        if not result.ok:
            self.failed.append(result)

    def to_json(self) -> str:
        """docs/simulation.md tells each field."""
        return json.dumps(
            {
                "seeds": self.seeds,
                "failed": [_failure(result) for result in sorted(self.failed, key=_seed)],
                "simulated_hours": round(self.simulated_s / 3600, 2),
                "faults_injected": dict(sorted(self.faults.items())),
                "invariants_checked": sorted(NAMES),
                "worlds_that_tested": {name: self.tested[name] for name in sorted(NAMES)},
                "moves": self.moves,
                "acknowledged": self.acknowledged,
                "lost_with_region": self.lost_with_region,
            },
            indent=2,
        )

    def verdict(self) -> str:
        """The last line, as test runners say it."""
        return f"{self.seeds - len(self.failed)} passed, {len(self.failed)} failed"

    def again(self, kinds: Sequence[str] | None = None) -> list[str]:
        """How to see each failing seed again; `kinds`: what the run was limited to."""
        failed = sorted(self.failed, key=_seed)
        return [f"FAILED  {_command(result, kinds)}" for result in failed]

    def in_words(self) -> str:
        """What it came to, in a line."""
        hours, faults = self.simulated_s / 3600, self.faults.total()
        gone = self.lost_with_region
        return (
            f"{self.seeds} seeds, {len(self.failed)} failed: {hours:.1f} simulated hours, "
            f"{faults} faults, {self.moves} moves, {self.acknowledged} acknowledged writes"
        ) + (f", {gone} of them lost with a Region" if gone else "")


@dataclass(frozen=True)
class Asked:
    """What to simulate. `kinds`: only these faults; `smaller`: failing worlds made smaller;
    `until_failed`: no further than the first failing seed."""

    kinds: tuple[str, ...] | None = None
    workers: int | None = None
    smaller: bool = False
    until_failed: bool = False


def simulate_all(
    seeds: Iterable[int],
    asked: Asked,
    whole: Simulated,
    tell: Callable[[Result], None],
    go_on: str = "go on with --seed after the last one told, and fewer --workers",
) -> None:
    """Simulate these seeds, in processes of their own; add each to `whole` and tell it.
    `go_on`: what to do where one of them is lost.

    Raises WorkerLostError; KeyboardInterrupt at Ctrl-C, with what was done so far in `whole`.
    """
    workers = asked.workers or os.cpu_count() or 1
    pool = pool_of(workers, _WORLDS_A_PROCESS)
    todo, pending = iter(seeds), set[Future[Result]]()
    try:
        with lost_ones_told(go_on):
            while True:
                pending |= {
                    pool.submit(_one, seed, asked.kinds, asked.smaller)
                    for seed in islice(todo, workers + 1 - len(pending))
                }
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for result in sorted((future.result() for future in done), key=_seed):
                    whole.add(result)
                    tell(result)
                if not pending or (asked.until_failed and whole.failed):
                    return
    finally:
        give_up(pool)


class Progress:
    """Tells a line now and then instead of one a seed, and every failing seed whole."""

    def __init__(self, whole: Simulated, tell: Callable[[str], None], now: Callable[[], float]):
        self._whole, self._tell, self._now = whole, tell, now
        self._began = self._told = now()

    def __call__(self, result: Result, kinds: Sequence[str] | None = None) -> None:
        """A seed has ended."""
        if not result.ok:
            self._tell(told(result, kinds))
        now = self._now()
        if now - self._told >= PROGRESS_S:
            self._told = now
            rate = self._whole.seeds / (now - self._began) * 60
            self._tell(f"{self._whole.in_words()}, {rate:.0f} seeds a minute")


def told(result: Result, kinds: Sequence[str] | None = None) -> str:
    """A line of a seed that held; of another all that is needed to understand it."""
    what = ", ".join(f"{count} × {kind}" for kind, count in sorted(result.faults.items()))
    if result.ok:
        return f"ok      seed {result.seed}: {what}; {result.moves} moves"
    again = _command(result, kinds)
    return "\n".join(
        [
            f"FAILED  seed {result.seed}: {what}",
            *(f"        {violation.in_words()}" for violation in result.violations),
            result.plan.in_words(),
            *history_of(result),
            f"        again: {again}   (with --shrink: with as few faults as will do)",
        ]
    )


def history_of(result: Result) -> list[str]:
    """What led to the first violation that has a time, as people read it; where none has one,
    the end of the history. The first line says which part it is."""
    times_s = [one.at_s for one in result.violations if one.at_s is not None]
    until_s = min(times_s, default=math.inf) + AFTERWARDS_S
    lines: list[str] = []
    live = Live(lines.append)
    for event in map(json.loads, result.transcript.splitlines()):
        if event["t"] <= until_s:
            live(event)
    until = "to its end"
    if times_s:
        until = f"until {AFTERWARDS_S:.0f} s after what broke first, at {min(times_s):.1f} s"
    shown = lines[-TOLD_LINES:]
    part = f"the last {len(shown)} of {len(lines)} lines" if shown != lines else "every line"
    return [f"        history {until}, {part}:", *shown]


def _command(result: Result, kinds: Sequence[str] | None) -> str:
    """What runs its world again: other kinds would draw another one."""
    limited = f" --faults {','.join(kinds)}" if kinds else ""
    return f"sidestep simulate --seeds 1 --seed {result.seed}{limited}"


def _one(seed: int, kinds: Sequence[str] | None, smaller: bool) -> Result:
    result = simulation.simulate(seed, kinds)
    return simulation.shrink(result) if smaller and not result.ok else result


def _failure(result: Result) -> dict[str, Any]:
    return {
        "seed": result.seed,
        "violations": [violation.in_words() for violation in result.violations],
        "plan": result.plan.to_dict(),
    }


def _seed(result: Result) -> int:
    return result.seed
