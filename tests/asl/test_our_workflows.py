"""Our own workflows come to the same under moto's interpreter as under ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.asl import load
from tests.asl.agreement import assert_agree
from tests.asl.runs import SCENARIOS
from tests.asl.scripts import Throw
from tests.asl.workflows import FOLDER, Scenario, definition_of, files, tasks_of

# observe runs every minute for little money (docs/architecture.md); the others wait for weeks.
EXPRESS = {"observe"}


def _name(path: Path) -> str:
    return path.name.removesuffix(".asl.json")


@pytest.mark.parametrize("path", files(), ids=_name)
def test_a_workflow_loads_strictly(path: Path) -> None:
    assert load(definition_of(path), express=_name(path) in EXPRESS).flow.states


@pytest.mark.parametrize("error", ["Scripted.Error", "LeaseLost"])
@pytest.mark.parametrize("path", files(), ids=_name)
def test_a_workflow_whose_every_task_fails_ends_the_same_way(path: Path, error: str) -> None:
    definition = definition_of(path)
    answers = {state: [Throw(error)] for state in tasks_of(definition)}

    assert_agree(definition, {}, answers, concurrent=True)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda run: f"{run.workflow}: {run.name}")
def test_a_workflow_runs_the_same(scenario: Scenario) -> None:
    definition = definition_of(FOLDER / f"{scenario.workflow}.asl.json")

    run = assert_agree(definition, scenario.given, scenario.answers, concurrent=scenario.concurrent)

    assert run.status == scenario.ends
    assert set(scenario.passes) <= set(run.states)
