"""Whether the benchmark's goals are met, read off the results.

Few runs can refute a goal that every run has to meet; they cannot confirm one, nor judge a
median. What cannot be judged is said to be open: no goal is passed for want of runs.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.summary import Row, ratio_to_oracle
from localcloud.scenario import HELD

OURS, RIVAL, ORACLE = "e", "b", "f"
OTHERS = ("a", "b", "c", "d")
SEEDS = 20
"""So many runs of a design in a scenario are enough to judge."""
MINUTES_S = 120.0
"""A median from which it takes minutes."""
GREY_S = 45.0 + 60.0
"""45 s and the record's TTL."""
ORACLE_RATIO = 1.5
_MOVES = 2
"""A drain and a restore: what there may be where a scenario does not say."""


@dataclass(frozen=True)
class Goal:
    """One goal. `holds` None: it cannot be judged by these runs, and `open_since` says why."""

    goal: str
    asked: str
    found: str
    holds: bool | None
    seeds: int
    """Of the scenario and design among those it is judged by that has the fewest."""
    open_since: str = ""

    def in_words(self) -> str:
        """One line."""
        verdict = {True: "met", False: "NOT MET", None: f"open ({self.open_since})"}[self.holds]
        return f"{verdict}: {self.goal}: {self.found} (asked: {self.asked}; {self.seeds} seeds)"


def goals_of(rows: Sequence[Row], catalogue: Iterable[str], cooldown_s: float) -> list[Goal]:
    """Every goal; `catalogue` is what there should be runs of."""
    here = {row.scenario for row in rows}
    lacking = sorted(set(catalogue) - here)
    right = [row for row in rows if row.about.expect != HELD]
    hold = [row for row in rows if row.about.expect == HELD]
    down = [row for row in right if row.about.hard_down]
    ground = _Ground(lacking)
    return [
        ground.every("mitigates every scenario that has a right move", right, _missed),
        ground.every("moves nothing where the right move is to hold", hold, _wrong),
        ground.every("makes no wrong move where there is a right one", right, _wrong),
        ground.every("does all that a scenario expects, the return too", rows, _not_ok),
        _hard_down(ground, down),
        *_grey(ground, [row for row in right if not row.about.hard_down]),
        _beside_the_oracle(ground, right),
        *_flapping(ground, [row for row in right if row.about.strikes > 1], cooldown_s),
    ]


@dataclass(frozen=True)
class _Ground:
    """What there is to judge by; `lacking`: scenarios of the catalogue without any run."""

    lacking: Sequence[str]

    def every(self, goal: str, rows: Sequence[Row], bad: Callable[[Row], int]) -> Goal:
        """A goal of ours that every run has to meet."""
        worst = {row.scenario: n for row in rows if OURS in row.cells and (n := bad(row))}
        runs = sum(row.cells[OURS].seeds for row in rows if OURS in row.cells)
        said = ", ".join(f"{name} {n}" for name, n in worst.items())
        found = f"{sum(worst.values())} in {runs} runs" + (f": {said}" if said else "")
        return self.judged(goal, "none, in any seed", found, not worst, rows, OURS, refutes=True)

    def judged(
        self,
        goal: str,
        asked: str,
        found: str,
        good: bool,
        rows: Sequence[Row],
        designs: str,
        refutes: bool = False,
    ) -> Goal:
        """The goal, open where runs of these designs are too few; `refutes`: that one run is
        enough to miss it."""
        seeds = min(
            (row.cells[d].seeds if d in row.cells else 0 for row in rows for d in designs),
            default=0,
        )
        why = ""
        if not rows:
            why = "no such scenario"
        elif self.lacking:
            some = ", ".join(self.lacking[:3])
            more = len(self.lacking) - 3
            why = f"no run of {some}" + (f" and {more} more" if more > 0 else "")
        elif not seeds:
            gone = sorted({d for row in rows for d in designs if d not in row.cells})
            why = f"no run of ({'), ('.join(gone)}) in some scenario"
        elif seeds < SEEDS:
            why = f"fewer than {SEEDS} seeds"
        refuted = refutes and not good and bool(rows)
        holds = False if refuted else None if why else good
        return Goal(goal, asked, found, holds, seeds, "" if refuted else why)


def _missed(row: Row) -> int:
    return row.cells[OURS].seeds - row.cells[OURS].mitigated


def _wrong(row: Row) -> int:
    return row.cells[OURS].wrong_moves


def _not_ok(row: Row) -> int:
    return row.cells[OURS].not_ok


def _median_s(row: Row, design: str) -> float:
    """Infinite where it is never, or unknown."""
    cell = row.cells.get(design)
    return math.inf if cell is None or cell.median_s is None else cell.median_s


