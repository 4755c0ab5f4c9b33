"""Runs a definition's states: generator functions over the frozen definition.

Each track of states is a SimPy process, and so is the work of each Task, so that a time-out,
a failed sibling or a stopped execution can interrupt it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from localcloud.asl import branches, model, work
from localcloud.asl.errors import DATA_LIMIT_EXCEEDED, RUNTIME, StatesError, matches
from localcloud.asl.expressions import Template, to_json
from localcloud.asl.history import payload
from localcloud.asl.retry import Attempts
from localcloud.asl.timestamps import format_timestamp, parse_timestamp
from localcloud.asl.visit import Step, Steps, Track, Transition, Visit, add_event

if TYPE_CHECKING:
    from localcloud.asl.execution import Execution

MAX_PAYLOAD_BYTES = 256 * 1024
"""Largest input, output or result of a state (service-quotas.html)."""


def run(execution: Execution, track: Track) -> Steps:
    """Run a whole machine; its output. Raises StatesError."""
    return (
        yield from run_flow(execution, track, execution.machine.definition.flow, execution.input)
    )


def run_flow(execution: Execution, track: Track, flow: model.Flow, given: Any) -> Steps:
    """Run a line of states from its start to its end; its output. Raises StatesError.

    A track that a redriven execution has left goes on where it stands.
    """
    left = track.current
    name: str | None = flow.start_at
    if track.place is not None:
        name, given = track.place
    while left is not None or name is not None:
        if execution.world.transition_s:
            yield execution.world.env.timeout(execution.world.transition_s)
        yield from _thaw(execution)
        if left is not None:
            visit, left = _go_on(left), None
        else:
            assert name is not None
            visit = _enter(execution, track, flow.states[name], given)
        step = yield from _KINDS[visit.state.kind](visit)
        yield from _thaw(execution)
        _check_size(visit, step.output)
        _exit(visit, step)
        given, name = step.output, step.next
    return given


def _thaw(execution: Execution) -> Steps:
    while execution.world.frozen is not None:
        yield execution.world.frozen


def _go_on(visit: Visit) -> Visit:
    """The state again that did not succeed. Only a Fail is entered anew, to fail anew."""
    if isinstance(visit.state, model.Fail):
        return _enter(visit.execution, visit.track, visit.state, visit.input)
    _tell(visit, "entered", visit.entered)
    return visit


def _enter(execution: Execution, track: Track, state: model.State, given: Any) -> Visit:
    entered = add_event(
        execution,
        f"{state.kind}StateEntered",
        track.last_event,
        {"name": state.name, **payload("input", given)},
    )
    track.last_event = entered
    context: dict[str, Any] = {
        "Execution": {
            "Id": execution.arn,
            "Input": execution.input,
            "Name": execution.name,
            "RoleArn": execution.machine.role_arn,
            "StartTime": format_timestamp(execution.start_date),
            "RedriveCount": execution.redrive_count,
        },
        "StateMachine": {"Id": execution.machine.arn, "Name": execution.machine.name},
        "State": {
            "Name": state.name,
            "EnteredTime": format_timestamp(execution.world.now()),
            "RetryCount": 0,
        },
    }
    if track.item is not None:
        context["Map"] = {"Item": track.item}
    track.current = Visit(execution, track, state, given, entered, context)
    _tell(track.current, "entered", entered)
    return track.current


def _exit(visit: Visit, step: Step) -> None:
    track, state = visit.track, visit.state
    track.variables = {**track.variables, **step.assigned}
    details = {"name": state.name, **payload("output", step.output)}
    if step.assigned:
        details["assignedVariables"] = {k: to_json(v) for k, v in step.assigned.items()}
        details["assignedVariablesDetails"] = {"truncated": False}
    visit.record(f"{state.kind}StateExited", details)
    track.current, track.place = None, (step.next, step.output)
    _tell(visit, "exited", track.last_event)


def _tell(visit: Visit, moment: Literal["entered", "exited"], event_id: int) -> None:
    hook = visit.execution.world.on_transition
    hook(visit.execution, Transition(moment, visit.state.name, event_id))


def _check_size(visit: Visit, value: Any) -> None:
    if len(to_json(value).encode()) > MAX_PAYLOAD_BYTES:
        raise StatesError(
            DATA_LIMIT_EXCEEDED,
            f"The state/task '{visit.state.name}' returned a result with a size exceeding the "
            "maximum number of bytes service limit.",
        )


def _finish(
    visit: Visit,
    default: Any,
    *,
    assign: Template | None,
    output: Template | None,
    next_state: str | None,
    **seen: Any,
) -> Step:
    """Evaluate Output and Assign; both see the variables as they were when the state began."""
    assigned = visit.evaluate(assign, **seen) if assign is not None else {}
    result = visit.evaluate(output, **seen) if output is not None else default
    return Step(result, assigned, next_state)


def _leave(visit: Visit, **seen: Any) -> Step:
    """Finish by the state's own Assign, Output and Next."""
    state = visit.state
    default = seen.get("result", visit.input)
    return _finish(
        visit, default, assign=state.assign, output=state.output, next_state=state.next, **seen
    )


