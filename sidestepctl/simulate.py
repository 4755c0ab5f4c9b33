"""`sidestep simulate`: many random worlds, and what to do with one in which an invariant broke."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from localcloud.simulation import simulate as simulation
from localcloud.simulation.invariants import NAMES
from localcloud.simulation.simulate import Result
from sidestepctl.live import Live

TOLD_LINES = 60
"""How much of a failing seed's history is shown: the last so many lines of the live view."""


@dataclass
class Simulated:
    """What many seeds came to."""

    seeds: int = 0
    failed: list[Result] = field(default_factory=list)
    simulated_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    moves: int = 0
    acknowledged: int = 0

    def add(self, result: Result) -> None:
        """One seed more."""
        self.seeds += 1
        self.simulated_s += result.simulated_s
        self.faults.update(result.faults)
        self.moves += result.moves
        self.acknowledged += result.acknowledged
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
                "moves": self.moves,
                "acknowledged": self.acknowledged,
            },
            indent=2,
        )

    def in_words(self) -> str:
        """The last line."""
        hours, faults = self.simulated_s / 3600, self.faults.total()
        return (
            f"{self.seeds} seeds, {len(self.failed)} failed: {hours:.1f} simulated hours, "
            f"{faults} faults, {self.moves} moves, {self.acknowledged} acknowledged writes"
        )


def simulate_all(
    seeds: Sequence[int],
    kinds: Sequence[str] | None,
    workers: int | None,
    smaller: bool,
    tell: Callable[[str], None],
) -> Simulated:
    """Simulate these seeds, in processes of their own; tell each as it ends."""
    whole = Simulated()
    with ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(_one, seed, kinds, smaller) for seed in seeds]
        try:
            for done in as_completed(pending):
                result = done.result()
                whole.add(result)
                tell(told(result, kinds))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return whole


def told(result: Result, kinds: Sequence[str] | None = None) -> str:
    """A line of a seed that held; of another all that is needed to understand it."""
    what = ", ".join(f"{count} × {kind}" for kind, count in sorted(result.faults.items()))
    if result.ok:
        return f"ok      seed {result.seed}: {what}; {result.moves} moves"
    again = f"sidestep simulate --seeds 1 --seed {result.seed}"
    if kinds:
        again += f" --faults {','.join(kinds)}"
    return "\n".join(
        [
            f"FAILED  seed {result.seed}: {what}",
            *(f"        {violation.in_words()}" for violation in result.violations),
            result.plan.in_words(),
            *history_of(result.transcript),
            f"        again: {again}   (with --shrink: with as few faults as will do)",
        ]
    )


def history_of(transcript: str) -> list[str]:
    """The end of a history, as people read it."""
    lines: list[str] = []
    live = Live(lines.append)
    for line in transcript.splitlines():
        live(json.loads(line))
    return lines[-TOLD_LINES:]


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
