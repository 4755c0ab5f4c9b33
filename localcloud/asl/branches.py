"""Parallel and Map: several tracks at once, cancelled together when one fails too many.

https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy

from localcloud.asl import model
from localcloud.asl.errors import EXCEED_TOLERATED_FAILURES, StatesError
from localcloud.asl.visit import Outcome, Steps, Track, Visit, add_event, finished

if TYPE_CHECKING:
    from localcloud.asl.execution import Execution

INLINE_CONCURRENCY = 40
"""An inline Map runs at most 40 iterations at once (state-map-inline.html)."""

RunFlow = Callable[["Execution", Track, model.Flow, Any], Steps]
_ABORTABLE = (model.Task, model.Parallel, model.Map, model.Wait)
"""States whose abortion is an event of its own (botocore HistoryEventType)."""


@dataclass
class _Line:
    """One track with its work; `index` is its place in the result, and in Map's events."""

    index: int
    track: Track
    flow: model.Flow
    input: Any
    iteration_of: str | None = None

    def event(self, execution: Execution, kind: str) -> None:
        """Tell of an iteration; a Parallel's branch has no events of its own."""
        if self.iteration_of is not None:
            details = {"name": self.iteration_of, "index": self.index}
            self.track.last_event = add_event(execution, kind, self.track.last_event, details)


def parallel(visit: Visit, run_flow: RunFlow) -> Steps:
    """Every branch at once; the list of their outputs. Raises the first branch's StatesError."""
    state = visit.state
    assert isinstance(state, model.Parallel)
    given = visit.input if state.arguments is None else visit.evaluate(state.arguments)
    visit.inner_failed = False
    visit.record("ParallelStateStarted")
    lines = [
        _Line(index, _track(visit, visit.track.item), flow, given)
        for index, flow in enumerate(state.branches)
    ]
    outcomes = yield from _gather(visit, iter(lines), len(lines), run_flow, _first_failure)
    _end(visit, lines, "ParallelStateSucceeded")
    return [outcomes[line.index].value for line in lines]


def map_items(visit: Visit, run_flow: RunFlow) -> Steps:
    """The processor for each item; the list of outputs.

    An iteration whose failure is tolerated has no place in the result.
    """
    state = visit.state
    assert isinstance(state, model.Map)
    items = visit.input if state.items is None else visit.evaluate(state.items)
    if not isinstance(items, list):
        raise visit.unexpected(state.items, "Items", "array", items)
    wanted = int(visit.number(state.max_concurrency, "MaxConcurrency", 0) or INLINE_CONCURRENCY)
    visit.inner_failed = False
    visit.record("MapStateStarted", {"length": len(items)})
    verdict = _tolerance(visit, state, len(items))
    lines: list[_Line] = []
    ready = _iterations(visit, state, items, lines)
    outcomes = yield from _gather(visit, ready, min(wanted, INLINE_CONCURRENCY), run_flow, verdict)
    _end(visit, lines, "MapStateSucceeded")
    return [outcomes[line.index].value for line in lines if outcomes[line.index].error is None]


def _iterations(
    visit: Visit, state: model.Map, items: list[Any], lines: list[_Line]
) -> Iterator[_Line]:
    """Each item's line as its turn comes; its ItemSelector sees it in the context."""
    for index, value in enumerate(items):
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
        lines.append(_Line(index, _track(visit, item), state.processor, given, state.name))
        yield lines[-1]


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
    visit: Visit, ready: Iterator[_Line], limit: int, run_flow: RunFlow, verdict: Verdict
) -> Steps:
    """Run the lines, at most `limit` at once; their Outcomes by index.

    Raises what the verdict says, after cancelling the lines still running.
    """
    execution, track = visit.execution, visit.track
    running: dict[simpy.Process, _Line] = {}
    outcomes: dict[int, Outcome] = {}
    failures: list[StatesError] = []
    try:
        while True:
            while len(running) < limit and (line := next(ready, None)) is not None:
                track.children.append(line.track)
                line.event(execution, "MapIterationStarted")
                steps = run_flow(execution, line.track, line.flow, line.input)
                running[execution.process(steps, line=True)] = line
            if not running:
                return outcomes
            yield execution.world.env.any_of(list(running))
            for process in [process for process in running if process.triggered]:
                line = running.pop(process)
                outcome = finished(process)
                outcomes[line.index] = outcome
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


def _abort(execution: Execution, line: _Line) -> None:
    """Tell of the states that a cancelled line leaves open, the innermost first."""
    _abort_track(execution, line.track)
    line.event(execution, "MapIterationAborted")


def _abort_track(execution: Execution, track: Track) -> None:
    for child in track.children:
        _abort_track(execution, child)
    if track.current is not None and isinstance(track.current.state, _ABORTABLE):
        kind = track.current.state.kind
        track.last_event = add_event(execution, f"{kind}StateAborted", track.last_event)


def _end(visit: Visit, lines: list[_Line], kind: str) -> None:
    """The state goes on from the newest event of its lines; `…Succeeded` stands beside it."""
    newest = [line.track.last_event for line in lines]
    visit.track.last_event = max([visit.track.last_event, *newest])
    add_event(visit.execution, kind, visit.track.last_event)
