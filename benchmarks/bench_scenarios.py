"""`make bench-scenarios`: the catalogue under six designs; the table, the picture, the figures."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import click

from benchmarks import runs_file, summary, table
from benchmarks.peers.designs import BY_KEY, DESIGNS
from benchmarks.peers.run import carry_out
from benchmarks.picture import picture_of
from benchmarks.runs_file import ROOT, Figures
from localcloud.fault_kinds import KINDS
from localcloud.run import Outcome
from localcloud.scenario import HELD, ScenarioError, load, names
from sidestepctl.report import report_of

RESULTS = ROOT / "benchmarks" / "results"
Task = tuple[str, str, int]


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1), help="Seeds each.")
@click.option("--only", default="abcdef", show_default=True, help="Which designs, by letter.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; as many as cores without it.")
@click.option("--runs-only", is_flag=True, help="Make runs, and write no table and no picture.")
def main(
    scenarios: tuple[str, ...], seeds: int, only: str, jobs: int | None, runs_only: bool
) -> None:
    """Run what is missing, then write README.md's table, the picture and the figures.

    Finished runs are kept in benchmarks/results/runs.jsonl: stop it with Ctrl-C and go on later.
    A run of other code than this is made anew.
    """
    unknown = sorted(set(only) - set(BY_KEY))
    if unknown:
        raise click.BadParameter(f"no design {', '.join(unknown)}: choose of {''.join(BY_KEY)}")
    chosen = list(scenarios) or names()
    try:
        expected = {name: load(name).expect for name in chosen}
    except ScenarioError as error:
        raise click.BadParameter(str(error)) from None
    code = runs_file.fingerprint()
    known = {runs_file.key(r.design, r.scenario, r.seed) for r in runs_file.finished(code)}
    wanted = [(d, s, seed) for seed in range(1, seeds + 1) for s in chosen for d in only]
    _make([task for task in wanted if task not in known], code, jobs)
    if not runs_only:
        _write(expected, code)


def _make(tasks: Sequence[Task], code: str, jobs: int | None) -> None:
    """Make these runs, seeds outermost, each kept as it ends."""
    if not tasks:
        return
    click.echo(f"{len(tasks)} runs to make")
    with ProcessPoolExecutor(jobs or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        pending = {pool.submit(_figures, *task, code): task for task in tasks}
        try:
            for number, done in enumerate(as_completed(pending), start=1):
                figures = done.result()
                runs_file.add(figures)
                click.echo(f"{number}/{len(tasks)} {_in_words(figures)}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _figures(design: str, scenario: str, seed: int, code: str) -> Figures:
    began = time.process_time()
    outcome = carry_out(BY_KEY[design], load(scenario), seed)
    report = report_of(outcome)
    return Figures(
        design=design,
        scenario=scenario,
        seed=seed,
        code=code,
        ok=report.ok,
        mitigated_s=report.mitigated_s,
        client_errors=report.clients.errors,
        requests=report.clients.requests,
        moves=len(report.moves),
        wrong_moves=_wrong_moves(outcome, design),
        acknowledged=report.writes.acknowledged,
        lost=report.writes.lost,
        cpu_s=round(time.process_time() - began, 1),
    )


def _wrong_moves(outcome: Outcome, design: str) -> int:
    """Moves without need. Of a peer: none of a Region that something struck is, unless the right
    move was to hold. It cannot know which of two ill Regions a scenario is about."""
    if BY_KEY[design].template is None or outcome.scenario.expect == HELD:
        return report_of(outcome).wrong_moves
    struck = {f.region for f in outcome.scenario.faults if not KINDS[f.kind].aside}
    return sum(move["region"] not in struck for move in outcome.moves)


def _in_words(figures: Figures) -> str:
    took = "never" if figures.mitigated_s is None else f"{figures.mitigated_s:.0f} s"
    return f"({figures.design}) {figures.scenario}, seed {figures.seed}: mitigated {took}"


def _write(expected: dict[str, str], code: str) -> None:
    """Write the figures, the picture and the table from all finished runs of this code."""
    rows = summary.rows_of(expected, list(runs_file.finished(code)))
    if not rows:
        raise click.ClickException("no finished run of this code: nothing to write")
    designs = {design.key: design.name for design in DESIGNS}
    results = summary.as_json(rows, designs, code)
    (RESULTS / "scenarios.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "scenarios.svg").write_text(picture_of(results))
    table.put_into(ROOT / "README.md", table.table_of(results))
    click.echo("written: README.md, benchmarks/results/scenarios.json, scenarios.svg")


if __name__ == "__main__":
    main()
