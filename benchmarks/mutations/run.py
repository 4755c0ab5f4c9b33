"""`make mutations`: each deliberate bug in a copy of the project, simulated until a seed fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from benchmarks import table
from benchmarks.mutations.catalogue import MUTATIONS
from benchmarks.mutations.mutation import Mutation, StaleMutationError

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "mutations.json"
PAGE = ROOT / "docs" / "simulation.md"
BEGIN, END = "<!-- mutations: written by make mutations -->", "<!-- mutations: end -->"
_UNTRIED: dict[str, Any] = {"seeds": 0, "seed": None, "by": []}
_COPIED = ("functions", "statemachines", "localcloud", "sidestepctl", "template.yaml")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", default=200, show_default=True, help="At most so many for each.")
@click.option("--seed", "first", default=1, show_default=True, help="The first of them.")
@click.option("--workers", type=int, help="Processes. Default: one a core.")
def main(names: tuple[str, ...], seeds: int, first: int, workers: int | None) -> None:
    """Exits 1 when one of them is not caught, or by none of the invariants that it was expected to
    break: then something has failed, and what should have seen it has not. Results of other bugs
    than NAMES stay."""
    unknown = sorted(set(names) - {mutation.name for mutation in MUTATIONS})
    if unknown:
        known = ", ".join(mutation.name for mutation in MUTATIONS)
        raise click.BadParameter(f"no mutation {', '.join(unknown)}: choose of {known}")
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for mutation in MUTATIONS:
        if names and mutation.name not in names:
            continue
        try:
            results[mutation.name] = found = _caught(mutation, seeds, first, workers)
        except StaleMutationError as stale:
            raise click.ClickException(str(stale)) from None
        click.echo(f"{mutation.name}: {_in_words(found)}")
        _write({m.name: results[m.name] for m in MUTATIONS if m.name in results})
    missed = [name for name, found in results.items() if found["seed"] is None]
    astray = [
        mutation.name
        for mutation in MUTATIONS
        if mutation.name in results and _is_astray(mutation, results[mutation.name])
    ]
    if missed or astray:
        told = [("not caught", missed), ("caught by other invariants than expected", astray)]
        words = [f"{what}: {', '.join(which)}" for what, which in told if which]
        raise click.ClickException("; ".join(words))


def _is_astray(mutation: Mutation, found: dict[str, Any]) -> bool:
    """Whether it was caught, and by none of the invariants that it was expected to break."""
    caught = found["seed"] is not None
    return caught and bool(mutation.expected) and not mutation.expected & set(found["by"])


def _caught(mutation: Mutation, seeds: int, first: int, workers: int | None) -> dict[str, Any]:
    """The seed that finds it, after how many, and by which invariants; seed None: none did.

    Raises ClickException when that seed fails without the bug too.
    """
    told = _simulated(mutation, seeds, first, workers, with_it=True)
    result = {"faults": list(mutation.faults), "seeds": told["seeds"], "seed": None, "by": []}
    if told["failed"]:
        failed = min(told["failed"], key=lambda one: int(one["seed"]))
        broken = sorted({words.split(" ")[0].rstrip(":") for words in failed["violations"]})
        result |= {"seed": failed["seed"], "by": broken}
        if _simulated(mutation, 1, int(failed["seed"]), 1, with_it=False)["failed"]:
            raise click.ClickException(f"seed {failed['seed']} fails without {mutation.name} too")
    return result


def _simulated(
    mutation: Mutation, seeds: int, first: int, workers: int | None, with_it: bool
) -> dict[str, Any]:
    """What seeds come to in a copy of the project, with the bug or without."""
    command = [sys.executable, "-W", "ignore", "-m", "sidestepctl.main", "simulate", "--json"]
    command += ["--until-failed", "--seeds", str(seeds), "--seed", str(first)]
    if workers:
        command += ["--workers", str(workers)]
    if mutation.faults:
        command += ["--faults", ",".join(mutation.faults)]
    with _copy() as where:
        if with_it:
            mutation.put_into(where)
        path = os.pathsep.join([str(where / "functions"), str(where)])
        done = subprocess.run(
            command,
            cwd=where,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise click.ClickException(f"{mutation.name}: {done.stderr.strip().splitlines()[-1]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextmanager
def _copy() -> Iterator[Path]:
    """A copy of what a simulation runs."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        where = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".mypy_cache")
                shutil.copytree(source, where / name, ignore=ignored)
            else:
                shutil.copy(source, where / name)
        yield where


def _in_words(found: dict[str, Any]) -> str:
    if found["seed"] is None:
        return f"NOT caught by {found['seeds']} seeds"
    return f"caught by seed {found['seed']} ({', '.join(found['by'])})"


def _when(found: dict[str, Any]) -> str:
    """By which seed it was found, of how many."""
    if not found["seeds"]:
        return "not measured yet"
    seed = "not found" if found["seed"] is None else str(found["seed"])
    return f"{seed} (of {found['seeds']} tried)"


def _write(results: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    table.put_into(PAGE, _table(results), BEGIN, END)


def _table(results: dict[str, Any]) -> str:
    """The results for docs/simulation.md."""
    rows = ["| bug | what it does | found by seed | by | drawn from |", "|---|---|---|---|---|"]
    for mutation in MUTATIONS:
        found = results.get(mutation.name, {**_UNTRIED, "faults": list(mutation.faults)})
        by = ", ".join(f"`{name}`" for name in found["by"]) or "–"
        by += " (others than expected)" if _is_astray(mutation, found) else ""
        faults = ", ".join(found["faults"]) or "all kinds"
        rows.append(f"| `{mutation.name}` | {mutation.what} | {_when(found)} | {by} | {faults} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
