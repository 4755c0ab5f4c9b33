"""One attempt at a Task: its call, its clocks, its callback, and what history says of them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, cast

import simpy

from localcloud.asl import model
from localcloud.asl.errors import HEARTBEAT_TIMEOUT, TIMEOUT, TIMEOUTS, StatesError
from localcloud.asl.expressions import to_json
from localcloud.asl.history import payload
from localcloud.asl.resources import Kind, Pattern
from localcloud.asl.tasks import TaskAnswer, TaskRequest, Ticket
from localcloud.asl.visit import Steps, Visit, finished


def task(visit: Visit) -> Steps:
    """Evaluate the arguments, do the work, and tell it; the result. Raises StatesError."""
    state, execution = visit.state, visit.execution
    assert isinstance(state, model.Task)
    tokens, token = execution.world.tokens, None
    visit.context.pop("Task", None)
    if state.resource.pattern is Pattern.WAIT_FOR_TASK_TOKEN:
        token = execution.world.new_id()
        visit.context["Task"] = {"Token": token}
    arguments = visit.input if state.arguments is None else visit.evaluate(state.arguments)
    timeout_s = visit.number(state.timeout_s, "TimeoutSeconds", None, low=1)
    heartbeat_s = visit.number(state.heartbeat_s, "HeartbeatSeconds", None, low=1)
    _scheduled(visit, state, arguments, timeout_s, heartbeat_s)
    ticket = tokens.open(token) if token is not None else None
    request = TaskRequest(
        resource=state.resource,
        arguments=arguments,
        state=state.name,
        attempt=visit.context["State"]["RetryCount"],
        execution_arn=execution.arn,
        execution_name=execution.name,
        state_machine_arn=execution.machine.arn,
        role_arn=execution.machine.role_arn,
        token=token,
        submitted=lambda output: _tell(visit, state, "Submitted", payload("output", output)),
    )
    try:
        result = yield from _in_time(visit, request, ticket, timeout_s, heartbeat_s)
    except StatesError as error:
        ending = "TimedOut" if error.name in TIMEOUTS else "Failed"
        _tell(visit, state, ending, {"error": error.name, "cause": error.cause})
        raise
    finally:
        if token is not None:
            tokens.close(token)
    _tell(visit, state, "Succeeded", payload("output", result))
    return result


def _in_time(
    visit: Visit,
    request: TaskRequest,
    ticket: Ticket | None,
    timeout_s: float | None,
    heartbeat_s: float | None,
) -> Steps:
    """The work, interrupted when its time is up; then the callback, where there is one."""
    world = visit.execution.world
    ends = [] if timeout_s is None else [world.env.timeout(timeout_s)]
    worker = visit.execution.process(world.runner.run(request))
    try:
        yield world.env.any_of([worker, *ends])
        if not worker.triggered:
            raise StatesError(TIMEOUT)
    finally:
        if worker.is_alive:
            worker.interrupt("the Task is over")
    outcome = finished(worker)
    if outcome.error is not None:
        raise outcome.error
    if ticket is None:
        return outcome.value
    request.submitted(outcome.value)
    return (yield from _called_back(world.env, ticket, ends, heartbeat_s))


def _called_back(
    env: simpy.Environment, ticket: Ticket, ends: list[simpy.Timeout], heartbeat_s: float | None
) -> Generator[simpy.Event, Any, Any]:
    """Wait for the token; HeartbeatSeconds starts anew with each heartbeat."""
    while True:
        silence = [] if heartbeat_s is None else [env.timeout(heartbeat_s)]
        beat = ticket.beat
        yield env.any_of([ticket.done, beat, *ends, *silence])
        if ticket.done.triggered:
            answer = cast(TaskAnswer, ticket.done.value)
            if answer.failed:
                raise StatesError(answer.error or "", answer.cause)
            return answer.output
        if any(end.processed for end in ends):
            raise StatesError(TIMEOUT)
        if not beat.triggered:
            raise StatesError(HEARTBEAT_TIMEOUT)


def _scheduled(
    visit: Visit,
    state: model.Task,
    arguments: Any,
    timeout_s: float | None,
    heartbeat_s: float | None,
) -> None:
    clocks: dict[str, Any] = {"timeoutInSeconds": timeout_s, "heartbeatInSeconds": heartbeat_s}
    resource = state.resource
    if resource.kind is Kind.FUNCTION:
        del clocks["heartbeatInSeconds"]
        details = {"resource": resource.arn, **payload("input", arguments), **clocks}
        visit.record("LambdaFunctionScheduled", details)
        visit.record("LambdaFunctionStarted")
        return
    region = visit.execution.machine.arn.split(":")[3]
    details = {"region": region, "parameters": to_json(arguments), **clocks}
    _tell(visit, state, "Scheduled", details)
    _tell(visit, state, "Started", {})


def _tell(visit: Visit, state: model.Task, moment: str, details: Mapping[str, Any]) -> None:
    """Record a Task event, or its LambdaFunction twin for a function's own ARN."""
    if state.resource.kind is Kind.FUNCTION:
        visit.record(f"LambdaFunction{moment}", details)
        return
    resource = state.resource
    where = {"resourceType": resource.history_type, "resource": resource.history_resource}
    visit.record(f"Task{moment}", {**where, **details})