def _hard_down(ground: _Ground, rows: Sequence[Row]) -> Goal:
    pairs = {row.scenario: (_median_s(row, OURS), _median_s(row, RIVAL)) for row in rows}
    slower = [name for name, (mine, theirs) in pairs.items() if mine > theirs or mine == math.inf]
    found = ", ".join(
        f"{name} {_s(mine)} against {_s(theirs)}"
        for name, (mine, theirs) in pairs.items()
        if not slower or name in slower
    )
    return ground.judged(
        "hard down: no slower than (b)",
        "median at most (b)'s in each scenario whose Region is down or dark",
        ("slower in " if slower else "") + found,
        not slower,
        rows,
        OURS + RIVAL,
    )


def is_grey(row: Row) -> bool:
    """Whether there is a right move, the Region is not plainly down, and (a) to (d) all miss it
    in some run, or take minutes in the median."""
    cells = [row.cells.get(design) for design in OTHERS]
    hidden = all(
        cell is not None and (cell.mitigated < cell.seeds or (cell.median_s or 0) >= MINUTES_S)
        for cell in cells
    )
    return row.about.expect != HELD and not row.about.hard_down and hidden


def _grey(ground: _Ground, not_down: Sequence[Row]) -> list[Goal]:
    """Each scenario, and all of their runs as one. Which they are hangs on the others' runs."""
    rows = [row for row in not_down if is_grey(row)]
    # Were some design's runs too few, others might be grey: all are looked at for that.
    looked_at = not_down if rows else []
    goal = f"grey failures that (a) to (d) miss or take {MINUTES_S:.0f} s over"
    medians = {row.scenario: _median_s(row, OURS) for row in rows}
    each = ", ".join(f"{name} {_s(median)}" for name, median in medians.items())
    times = [time for row in rows for time in row.times_s.get(OURS, ())]
    pooled = statistics.median(times) if times else math.inf
    designs = "".join((*OTHERS, OURS))
    good = all(median < GREY_S for median in medians.values())
    asked = f"median under {GREY_S:.0f} s"
    return [
        ground.judged(f"{goal}: each", asked, each or "none", good, looked_at, designs),
        ground.judged(
            f"{goal}: all", asked, f"{_s(pooled)} over {len(times)} runs", pooled < GREY_S,
            looked_at, designs,
        ),
    ]  # fmt: skip


def _beside_the_oracle(ground: _Ground, rows: Sequence[Row]) -> Goal:
    told = ratio_to_oracle(rows, OURS, ORACLE)
    ratio = math.inf if told.ratio is None else told.ratio
    return ground.judged(
        "beside the oracle, over the catalogue",
        f"median of ratios at most {ORACLE_RATIO}",
        f"{'–' if told.ratio is None else told.ratio} over {told.scenarios} scenarios, "
        f"{told.missed} of them missed in some run",
        ratio <= ORACLE_RATIO,
        rows,
        OURS + ORACLE,
    )


def _flapping(ground: _Ground, rows: Sequence[Row], cooldown_s: float) -> list[Goal]:
    cells = [(row, row.cells[OURS]) for row in rows if OURS in row.cells]
    apart = min((c.drains_apart_s for _, c in cells if c.drains_apart_s is not None), default=None)
    moves = ", ".join(
        f"{row.scenario}: {cell.most_moves} moves at most, {row.about.strikes} flaps"
        for row, cell in cells
    )
    few = all(
        cell.most_moves <= (row.about.most_moves or _MOVES) < row.about.strikes
        for row, cell in cells
    )
    return [
        ground.judged(
            "flapping: at most one drain per cool-down",
            f"drains of one Region at least {cooldown_s:.0f} s apart",
            "no run has two drains" if apart is None else f"{_s(apart)} apart at the least",
            apart is None or apart >= cooldown_s,
            rows,
            OURS,
            refutes=True,
        ),
        ground.judged(
            "flapping: moves do not grow with flaps",
            "at most as many as the scenario allows, which is fewer than its flaps",
            moves or "none",
            few,
            rows,
            OURS,
            refutes=True,
        ),
    ]


def _s(seconds: float) -> str:
    return "never" if math.isinf(seconds) else f"{seconds:.1f} s"


def table_of(goals: Sequence[Mapping[str, object]]) -> str:
    """As Markdown, from what scenarios.json holds."""
    lines = ["| goal | asked | found | seeds | met |", "|---|---|---|---|---|"]
    for goal in goals:
        met = {True: "yes", False: "**no**", None: f"open: {goal['open_since']}"}
        holds = goal["holds"]
        said = met[holds if isinstance(holds, bool) else None]
        cells = (goal["goal"], goal["asked"], goal["found"], goal["seeds"], said)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