def _pass(visit: Visit) -> Steps:
    return _leave(visit)
    yield


def _fail(visit: Visit) -> Steps:
    state = visit.state
    assert isinstance(state, model.Fail)
    error = visit.text(state.error, "Error") if state.error else ""
    cause = visit.text(state.cause, "Cause") if state.cause else None
    raise StatesError(error, cause)
    yield


def _wait(visit: Visit) -> Steps:
    state, world = visit.state, visit.execution.world
    assert isinstance(state, model.Wait)
    if state.timestamp is None:
        seconds = visit.number(state.seconds, "Seconds", 0)
    else:
        until = visit.text(state.timestamp, "Timestamp")
        try:
            seconds = max(0.0, parse_timestamp(until) - world.now())
        except ValueError as error:
            raise visit.error(RUNTIME, f"{error} (field 'Timestamp')") from error
    yield world.env.timeout(seconds)
    return _leave(visit)


def _choice(visit: Visit) -> Steps:
    state = visit.state
    assert isinstance(state, model.Choice)
    for index, rule in enumerate(state.rules):
        holds = visit.evaluate(rule.condition)
        if not isinstance(holds, bool):
            raise visit.unexpected(rule.condition, f"Choices[{index}]/Condition", "boolean", holds)
        if holds:
            return _finish(
                visit, visit.input, assign=rule.assign, output=rule.output, next_state=rule.next
            )
    if state.next is None:
        # The error-handling page calls this States.NoChoiceMatched; what Step Functions is
        # reported to raise is States.Runtime, the stricter of the two: no Catch sees it.
        raise visit.error(
            RUNTIME,
            "Failed to transition out of the state. The state does not point to a next state.",
        )
    return _leave(visit)
    yield


def _try(attempt: Callable[[Visit], Steps]) -> Callable[[Visit], Steps]:
    """A state that is tried again by its Retry, and whose last error its Catch may take."""

    def tried(visit: Visit) -> Steps:
        state, world = visit.state, visit.execution.world
        assert isinstance(state, model.Working)
        attempts = Attempts(state.retry, world.random)
        while True:
            try:
                yield from _thaw(visit.execution)
                result = yield from attempt(visit)
                _check_size(visit, result)
                return _leave(visit, result=result)
            except StatesError as error:
                delay_s = attempts.delay_s(error.name)
                if delay_s is None:
                    return _give_up(visit, state, error)
            yield world.env.timeout(delay_s)
            visit.context["State"]["RetryCount"] += 1

    return tried


def _give_up(visit: Visit, state: model.Working, error: StatesError) -> Step:
    """What Catch makes of an error that is not tried again; without one it goes on up."""
    if visit.inner_failed and error.name != RUNTIME:
        visit.record(f"{state.kind}StateFailed")
    for catcher in state.catch:
        if matches(catcher.error_equals, error.name):
            told = error.output()
            return _finish(
                visit,
                told,
                assign=catcher.assign,
                output=catcher.output,
                next_state=catcher.next,
                errorOutput=told,
            )
    if visit.track.branch and isinstance(state, model.Task):
        add_event(visit.execution, "TaskStateAborted", visit.track.last_event)
    raise error


_KINDS: Mapping[str, Callable[[Visit], Steps]] = {
    "Pass": _pass,
    "Succeed": _pass,
    "Fail": _fail,
    "Wait": _wait,
    "Choice": _choice,
    "Task": _try(work.task),
    "Parallel": _try(lambda visit: branches.parallel(visit, run_flow)),
    "Map": _try(lambda visit: branches.map_items(visit, run_flow)),
}
