"""Which settings suit each peer: some tried, the best of each kept.

`make bench-scenarios ARGS="--sweep-peers"`. The benchmark then gives each peer its best
(benchmarks/peers/chosen.py): (a) and (b) their endpoint checks, (c) and (d) their alarms.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import runs_file, table
from benchmarks.fingerprints import fingerprints
from benchmarks.peers.alarms import TEMPLATES_OWN, Setting
from benchmarks.peers.chosen import CHOSEN
from benchmarks.peers.designs import ON_ENDPOINTS, named
from benchmarks.peers.endpoints import TALKS_OWN, Endpoints
from benchmarks.progress import Task
from benchmarks.runs_file import Codes, Figures
from benchmarks.summary import about, finite
from localcloud.scenario import HELD, Scenario
from sidestepctl.scenarios import percentile_95

RUNS = runs_file.RUNS.with_name("sweep-runs.jsonl")
SEEDS = 3
"""Without --seeds."""
ENDPOINTS = (
    TALKS_OWN,
    *(Endpoints(threshold, "health") for threshold in (2, 1)),
    *(Endpoints(1, asked) for asked in ("canary", "both")),
)
"""Of (a) and (b), without --setting."""
ALARMS = (
    TEMPLATES_OWN,
    Setting(2, 1, 1, 20),
    Setting(2, 1, 1, 5),
    Setting(2, 2, 3, 20),
    *(Setting(percent, 1, 1, 20, other_green=True) for percent in (10, 2)),
    Setting(2, 2, 3, 20, other_green=True),
)
"""Of (c) and (d), without --setting."""
RULE = (
    "fewest moves without need; of those, the shortest median time to mitigate over "
    "all runs in which there is a right move, never being longer than any; then the fewest that "
    "were never mitigated; then the one that is named first"
)
BEGIN, END = "<!-- sweep -->", "<!-- /sweep -->"


@dataclass(frozen=True)
class Tried:
    """One setting of one design. Seconds are simulated; None is infinite."""

    setting: str
    hold_runs: int
    """In which the right move is to hold."""
    hold_moved: int
    """Of these: in which something was moved."""
    move_runs: int
    """In which there is a right move."""
    move_wrong: int
    """Of these: in which something else was moved, too."""
    needless: int
    """Moves without need in all of them."""
    missed: int
    """Of these: never mitigated."""
    median_s: float | None
    p95_s: float | None


def scenarios_of(design: str, catalogue: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """Those to try a design's settings in. A Region that is plainly down says nothing of alarms:
    any of them rings."""
    return {
        name: one
        for name, one in catalogue.items()
        if design in ON_ENDPOINTS or not about(one).hard_down
    }


def settings_of(design: str, asked: Sequence[str]) -> list[str]:
    """Those to try with a design: which of `asked` are any of it, or, without, the sweep's own."""
    own: Sequence[object] = ENDPOINTS if design in ON_ENDPOINTS else ALARMS
    return [one for one in dict.fromkeys(asked or map(str, own)) if is_setting(design, one)]


def is_setting(design: str, text: str) -> bool:
    """Whether it says how that design may be set."""
    try:
        named(f"{design}:{text}")
    except ValueError:
        return False
    return True


def tasks_of(
    design: str, settings: Iterable[str], scenarios: Iterable[str], seeds: int
) -> list[Task]:
    """Every run of one design's sweep."""
    keys = [f"{design}:{setting}" for setting in settings]
    names = list(scenarios)
    return [(key, name, seed) for seed in range(1, seeds + 1) for name in names for key in keys]


def codes_of(tasks: Iterable[Task], scenarios: Mapping[str, Scenario]) -> Codes:
    """What these runs hang on: not on how other designs are set, nor on how theirs was chosen."""
    code = fingerprints()
    return {
        (key, name): code.of(named(key), scenario)
        for key in sorted({key for key, _, _ in tasks})
        for name, scenario in scenarios.items()
    }


