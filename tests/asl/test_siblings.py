"""Branches and iterations: how many at once, and who is cancelled when one fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asl.ours import ASK, Bench, caught, machine, parallel, task, types
from tests.asl.scripts import Throw

OK: dict[str, Any] = {"Payload": 1}


def test_a_failed_branch_cancels_the_others_there_and_then() -> None:
    bench = Bench({"B0": [Throw("Boom")], "B1": [OK], "B3": [{}]})
    bench.runner.takes_s.update(B0=3, B1=60)

    execution = bench.finish(caught(parallel(task(), task(), {"Type": "Wait", "Seconds": 90}, ASK)))

    assert (execution.output["Error"], bench.env.now) == ("Boom", 3)
    assert bench.runner.interrupted == ["B1"]
    aborted = [kind for kind in types(execution) if kind.endswith("Aborted")]
    assert aborted == [
        "TaskStateAborted",
        "TaskStateAborted",
        "WaitStateAborted",
        "TaskStateAborted",
    ]


def test_a_cancelled_branch_takes_no_further_step() -> None:
    bench = Bench({"B0": [Throw("Boom")]})
    bench.runner.takes_s["B0"] = 5
    late = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 6, "Next": "Late"},
                                       "Late": {"Type": "Pass", "End": True}}}  # fmt: skip
    state = parallel(task())
    state["Branches"].append(late)

    execution = bench.finish(caught(state))
    bench.env.run(until=100)

    assert "Late" not in execution.history.states()


def test_map_runs_no_more_iterations_at_once_than_it_may() -> None:
    bench = Bench({"I": [OK]})
    bench.runner.takes_s["I"] = 10
    iteration = {"StartAt": "I", "States": {"I": task(End=True)}}
    items = list(range(5))
    states = {"M": {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": iteration, "End": True}}

    bench.finish(machine(states), items)

    assert bench.env.now == 30


def test_map_without_a_limit_runs_forty_at_once() -> None:
    bench = Bench({"I": [OK]})
    bench.runner.takes_s["I"] = 10
    iteration = {"StartAt": "I", "States": {"I": task(End=True)}}
    states = {"M": {"Type": "Map", "ItemProcessor": iteration, "End": True}}

    bench.finish(machine(states), list(range(81)))

    assert bench.env.now == 30


@pytest.mark.parametrize(
    ("tolerance", "outcome"),
    [
        ({}, "Boom"),
        ({"ToleratedFailureCount": 1}, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailureCount": 2}, None),
        ({"ToleratedFailureCount": "{% 2 %}"}, None),
        ({"ToleratedFailurePercentage": 49}, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 50}, None),
    ],
)
def test_map_tolerates_as_many_failures_as_it_says(
    tolerance: dict[str, Any], outcome: str | None
) -> None:
    bench = Bench({"I": [Throw("Boom"), Throw("Boom"), {"n": 3}, {"n": 4}]})
    iteration = {"StartAt": "I", "States": {"I": task(End=True)}}
    state = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": iteration, **tolerance}

    execution = bench.finish(caught(state), [1, 2, 3, 4])

    if outcome is None:
        assert execution.output == [{"n": 3}, {"n": 4}]
    else:
        assert execution.output["Error"] == outcome
