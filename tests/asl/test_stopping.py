"""Stopping an execution: at any moment, from anywhere, and it takes no further step."""

from __future__ import annotations

from typing import Any

from localcloud.asl import Execution
from localcloud.asl.visit import Transition
from tests.asl.ours import EPOCH, Bench, caught, parallel, task, types

OK: dict[str, Any] = {"Payload": 1}


def test_stopping_an_execution_interrupts_all_its_work() -> None:
    bench = Bench({"B0": [OK], "B1": [OK]})
    bench.runner.takes_s.update(B0=60, B1=60)
    execution = bench.start(caught(parallel(task(), task())))
    bench.at(7, lambda: execution.stop("Enough", "said so"))

    bench.env.run(until=8)

    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Enough", "said so")
    assert execution.stop_date == EPOCH + 7
    assert bench.runner.interrupted == ["B0", "B1"]
    assert types(execution)[-1] == "ExecutionAborted"


def test_stopping_an_execution_that_has_ended_changes_nothing() -> None:
    execution = Bench({"Work": [OK]}).finish(caught(task()))

    execution.stop("late")

    assert (execution.status, execution.error) == ("SUCCEEDED", None)


def test_an_execution_can_be_stopped_at_every_transition() -> None:
    definition = caught(parallel(task(), {"Type": "Pass"}))
    passed: list[Transition] = []
    whole = Bench({"B0": [OK]})
    whole.world.on_transition = lambda _, transition: passed.append(transition)
    whole.finish(definition)

    for count in range(1, len(passed) + 1):
        bench = Bench({"B0": [OK]})
        heard: list[Transition] = []

        def crash(
            execution: Execution,
            at: Transition,
            heard: list[Transition] = heard,
            count: int = count,
        ) -> None:
            heard.append(at)
            if len(heard) == count:
                execution.stop("Crash")

        bench.world.on_transition = crash
        execution = bench.start(definition)
        bench.env.run(until=1000)

        assert (execution.status, execution.error) == ("ABORTED", "Crash")
        assert heard == passed[:count]


def test_a_task_can_stop_its_own_execution() -> None:
    bench = Bench({"Work": [OK]})
    execution = bench.start(caught(task()))
    bench.runner.takes_s["Work"] = 1
    bench.runner.meanwhile["Work"] = lambda: execution.stop("Myself")

    bench.env.run(until=10)

    assert (execution.status, execution.history.states()) == ("ABORTED", ["Work"])
