"""`make bench-scenarios`: the catalogue under six designs; the table, the picture, the figures.

And, asked for with --sweep-peers, which settings suit the peers best.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from benchmarks import goals, runs_file, summary, sweep, table
from benchmarks.fingerprints import ROOT, Fingerprints, fingerprints
from benchmarks.one_run import figures_of
from benchmarks.peers.alarms import TEMPLATES_OWN
from benchmarks.peers.designs import BY_KEY, DESIGNS, ON_ALARMS, ON_ENDPOINTS
from benchmarks.peers.endpoints import TALKS_OWN
from benchmarks.picture import picture_of
from benchmarks.progress import Progress, Task, in_order
from benchmarks.runs_file import Codes, Figures
from localcloud.scenario import Scenario, ScenarioError, load, names
from sidestep.core.policy import Policy
from sidestepctl.one_line import OneLine
from sidestepctl.workers import give_up, lost_ones_told, pool_of

RESULTS = ROOT / "benchmarks" / "results"
FIGURES = RESULTS / "scenarios.json"
PAGE = ROOT / "docs" / "benchmark.md"
BEGIN, END = "<!-- goals -->", "<!-- /goals -->"
SEEDS = 20
"""Without --seeds: what the goals ask for."""
Known = Iterable[tuple[str, float]]


@click.command(cls=OneLine)
@click.argument("scenarios", nargs=-1)
@click.option("--seeds", type=click.IntRange(1), help="Seeds each: 20; in a sweep 3.")
@click.option("--only", default="abcdef", show_default=True, help="Which designs, by letter.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; as many as cores without it.")
@click.option("--runs-only", is_flag=True, help="Make runs, and tell and write no table.")
@click.option("--sweep-peers", is_flag=True, help="Try settings of (a) to (d), keep the best.")
@click.option(
    "--setting", "settings", multiple=True, help="Of a sweep: x1-both, 10%-2of3-20; may repeat."
)
@click.option("--redraw", is_flag=True, help="Make no run: table and picture of the kept figures.")
def main(
    scenarios: tuple[str, ...],
    seeds: int | None,
    only: str,
    jobs: int | None,
    runs_only: bool,
    sweep_peers: bool,
    settings: tuple[str, ...],
    redraw: bool,
) -> None:
    """Run what is missing, then write README.md's table, the picture, the figures and the goals.

    Finished runs are kept in benchmarks/results/runs.jsonl: stop it with Ctrl-C and go on later.
    A run of other code than this is made anew. SCENARIOS: which to run; the catalogue without.
    Where one of them is the path of a YAML file of your own, their table is printed, and nothing
    but runs is written.

    A sweep tries settings of the endpoint checks of (a) and (b), then of the alarms of (c) and
    (d). What it finds best holds for the benchmark from then on, and is written in
    docs/benchmark.md; with SCENARIOS it is printed only.
    """
    if redraw:
        _draw(json.loads(FIGURES.read_text()))
        click.echo("drawn anew from benchmarks/results/scenarios.json, of whatever code it is")
        return
    unknown = sorted(set(only) - set(BY_KEY))
    if unknown:
        raise click.BadParameter(f"no design {', '.join(unknown)}: choose of {''.join(BY_KEY)}")
    chosen = list(dict.fromkeys(scenarios)) or names()
    with_own = not set(chosen) <= set(names())
    try:
        loaded = {name: load(name) for name in dict.fromkeys([*names(), *chosen])}
    except ScenarioError as error:
        raise click.BadParameter(str(error)) from None
    if sweep_peers or settings:
        _sweep(loaded, scenarios, settings, seeds or sweep.SEEDS, only, jobs)
        return
    code = fingerprints()
    codes = {(d.key, s): code.of(d, loaded[s]) for d in DESIGNS for s in loaded}
    runs = _finished(codes)
    known = {(run.design, run.scenario, run.seed) for run in runs}
    wanted = [(d, s, seed) for seed in range(1, (seeds or SEEDS) + 1) for s in chosen for d in only]
    tasks = in_order(task for task in wanted if task not in known)
    make(tasks, codes, [(run.design, run.cpu_s) for run in runs], jobs)
    if runs_only:
        return
    if with_own:
        click.echo(own_table({name: loaded[name] for name in chosen}, _finished(codes)))
    else:
        _write(loaded, code, runs_file.finished(codes))
        runs_file.tidy(codes)


def file_of(scenario: str) -> Path:
    """Where runs of a scenario of the catalogue, or of the user's own, are kept."""
    return runs_file.RUNS if scenario in names() else runs_file.OWN


def _finished(codes: Codes) -> list[Figures]:
    return [*runs_file.finished(codes), *runs_file.finished(codes, runs_file.OWN)]


