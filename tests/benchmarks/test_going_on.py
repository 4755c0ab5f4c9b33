"""Which runs a change makes anew, in which order runs are made, and how long it still takes."""

from __future__ import annotations

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.fingerprints import NOT_THEIRS, Fingerprints, fingerprints, worlds
from benchmarks.peers.designs import BY_KEY
from benchmarks.progress import Progress, in_order
from localcloud.scenario import load
from tests.cli.running import ROOT


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's code."""
    copy = tmp_path_factory.mktemp("code")
    for name in ("functions", "statemachines", "localcloud", "benchmarks", "sidestepctl"):
        left_out = shutil.ignore_patterns("__pycache__", "results")
        shutil.copytree(ROOT / name, copy / name, ignore=left_out)
    shutil.copy(ROOT / "template.yaml", copy)
    return copy


@pytest.mark.parametrize(
    ("changed", "ours", "peers"),
    [
        ("functions/sidestep/control/vote.py", True, False),
        ("functions/sidestep/core/decide.py", True, False),
        ("statemachines/observe.asl.json", True, False),
        ("functions/sidestep/api/write.py", True, True),
        ("functions/sidestep/core/messages.py", True, True),
        ("localcloud/clients.py", True, True),
        ("sidestepctl/report.py", True, True),
        ("benchmarks/peers/controllers.py", False, True),
        ("localcloud/scenarios/flapping.yaml", False, False),
        ("localcloud/simulation/plan.py", False, False),
    ],
)
def test_a_change_makes_those_runs_anew_that_it_matters_to(
    code: Path, changed: str, ours: bool, peers: bool
) -> None:
    before, file = fingerprints(code), code / changed
    file.write_text(file.read_text() + "\n")
    after = fingerprints(code)

    assert (before.ours != after.ours, before.peers != after.peers) == (ours, peers)


def test_what_makes_no_peers_runs_anew_is_nothing_that_the_api_takes_from() -> None:
    api = (ROOT / "functions" / "sidestep" / "api").glob("*.py")
    todo, taken = [f"sidestep.api.{file.stem}" for file in api], set[str]()
    while todo:
        module = todo.pop()
        file = ROOT / "functions" / f"{module.replace('.', '/')}.py"
        if file.exists() and module not in taken:
            taken.add(module)
            todo += imported(file)

    aside = [one.removesuffix(".py").replace("/", ".") for one in NOT_THEIRS]
    left_out = [one.removeprefix("functions.") for one in aside]

    assert "sidestep.core.messages" in taken
    assert not [module for module in taken for one in left_out if module.startswith(one)]


def imported(file: Path) -> list[str]:
    """What of ours it imports: modules, and names in them, which may be modules."""
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sidestep"):
            found += [str(node.module), *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            found += [one.name for one in node.names if one.name.startswith("sidestep")]
    return found


@pytest.mark.parametrize(
    ("changed", "other"),
    [
        ("localcloud/simulation/plan.py", True),
        ("statemachines/observe.asl.json", True),
        ("functions/sidestep/core/decide.py", True),
        ("localcloud/scenarios/flapping.yaml", False),
        ("sidestepctl/report.py", False),
    ],
)
def test_seeds_are_of_the_code_that_their_worlds_run(code: Path, changed: str, other: bool) -> None:
    before, file = worlds(code), code / changed
    file.write_text(file.read_text() + "\n")

    assert (worlds(code) != before) == other


def test_a_scenario_that_changes_makes_its_own_runs_anew() -> None:
    prints, flapping = Fingerprints("ours", "peers"), load("flapping")
    longer = replace(flapping, faults=(replace(flapping.faults[0], times=7),))

    for design in BY_KEY.values():
        assert prints.of(design, flapping) != prints.of(design, longer)
        assert prints.of(design, flapping) == prints.of(design, replace(flapping, why="words"))
    assert prints.of(BY_KEY["b"], flapping) != prints.of(BY_KEY["e"], flapping)


def test_seeds_are_made_whole_and_sidesteps_runs_first() -> None:
    tasks = [(design, "down", seed) for design in "be" for seed in (2, 1)]

    assert in_order(tasks) == [(d, "down", seed) for seed in (1, 2) for d in "eb"]


def test_how_long_it_still_takes_is_told_by_what_such_runs_have_taken() -> None:
    tasks = [("e", "down", 1), *[("b", "down", seed) for seed in range(1, 11)]]
    progress = Progress(tasks, known=[("e", 30.0), ("b", 6.0)])

    # 30 of 90 CPU seconds are done after ten minutes.
    assert progress.add("e", 30.0, elapsed_s=600.0) == "1/11, 20 min to go"
    assert progress.add("b", 6.0, elapsed_s=720.0) == "2/11, 18 min to go"
