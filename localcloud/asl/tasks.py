"""The port through which Tasks do their work, and the tokens that callbacks come back with."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

import simpy

from localcloud.asl.resources import Pattern, Resource

__all__ = ["Pattern", "TaskRequest", "TaskRunner", "TaskTokens", "Ticket", "TokenError"]


@dataclass(frozen=True)
class TaskRequest:
    """One attempt at a Task: what to call, with what, on whose behalf.

    `arguments` are evaluated JSON, as the definition names them. `token` is set for
    `.waitForTaskToken` only. A runner of `.sync` patterns calls `submitted` with the result
    of starting the job, before it waits for the job.
    """

    resource: Resource
    arguments: Any
    state: str
    attempt: int
    execution_arn: str
    execution_name: str
    state_machine_arn: str
    role_arn: str
    token: str | None = None
    submitted: Callable[[Any], None] = field(default=lambda _: None, compare=False)


class TaskRunner(Protocol):
    """Does the work of Tasks.

    `run` is driven as a SimPy process: it yields events, returns the result as JSON, and
    raises StatesError. For `.waitForTaskToken` it returns once the call is made; the
    interpreter waits for the token. It is interrupted (simpy.Interrupt, or whatever the
    caller throws) when the Task times out or its execution is stopped, and must let go.
    """

    def run(self, task: TaskRequest) -> Generator[simpy.Event, Any, Any]:
        """Call the service of one Task attempt."""
        ...


class TokenError(Exception):
    """A callback that Step Functions refuses; `code` as the API names it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Ticket:
    """An open task token: `done` happens on success or failure, `beat` on each heartbeat."""

    done: simpy.Event
    beat: simpy.Event


@dataclass(frozen=True)
class TaskAnswer:
    """What came back with a token: an output, or an error."""

    output: Any = None
    error: str | None = None
    cause: str | None = None
    failed: bool = False


class TaskTokens:
    """The open task tokens of a world: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.

    Raises TokenError: TaskTimedOut for a token whose Task is over, InvalidToken for one that
    never was, InvalidOutput for an output that is not JSON (API_SendTaskSuccess).
    """

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._open: dict[str, Ticket] = {}
        self._closed: set[str] = set()

    def open(self, token: str) -> Ticket:
        """Let callbacks with this token come in."""
        ticket = Ticket(self._env.event(), self._env.event())
        self._open[token] = ticket
        return ticket

    def close(self, token: str) -> None:
        """The Task is over: refuse later callbacks."""
        if self._open.pop(token, None) is not None:
            self._closed.add(token)

    def send_task_success(self, token: str, output: str) -> None:
        """The work is done; `output` is JSON text."""
        ticket = self._ticket(token)
        try:
            value = json.loads(output)
        except json.JSONDecodeError as error:
            raise TokenError("InvalidOutput", f"The output is not JSON: {error}") from error
        self._answer(token, ticket, TaskAnswer(output=value))

    def send_task_failure(
        self, token: str, error: str | None = None, cause: str | None = None
    ) -> None:
        """The work failed."""
        answer = TaskAnswer(error=error, cause=cause, failed=True)
        self._answer(token, self._ticket(token), answer)

    def send_task_heartbeat(self, token: str) -> None:
        """The work goes on: HeartbeatSeconds starts again."""
        ticket = self._ticket(token)
        ticket.beat.succeed()
        ticket.beat = self._env.event()

    def _ticket(self, token: str) -> Ticket:
        if token in self._open:
            return self._open[token]
        if token in self._closed:
            raise TokenError(
                "TaskTimedOut",
                "The task token has either expired or the task associated with the token "
                "has already been closed.",
            )
        raise TokenError("InvalidToken", "The provided token is not valid")

    def _answer(self, token: str, ticket: Ticket, answer: TaskAnswer) -> None:
        self.close(token)
        ticket.done.succeed(answer)
