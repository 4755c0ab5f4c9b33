"""The interpreter in the local cloud's own kernel: Tasks that are synchronous Python in fibers."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import simpy

from localcloud.asl import Executions, StateMachine, TaskRequest, World, load
from localcloud.kernel import Kernel
from tests.asl.ours import MACHINE, ROLE, caught, task


class FiberRunner:
    """Does Tasks by synchronous code that sleeps in simulated time."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.let_go_at: float | None = None

    def run(self, request: TaskRequest) -> Generator[simpy.Event, Any, Any]:
        return (yield from self.kernel.call(self._work, request.arguments["Payload"]))

    def _work(self, seconds: float) -> Any:
        try:
            time.sleep(seconds)
        finally:
            self.let_go_at = time.time()
        return {"slept": seconds}


def _finish(seconds: float) -> tuple[Any, FiberRunner, float]:
    with Kernel() as kernel:
        runner = FiberRunner(kernel)
        world = World(
            env=kernel.env,
            runner=runner,
            now=lambda: kernel.now,
            random=kernel.fork("state machines"),
            new_id=lambda: "id",
        )
        work = {**task(TimeoutSeconds=60), "Arguments": {"FunctionName": "f", "Payload": seconds}}
        machine = StateMachine(MACHINE, "machine", ROLE, load(caught(work)))
        execution = Executions(world).start(machine, {})
        kernel.run(until=execution.done)
        kernel.run(until=kernel.env.now + 1)
        return execution.output, runner, execution.start_date


def test_a_fibers_result_is_the_tasks_result() -> None:
    output, _, _ = _finish(30)

    assert output == {"slept": 30}


def test_a_fiber_that_takes_too_long_is_killed_when_the_task_times_out() -> None:
    output, runner, start = _finish(90)

    assert output["Error"] == "States.Timeout"
    assert runner.let_go_at == start + 60
