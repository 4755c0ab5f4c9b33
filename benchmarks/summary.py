"""What the runs come to: for each scenario and design, and against the oracle.

A run that was never mitigated took longer than any that was: it counts as infinite in medians,
percentiles and ratios, so that a design gains nothing by missing. None stands for infinite.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.runs_file import Figures
from localcloud.scenario import Scenario
from sidestepctl.scenarios import percentile_95

HARD_DOWN = frozenset({"region-down", "region-dark"})
"""Kinds of fault after which no client is answered by the Region."""


@dataclass(frozen=True)
class About:
    """What a scenario is, as far as figures are read by it."""

    expect: str
    hard_down: bool = False
    """A Region that it is about is down or dark."""
    strikes: int = 1
    """How often its most frequent fault strikes."""
    most_moves: int | None = None
    """How many moves there may be, where the scenario says so."""


@dataclass(frozen=True)
class Cell:
    """One design in one scenario. `mitigated` of `seeds` runs were, in these simulated seconds."""

    seeds: int
    mitigated: int
    median_s: float | None
    p95_s: float | None
    client_errors: float
    """Failed requests a run, on average."""
    most_moves: int
    """Moves in the run that had the most."""
    drains_apart_s: float | None
    """The shortest time between two drains of one Region; None where no run had two."""
    wrong_moves: int
    lost: int
    not_ok: int
    """Runs that did not come out as the scenario expects."""


@dataclass(frozen=True)
class Row:
    """One scenario."""

    scenario: str
    about: About
    cells: Mapping[str, Cell]
    times_s: Mapping[str, Sequence[float]]
    """Each run's time to mitigate by design, `math.inf` for never."""


def about(scenario: Scenario) -> About:
    """What its figures are read by."""
    struck = {fault.kind for fault in scenario.faults if fault.region in scenario.regions}
    strikes = max((fault.times for fault in scenario.faults), default=1)
    return About(scenario.expect, bool(struck & HARD_DOWN), strikes, scenario.most_moves)


def rows_of(abouts: Mapping[str, About], runs: Sequence[Figures]) -> list[Row]:
    """A row for each scenario that has any run; `abouts` is by scenario, in their order."""
    rows = []
    for scenario, what in abouts.items():
        by_design: dict[str, list[Figures]] = {}
        for run in runs:
            if run.scenario == scenario:
                by_design.setdefault(run.design, []).append(run)
        if by_design:
            cells = {design: _cell(by_design[design]) for design in sorted(by_design)}
            times = {design: _times_s(by_design[design]) for design in cells}
            rows.append(Row(scenario, what, cells, times))
    return rows


def _times_s(runs: Sequence[Figures]) -> list[float]:
    return [math.inf if run.mitigated_s is None else run.mitigated_s for run in runs]


def _cell(runs: Sequence[Figures]) -> Cell:
    times = _times_s(runs)
    apart = [run.drains_apart_s for run in runs if run.drains_apart_s is not None]
    return Cell(
        seeds=len(runs),
        mitigated=sum(run.mitigated_s is not None for run in runs),
        median_s=finite(statistics.median(times)),
        p95_s=finite(percentile_95(times)),
        client_errors=round(statistics.mean(run.client_errors for run in runs), 1),
        most_moves=max(run.moves for run in runs),
        drains_apart_s=min(apart, default=None),
        wrong_moves=sum(run.wrong_moves for run in runs),
        lost=sum(run.lost for run in runs),
        not_ok=sum(not run.ok for run in runs),
    )


def finite(number: float | None, digits: int = 1) -> float | None:
    """As JSON can say it."""
    return None if number is None or math.isinf(number) else round(number, digits)


@dataclass(frozen=True)
class Ratio:
    """A design's time beside the oracle's: the median over scenarios of the ratio of medians."""

    ratio: float | None
    """None: infinite, since half of the scenarios were missed, or there are none."""
    scenarios: int
    """Those of which the oracle has a median, and that the design has run."""
    missed: int
    """Of these, those that the design did not mitigate in some run."""


def ratio_to_oracle(rows: Sequence[Row], design: str, oracle: str = "f") -> Ratio:
    """Over the scenarios that the oracle mitigates in more than half of its runs. What it missed in
    the others counts as infinite in its median, as it does in the design's."""
    ratios, missed = [], 0
    for row in rows:
        mine, best = row.cells.get(design), row.cells.get(oracle)
        if mine is None or best is None or not best.median_s:
            continue
        median_s = math.inf if mine.median_s is None else mine.median_s
        ratios.append(median_s / best.median_s)
        missed += mine.mitigated < mine.seeds
    return Ratio(finite(statistics.median(ratios) if ratios else None, 2), len(ratios), missed)


def as_json(
    rows: Sequence[Row], names: Mapping[str, str], code: Mapping[str, str]
) -> dict[str, Any]:
    """The figures as written to benchmarks/results/scenarios.json."""
    return {
        "simulated": True,
        "unit": "simulated seconds from the fault, as clients saw it; null: never",
        "code": dict(code),
        "designs": dict(names),
        "ratio_to_oracle": {key: asdict(ratio_to_oracle(rows, key)) for key in names},
        "scenarios": [
            {
                "scenario": row.scenario,
                **asdict(row.about),
                "cells": {design: asdict(cell) for design, cell in row.cells.items()},
            }
            for row in rows
        ],
    }