def results_of(
    runs: Sequence[Figures],
    tasks: Sequence[Task],
    scenarios: Mapping[str, Scenario],
) -> dict[str, Any]:
    """What each design's settings came to, and which is its best. All of `tasks` have been run:
    a setting that was tried in fewer runs than another could not be held beside it."""
    by_task = {(run.design, run.scenario, run.seed): run for run in runs}
    found: dict[str, Any] = {}
    for letter in dict.fromkeys(key.partition(":")[0] for key, _, _ in tasks):
        mine = [task for task in tasks if task[0].partition(":")[0] == letter]
        tried = [
            _tried(key, [by_task[task] for task in mine if task[0] == key], scenarios)
            for key in dict.fromkeys(key for key, _, _ in mine)
        ]
        found[letter] = {
            "best": min(tried, key=_rank).setting,
            "seeds": len({seed for _, _, seed in mine}),
            "hold": [name for name, one in scenarios.items() if one.expect == HELD],
            "move": [name for name, one in scenarios.items() if one.expect != HELD],
            "tried": [asdict(one) for one in tried],
        }
    return {"simulated": True, "rule": RULE, "designs": found}


def _tried(key: str, runs: Sequence[Figures], scenarios: Mapping[str, Scenario]) -> Tried:
    hold = [run for run in runs if scenarios[run.scenario].expect == HELD]
    move = [run for run in runs if scenarios[run.scenario].expect != HELD]
    times = [math.inf if run.mitigated_s is None else run.mitigated_s for run in move]
    return Tried(
        setting=key.partition(":")[2],
        hold_runs=len(hold),
        hold_moved=sum(run.wrong_moves > 0 for run in hold),
        move_runs=len(move),
        move_wrong=sum(run.wrong_moves > 0 for run in move),
        needless=sum(run.wrong_moves for run in runs),
        missed=sum(math.isinf(time) for time in times),
        median_s=finite(statistics.median(times) if times else None),
        p95_s=finite(percentile_95(times) if times else None),
    )


def _rank(tried: Tried) -> tuple[int, float, int]:
    """The least is the best; of equals `min` takes the first."""
    median_s = math.inf if tried.median_s is None else tried.median_s
    return tried.needless, median_s, tried.missed


def write(results: Mapping[str, Any], page: Path, kept: Path = CHOSEN) -> None:
    """Keep what was found; a design that this sweep did not try keeps what it has."""
    before = json.loads(kept.read_text())["designs"] if kept.exists() else {}
    designs = dict(sorted({**before, **results["designs"]}.items()))
    both = {**results, "designs": designs}
    kept.write_text(json.dumps(both, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    table.put_into(page, table_of(both), BEGIN, END)


def table_of(results: Mapping[str, Any] | None) -> str:
    """As Markdown; None: no sweep has been made."""
    if results is None:
        return (
            f"**No sweep is kept**: (a) and (b) are as the talk's, `{TALKS_OWN}`, and (c) and (d) "
            f"have the template's thresholds, `{TEMPLATES_OWN}`."
        )
    lines = [f"Simulated. Best is: {results['rule']}."]
    for letter, of in results["designs"].items():
        seeds = f"{of['seeds']} seed" + ("s" if of["seeds"] != 1 else "")
        lines += [
            "",
            f"({letter}), {seeds} each, hold: {_names(of['hold'])}; move: {_names(of['move'])}",
            "",
            "| setting | hold: moved | move: also moved without need | moves without need "
            "| move: never mitigated | move: median (95th percentile), s |",
            "|---|---|---|---|---|---|",
        ]
        for one in of["tried"]:
            setting = f"`{one['setting']}`" + (" **best**" if one["setting"] == of["best"] else "")
            lines.append(
                f"| {setting} | {one['hold_moved']} of {one['hold_runs']} "
                f"| {one['move_wrong']} of {one['move_runs']} "
                f"| {one['needless']} "
                f"| {one['missed']} of {one['move_runs']} "
                f"| {_s(one['median_s'])} ({_s(one['p95_s'])}) |"
            )
    return "\n".join(lines)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f}"
