"""A workflow's real definition with its real handlers, over the control plane of a test.

The two clocks are one: simulated time of the workflow is the time that handlers read.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any

import simpy

from localcloud.asl import (
    Execution,
    Executions,
    StateMachine,
    StatesError,
    TaskRequest,
    World,
    load,
)
from tests.asl.scripts import Throw
from tests.asl.workflows import FOLDER, definition_of
from tests.control.control_plane import VIRGINIA, ControlPlane, holder

STEP_S = 0.5
"""What each step takes."""
_SEEN = {"done": True, "dns_moved": True, "moved_at": 1}
LEFT: dict[str, Any] = {
    "See where clients are sent": {"Payload": {**_SEEN, "traffic_moved": None, "requests": None}},
    "Watch traffic leave": {"Payload": {**_SEEN, "traffic_moved": True, "requests": 0}},
}
"""What is seen from outside, which tests/control/test_looking_from_outside.py is about."""
After = Callable[[str, Callable[[], object]], object]


class Steps:
    """Runs Tasks: Lambda by the real handler, unless `scripted` by the state's name.

    `after` is called with the state and a function that does the step again, after each step
    was done. At the state `dies_at` the Region goes down when the step is done: the execution
    hears nothing any more.
    """

    def __init__(
        self,
        plane: ControlPlane,
        here: str,
        scripted: Mapping[str, Any],
        after: After | None = None,
        dies_at: str = "",
    ) -> None:
        self.env, self.plane, self.here = simpy.Environment(), plane, here
        self.scripted, self.after, self.dies_at = dict(scripted), after, dies_at
        self.died = self.env.event()
        self.told: list[TaskRequest] = []
        """What was announced, in order."""
        self.began = plane.now / 1000
        self.world = World(
            env=self.env,
            runner=self,
            now=lambda: self.began + float(self.env.now),
            random=random.Random(1),
            new_id=lambda: "id",
        )

    def run(self, task: TaskRequest) -> Generator[simpy.Event, Any, Any]:
        """One attempt at a Task."""
        yield self.env.timeout(STEP_S)
        self.plane.clock.move_to(self.began + float(self.env.now))
        answer = self.scripted.get(task.state)
        if isinstance(answer, Throw):
            raise StatesError(answer.error, answer.cause)
        if answer is not None:
            return answer
        named = re.search(r"function:(\w+)FunctionArn", str(task.arguments.get("FunctionName")))
        if named is None:
            self.told.append(task)
            return {}
        handler, given = named[1].lower(), task.arguments["Payload"]

        def step() -> dict[str, Any]:
            return self.plane.invoke(handler, self.here, **given)

        try:
            payload = step()
        except Exception as error:  # as Lambda does: whatever it is, by its class's name
            raise StatesError(type(error).__name__, str(error)) from error
        if self.after is not None:
            self.after(task.state, step)
        if task.state == self.dies_at:
            self.died.succeed()
            yield self.env.event()
        return {"Payload": payload}


def carry_out(
    plane: ControlPlane,
    workflow: str,
    given: Mapping[str, Any],
    here: str = VIRGINIA,
    scripted: Mapping[str, Any] | None = None,
    name: str = "one",
    after: After | None = None,
    dies_at: str = "",
) -> Execution:
    """Run a workflow of a Region to its end, or to that of the Region in which it runs."""
    steps = Steps(plane, here, scripted or {}, after, dies_at)
    arn = holder(name, workflow, here).replace(":execution:", ":stateMachine:").rpartition(":")[0]
    definition = load(definition_of(FOLDER / f"{workflow}.asl.json"), express=False)
    machine = StateMachine(arn, arn.rpartition(":")[2], "role", definition)
    execution = Executions(steps.world).start(machine, dict(given), name)
    steps.env.run(until=execution.done | steps.died)
    return execution


def cut_off_and_redrive(plane: ControlPlane, execution: Execution) -> None:
    """A person stops an execution whose step is not answered, and redrives it at this moment."""
    steps = execution.world.runner
    assert isinstance(steps, Steps)
    steps.dies_at = ""
    execution.stop("Stopped", "its step was not answered")
    steps.env.run(until=plane.now / 1000 - steps.began)
    execution.redrive()
    steps.env.run(until=execution.done)
