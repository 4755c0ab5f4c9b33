"""Parallel and Map: several tracks at once, cancelled together when one fails too many.

https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import simpy

from localcloud.asl import model
from localcloud.asl.errors import EXCEED_TOLERATED_FAILURES, StatesError
from localcloud.asl.visit import Line, Steps, Track, Visit, add_event, finished

if TYPE_CHECKING:
    from localcloud.asl.execution import Execution

INLINE_CONCURRENCY = 40
"""An inline Map runs at most 40 iterations at once (state-map-inline.html)."""

RunFlow = Callable[["Execution", Track, model.Flow, Any], Steps]
_ABORTABLE = (model.Task, model.Parallel, model.Map, model.Wait)
"""States whose abortion is an event of its own (botocore HistoryEventType)."""


def parallel(visit: Visit, run_flow: RunFlow) -> Steps:
    """Every branch at once; the list of their outputs. Raises the first branch's StatesError."""
    state = visit.state
    assert isinstance(state, model.Parallel)
    goes_on, visit.goes_on, visit.inner_failed = visit.goes_on, False, False
    if not goes_on:
        visit.lines = {}
        given = visit.input if state.arguments is None else visit.evaluate(state.arguments)
        visit.record("ParallelStateStarted")
        visit.lines = {
            index: Line(index, _track(visit, visit.track.item), flow, given)
            for index, flow in enumerate(state.branches)
        }
    left = [line for line in visit.lines.values() if not line.done]
    yield from _gather(visit, iter(left), len(left), run_flow, _first_failure)
    return _end(visit, "ParallelStateSucceeded")


def map_items(visit: Visit, run_flow: RunFlow) -> Steps:
    """The processor for each item; the list of outputs.

    An iteration whose failure is tolerated has no place in the result.
    """
    state = visit.state
    assert isinstance(state, model.Map)
    goes_on, visit.goes_on, visit.inner_failed = visit.goes_on, False, False
    if not goes_on:
        visit.lines = {}
        items = visit.input if state.items is None else visit.evaluate(state.items)
        if not isinstance(items, list):
            raise visit.unexpected(state.items, "Items", "array", items)
        visit.items = items
    wanted = int(visit.number(state.max_concurrency, "MaxConcurrency", 0) or INLINE_CONCURRENCY)
    if not goes_on:
        visit.record("MapStateStarted", {"length": len(visit.items)})
    verdict = _tolerance(visit, state, len(visit.items))
    ready = _iterations(visit, state)
    yield from _gather(visit, ready, min(wanted, INLINE_CONCURRENCY), run_flow, verdict)
    return _end(visit, "MapStateSucceeded")


def _iterations(visit: Visit, state: model.Map) -> Iterator[Line]:
    """Each item's line as its turn comes; its ItemSelector sees it in the context."""
    for index, value in enumerate(visit.items):
        if index in visit.lines:
            if not visit.lines[index].done:
                yield visit.lines[index]
            continue
        item = {"Index": index, "Value": value}
        outer = visit.context.get("Map")
        visit.context["Map"] = {"Item": item}
        try:
            selector = state.item_selector
            given = value if selector is None else visit.evaluate(selector)
        finally:
            if outer is None:
                del visit.context["Map"]
            else:
                visit.context["Map"] = outer
        visit.lines[index] = Line(index, _track(visit, item), state.processor, given, state.name)
        yield visit.lines[index]


def _track(visit: Visit, item: Any) -> Track:
    return Track(dict(visit.track.variables), visit.track.last_event, item, branch=True)


Verdict = Callable[[list[StatesError]], StatesError | None]
"""The failures so far → the error that fails the whole state, or None to go on."""


def _first_failure(failures: list[StatesError]) -> StatesError | None:
    return failures[0] if failures else None


def _tolerance(visit: Visit, state: model.Map, total: int) -> Verdict:
    if state.tolerated_count is None and state.tolerated_percentage is None:
        return _first_failure
    count = visit.number(state.tolerated_count, "ToleratedFailureCount", total)
    percentage = visit.number(state.tolerated_percentage, "ToleratedFailurePercentage", 100)

    def verdict(failures: list[StatesError]) -> StatesError | None:
        failed = len(failures)
        if failed <= count and failed * 100 <= percentage * total:
            return None
        return StatesError(
            EXCEED_TOLERATED_FAILURES,
            f"The specified tolerated failure threshold was exceeded: {failed} of {total} failed",
        )

    return verdict


def _gather(
    visit: Visit, ready: Iterator[Line], limit: int, run_flow: RunFlow, verdict: Verdict
) -> Steps:
    """Run the lines to their Outcomes, at most `limit` at once.

    Raises what the verdict says, after cancelling the lines still running.
    """
    execution, track = visit.execution, visit.track
    running: dict[simpy.Process, Line] = {}
    failures: list[StatesError] = []
    try:
        while True:
            while len(running) < limit and (line := next(ready, None)) is not None:
                track.children.append(line.track)
                if not line.started:
                    line.event(execution, "MapIterationStarted")
                line.started, line.outcome = True, None
                steps = run_flow(execution, line.track, line.flow, line.input)
                running[execution.process(steps, line=True)] = line
            if not running:
                return
            yield execution.world.env.any_of(list(running))
            for process in [process for process in running if process.triggered]:
                line = running.pop(process)
                outcome = line.outcome = finished(process)
                track.children.remove(line.track)
                if outcome.error is None:
                    line.event(execution, "MapIterationSucceeded")
                    continue
                line.event(execution, "MapIterationFailed")
                failures.append(outcome.error)
                fatal = verdict(failures)
                if fatal is not None:
                    track.last_event = line.track.last_event
                    visit.inner_failed = True
                    for other in running.values():
                        _abort(execution, other)
                    raise fatal
    finally:
        for process in running:
            if process.is_alive:
                process.interrupt("a sibling failed")
        track.children.clear()


def _abort(execution: Execution, line: Line) -> None:
    """Tell of the states that a cancelled line leaves open, the innermost first."""
    _abort_track(execution, line.track)
    line.event(execution, "MapIterationAborted")


def _abort_track(execution: Execution, track: Track) -> None:
    for child in track.children:
        _abort_track(execution, child)
    if track.current is not None and isinstance(track.current.state, _ABORTABLE):
        kind = track.current.state.kind
        track.last_event = add_event(execution, f"{kind}StateAborted", track.last_event)


def _end(visit: Visit, kind: str) -> list[Any]:
    """What the lines came to, those left out whose failure is tolerated.

    The state goes on from the newest event of its lines; `…Succeeded` stands beside it.
    """
    lines = visit.lines.values()
    newest = [line.track.last_event for line in lines]
    visit.track.last_event = max([visit.track.last_event, *newest])
    add_event(visit.execution, kind, visit.track.last_event)
    return [line.outcome.value for line in lines if line.outcome is not None and line.done]
