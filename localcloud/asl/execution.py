"""One execution of a state machine, from start to stop, as a SimPy process."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import simpy

from localcloud.asl import interpreter
from localcloud.asl.definition import EXPRESS_MAX_SECONDS
from localcloud.asl.errors import TIMEOUT, Aborted, StatesError
from localcloud.asl.functions import functions
from localcloud.asl.history import History, payload
from localcloud.asl.model import Definition
from localcloud.asl.redrive import NotRedrivable, take_up, why_not
from localcloud.asl.tasks import TaskRunner, TaskTokens
from localcloud.asl.visit import Track, Transition, outcome_of

Status = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


@dataclass(frozen=True)
class StateMachine:
    """A definition under a name, with the role it acts in."""

    arn: str
    name: str
    role_arn: str
    definition: Definition


def _unheard(_: Execution, __: Transition) -> None:
    """The hook of a world where nobody listens."""


@dataclass
class World:
    """What executions need from outside: time, chance, names, and who does the Tasks.

    `now` gives epoch seconds; `new_id` gives a fresh unique text. `transition_s` is the time
    one state transition takes (none unless told). `on_transition` hears every state entry and
    exit; it may call the execution's `stop`, which takes effect there and then. While `frozen`
    is an event, no execution enters or leaves a state or tries a Task until it happens.
    """

    env: simpy.Environment
    runner: TaskRunner
    now: Callable[[], float]
    random: random.Random
    new_id: Callable[[], str]
    on_transition: Callable[[Execution, Transition], None] = _unheard
    transition_s: float = 0.0
    frozen: simpy.Event | None = None
    tokens: TaskTokens = field(init=False)
    functions: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = TaskTokens(self.env)
        self.functions = functions(self.now, self.random)


class Execution:
    """A running or finished execution. Dates are epoch seconds; `output` is JSON.

    `done` is a SimPy event that happens, with the execution as its value, when it ends; a
    redriven one has a new one.
    """

    def __init__(
        self, world: World, machine: StateMachine, arn: str, name: str, given: Any
    ) -> None:
        self.world, self.machine = world, machine
        self.arn, self.name, self.input = arn, name, given
        self.status: Status = "RUNNING"
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self.start_date = world.now()
        self.stop_date: float | None = None
        self.redrive_count = 0
        self.redrive_date: float | None = None
        self.history = History(world.now)
        self.done = world.env.event()
        self._track = Track(variables={}, last_event=0)
        self._processes: list[simpy.Process] = []
        self._lines: set[simpy.Process] = set()

    def start(self) -> None:
        """Begin, at this simulated moment."""
        self.history.add(
            "ExecutionStarted",
            0,
            {**payload("input", self.input), "roleArn": self.machine.role_arn},
        )
        self._begin()

    def redrive(self) -> None:
        """RedriveExecution: go on, at this simulated moment, with what did not succeed.

        Raises NotRedrivable, and then nothing has changed.
        """
        reason = why_not(self)
        if reason is not None:
            raise NotRedrivable(reason)
        self.redrive_count += 1
        self.redrive_date = self.world.now()
        take_up(self._track, self.redrive_count, self.error)
        self.status, self.stop_date, self.error, self.cause = "RUNNING", None, None, None
        self.done = self.world.env.event()
        told = {"redriveCount": self.redrive_count}
        self.history.add("ExecutionRedriven", len(self.history.events), told)
        self._begin()

    def _begin(self) -> None:
        self.process(self._live(), line=True)
        definition = self.machine.definition
        limit_s = definition.timeout_s
        if limit_s is None and definition.express:
            limit_s = EXPRESS_MAX_SECONDS
        if limit_s is not None:
            self.world.env.process(self._expire(limit_s, self.redrive_count))

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """StopExecution: end it as ABORTED now. Nothing happens when it has ended already.

        Called from the interpreter's own step (the transition hook) it does not return: no
        further step is taken.
        """
        if self.status != "RUNNING":
            return
        self.error, self.cause = error, cause
        self._finish("ABORTED", 0, {"error": error, "cause": cause})
        self._interrupt()
        if self.world.env.active_process in self._lines:
            raise Aborted

    def process(self, steps: Generator[simpy.Event, Any, Any], line: bool = False) -> simpy.Process:
        """Start a process of this execution; a `line` is one that runs states.

        Its value is an Outcome (visit.py). For the interpreter.
        """
        process = self.world.env.process(outcome_of(steps))
        self._processes = [running for running in self._processes if running.is_alive]
        self._processes.append(process)
        if line:
            self._lines.add(process)
        return process

    def _live(self) -> Generator[simpy.Event, Any, None]:
        track = self._track
        try:
            output = yield from interpreter.run(self, track)
        except StatesError as failed:
            self.error, self.cause = failed.name or None, failed.cause
            details = {"error": self.error, "cause": self.cause}
            self._finish("FAILED", track.last_event, details)
        else:
            self.output = output
            self._finish("SUCCEEDED", track.last_event, payload("output", output))

    def _expire(self, limit_s: float, redrive: int) -> Generator[simpy.Event, Any, None]:
        yield self.world.env.timeout(limit_s)
        if self.status == "RUNNING" and self.redrive_count == redrive:
            # Only the event names States.Timeout; DescribeExecution has no error.
            self._finish("TIMED_OUT", 0, {"error": TIMEOUT})
            self._interrupt()

    def _finish(self, status: Status, previous: int, details: Mapping[str, Any]) -> None:
        self.status, self.stop_date = status, self.world.now()
        self.history.add(_FINAL_EVENT[status], previous, details)
        self.done.succeed(self)

    def _interrupt(self) -> None:
        for process in self._processes:
            if process.is_alive and process is not self.world.env.active_process:
                process.interrupt(self.status)


_FINAL_EVENT: Mapping[Status, str] = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "TIMED_OUT": "ExecutionTimedOut",
    "ABORTED": "ExecutionAborted",
}
