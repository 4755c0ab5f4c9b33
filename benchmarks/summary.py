"""What the runs come to: for each scenario and design, and against the oracle."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.runs_file import Figures
from sidestepctl.scenarios import median, percentile_95


@dataclass(frozen=True)
class Cell:
    """One design in one scenario. `mitigated` of `seeds` runs were, in these simulated seconds."""

    seeds: int
    mitigated: int
    median_s: float | None
    p95_s: float | None
    client_errors: float
    """Failed requests a run, on average."""
    wrong_moves: int
    lost: int
    not_ok: int
    """Runs that did not come out as the scenario expects."""


@dataclass(frozen=True)
class Row:
    """One scenario."""

    scenario: str
    expect: str
    cells: Mapping[str, Cell]


def rows_of(expected: Mapping[str, str], runs: Sequence[Figures]) -> list[Row]:
    """A row for each scenario that has any run; `expected` is by scenario, in their order."""
    rows = []
    for scenario, expect in expected.items():
        mine = [run for run in runs if run.scenario == scenario]
        designs = sorted({run.design for run in mine})
        cells = {design: _cell([r for r in mine if r.design == design]) for design in designs}
        if cells:
            rows.append(Row(scenario, expect, cells))
    return rows


def _cell(runs: Sequence[Figures]) -> Cell:
    taken = [run.mitigated_s for run in runs if run.mitigated_s is not None]
    return Cell(
        seeds=len(runs),
        mitigated=len(taken),
        median_s=median(taken),
        p95_s=percentile_95(taken),
        client_errors=round(statistics.mean(run.client_errors for run in runs), 1),
        wrong_moves=sum(run.wrong_moves for run in runs),
        lost=sum(run.lost for run in runs),
        not_ok=sum(not run.ok for run in runs),
    )


def ratio_to_oracle(rows: Sequence[Row], design: str, oracle: str = "f") -> float | None:
    """Median over the scenarios of the ratio of the medians; None without any.

    Only scenarios that both mitigated in every run count.
    """
    ratios = []
    for row in rows:
        mine, best = row.cells.get(design), row.cells.get(oracle)
        if mine is None or best is None or not mine.median_s or not best.median_s:
            continue
        if mine.mitigated == mine.seeds and best.mitigated == best.seeds:
            ratios.append(mine.median_s / best.median_s)
    return round(statistics.median(ratios), 2) if ratios else None


def as_json(rows: Sequence[Row], names: Mapping[str, str], code: str) -> dict[str, Any]:
    """The figures as written to benchmarks/results/scenarios.json."""
    return {
        "simulated": True,
        "unit": "simulated seconds from the fault, as clients saw it",
        "code": code,
        "designs": dict(names),
        "ratio_to_oracle": {key: ratio_to_oracle(rows, key) for key in names},
        "scenarios": [asdict(row) for row in rows],
    }