def own_table(scenarios: Mapping[str, Scenario], runs: Sequence[Figures]) -> str:
    """These scenarios' finished runs, as the README has the catalogue's."""
    abouts = {name: summary.about(scenario) for name, scenario in scenarios.items()}
    rows = summary.rows_of(abouts, [run for run in runs if run.scenario in scenarios])
    if not rows:
        raise click.ClickException(f"no finished run of {', '.join(scenarios)}: nothing to tell")
    return table.table_of(summary.as_json(rows, {d.key: d.name for d in DESIGNS}, {}))


def _sweep(
    loaded: Mapping[str, Scenario],
    scenarios: Sequence[str],
    settings: Sequence[str],
    seeds: int,
    only: str,
    jobs: int | None,
) -> None:
    """Try settings, and keep the best where all scenarios of a sweep were run.

    One design after the other, since what is best for (b) is what others have besides.
    """
    designs = [key for key in (*ON_ENDPOINTS, *ON_ALARMS) if key in only]
    if not designs:
        raise click.BadParameter("a sweep is of (a) to (d): choose --only of abcd")
    for setting in settings:
        if not any(sweep.is_setting(design, setting) for design in designs):
            forms = f"{TALKS_OWN} for (a) and (b), {TEMPLATES_OWN} for (c) and (d)"
            raise click.BadParameter(f"no setting {setting!r}: write it as {forms}")
    catalogue = {name: loaded[name] for name in names()}
    for design in designs:
        tried = sweep.settings_of(design, settings)
        if not tried:
            continue
        worlds = {s: loaded[s] for s in scenarios} or sweep.scenarios_of(design, catalogue)
        wanted = sweep.tasks_of(design, tried, worlds, seeds)
        codes = sweep.codes_of(wanted, worlds)
        runs = runs_file.finished(codes, sweep.RUNS)
        done = {(run.design, run.scenario, run.seed) for run in runs}
        tasks = in_order(task for task in wanted if task not in done)
        make(tasks, codes, [(run.design, run.cpu_s) for run in runs], jobs, sweep.RUNS)
        results = sweep.results_of(runs_file.finished(codes, sweep.RUNS), wanted, worlds)
        click.echo(sweep.table_of(results))
        if not scenarios:
            sweep.write(results, PAGE)
            runs_file.tidy(codes, sweep.RUNS)
    if not scenarios:
        click.echo("written: docs/benchmark.md and benchmarks/results/sweep.json")


def make(
    tasks: Sequence[Task], codes: Codes, known: Known, jobs: int | None, path: Path | None = None
) -> None:
    """Make these runs in their order, each kept as it ends (in `path`, or its scenario's file)."""
    if not tasks:
        return
    click.echo(f"{len(tasks)} runs to make")
    progress, began = Progress(tasks, known), time.monotonic()
    with pool_of(jobs) as pool:
        try:
            with lost_ones_told("run it again with fewer --jobs: it goes on where it was"):
                pending = [pool.submit(figures_of, *task, codes[task[:2]]) for task in tasks]
                for done in as_completed(pending):
                    run = done.result()
                    runs_file.add(run, path or file_of(run.scenario))
                    so_far = progress.add(run.design, run.cpu_s, time.monotonic() - began)
                    click.echo(f"{so_far}: {_in_words(run)}")
        except BaseException:
            give_up(pool)
            raise


def _in_words(run: Figures) -> str:
    took = "never" if run.mitigated_s is None else f"{run.mitigated_s:.0f} s"
    return f"({run.design}) {run.scenario}, seed {run.seed}: mitigated {took}"


def _write(scenarios: Mapping[str, Scenario], code: Fingerprints, runs: Sequence[Figures]) -> None:
    """Write the figures, the picture, the table and the goals from all finished runs."""
    abouts = {name: summary.about(scenario) for name, scenario in scenarios.items()}
    rows = summary.rows_of(abouts, runs)
    if not rows:
        raise click.ClickException("no finished run of this code: nothing to write")
    designs = {design.key: design.name for design in DESIGNS}
    found = goals.goals_of(rows, names(), Policy().cooldown_s)
    results = summary.as_json(rows, designs, asdict(code)) | {"goals": [asdict(g) for g in found]}
    FIGURES.write_text(json.dumps(results, indent=2, allow_nan=False) + "\n")
    _draw(results)
    for goal in found:
        click.echo(goal.in_words())
    click.echo("written: README.md, docs/benchmark.md, benchmarks/results/scenarios.json and .svg")


def _draw(results: Mapping[str, Any]) -> None:
    """The picture, the README's table and the goals, of these figures."""
    (RESULTS / "scenarios.svg").write_text(picture_of(results))
    table.put_into(ROOT / "README.md", table.table_of(results))
    table.put_into(PAGE, goals.table_of(results["goals"]), BEGIN, END)


if __name__ == "__main__":
    main()
