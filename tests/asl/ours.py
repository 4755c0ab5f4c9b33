"""Runs a definition under our interpreter, with scripted Tasks, in simulated time."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import simpy

from localcloud.asl import (
    Execution,
    Executions,
    Pattern,
    StateMachine,
    StatesError,
    TaskRequest,
    TaskTokens,
    World,
    load,
)
from tests.asl.scripts import Run, Script, Throw

EPOCH = 1_767_225_600.0
MACHINE = "arn:aws:states:eu-west-2:123456789012:stateMachine:machine"
ROLE = "arn:aws:iam::123456789012:role/machine"
NAME = "run"


class ScriptedRunner:
    """Answers Tasks from a script, each after `takes_s` simulated seconds.

    `meanwhile` holds what happens while a state's Task works, just before it is answered.
    With `calls_back` it also answers `.waitForTaskToken` through the token, at once.
    """

    def __init__(self, env: simpy.Environment, answers: Mapping[str, Sequence[Any]]) -> None:
        self.env, self.script = env, Script(answers)
        self.calls_back: TaskTokens | None = None
        self.requests: list[TaskRequest] = []
        self.interrupted: list[str] = []
        self.takes_s: dict[str, float] = {}
        self.meanwhile: dict[str, Callable[[], None]] = {}

    def run(self, task: TaskRequest) -> Generator[simpy.Event, Any, Any]:
        self.requests.append(task)
        try:
            yield self.env.timeout(self.takes_s.get(task.state, 0))
        except simpy.Interrupt:
            self.interrupted.append(task.state)
            raise
        self.meanwhile.get(task.state, lambda: None)()
        answer = self.script.next(task.state)
        if self.calls_back is not None and task.token is not None:
            if isinstance(answer, Throw):
                self.calls_back.send_task_failure(task.token, answer.error, answer.cause)
            else:
                self.calls_back.send_task_success(task.token, json.dumps(answer))
            return {}
        if task.resource.pattern in (Pattern.SYNC, Pattern.SYNC_2):
            task.submitted({"started": task.state})
        if isinstance(answer, Throw):
            raise StatesError(answer.error, answer.cause)
        return answer


class Bench:
    """A world with one scripted runner, for one test."""

    def __init__(self, answers: Mapping[str, Sequence[Any]] | None = None, seed: int = 1) -> None:
        self.env = simpy.Environment()
        self.runner = ScriptedRunner(self.env, answers or {})
        ids = itertools.count(1)
        self.world = World(
            env=self.env,
            runner=self.runner,
            now=lambda: EPOCH + float(self.env.now),
            random=random.Random(seed),
            new_id=lambda: f"id-{next(ids)}",
        )
        self.executions = Executions(self.world)

    def start(
        self,
        definition: Mapping[str, Any],
        given: Any = None,
        *,
        express: bool = False,
        name: str | None = NAME,
    ) -> Execution:
        """Load the definition and start it."""
        machine = StateMachine(MACHINE, "machine", ROLE, load(definition, express=express))
        return self.executions.start(machine, {} if given is None else given, name)

    def finish(self, definition: Mapping[str, Any], given: Any = None, **how: Any) -> Execution:
        """Start it and run the world until it ends."""
        execution = self.start(definition, given, **how)
        self.env.run(until=execution.done)
        return execution

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something at a simulated moment."""

        def later() -> Generator[simpy.Event, Any, None]:
            yield self.env.timeout(seconds)
            act()

        self.env.process(later())


def run_ours(
    definition: Mapping[str, Any], given: Any, answers: Mapping[str, Sequence[Any]]
) -> Run:
    """Run to the end under our interpreter."""
    bench = Bench(answers)
    bench.runner.calls_back = bench.world.tokens
    execution = bench.finish(definition, given)
    return Run(
        execution.status,
        execution.output,
        execution.error,
        execution.cause,
        execution.history.states(),
        float(bench.env.now),
    )


def machine(states: Mapping[str, Any], start: str | None = None, **more: Any) -> dict[str, Any]:
    """A definition with these states, starting at the first."""
    start_at = start or next(iter(states))
    return {"QueryLanguage": "JSONata", "StartAt": start_at, "States": dict(states), **more}


def task(**fields: Any) -> dict[str, Any]:
    """A Task that invokes a function; scripted runners do not look at what it invokes."""
    resource = "arn:aws:states:::lambda:invoke"
    return {"Type": "Task", "Resource": resource, "Arguments": {"FunctionName": "f"}, **fields}


ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}"},
}
"""A Task that sends its token away and waits for it."""


def caught(state: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with this state as Work, then Done; its errors go to Caught as input."""
    output = "{% $states.errorOutput %}"
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught", "Output": output}]
    ends = {"Type": "Pass", "End": True}
    return machine(
        {"Work": {**state, "Catch": catch, "Next": "Done"}, "Done": ends, "Caught": ends}
    )


def parallel(*states: Mapping[str, Any]) -> dict[str, Any]:
    """A Parallel with a branch for each state, named B0, B1, …"""
    branches = [
        {"StartAt": f"B{index}", "States": {f"B{index}": {**state, "End": True}}}
        for index, state in enumerate(states)
    ]
    return {"Type": "Parallel", "Branches": branches}


def types(execution: Execution) -> list[str]:
    """The types of an execution's events, in order."""
    return [event["type"] for event in execution.history.events]
