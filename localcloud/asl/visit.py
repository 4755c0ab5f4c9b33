"""Where an execution stands: its tracks, the state each is in, and how things end.

One `Track` is one line of states in their order: the machine itself, a Parallel's branch, a
Map's iteration. One `Visit` is one stay in a state.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import simpy

from localcloud.asl import model
from localcloud.asl.errors import RUNTIME, Aborted, EvaluationError, StatesError
from localcloud.asl.expressions import Scope, Template
from localcloud.asl.history import MAX_STANDARD_EVENTS

if TYPE_CHECKING:
    from localcloud.asl.execution import Execution

Steps = Generator[simpy.Event, Any, Any]
N = TypeVar("N", float, None)


@dataclass(frozen=True)
class Outcome:
    """How a process ended: with a value, with an error, or cancelled (neither)."""

    value: Any = None
    error: StatesError | None = None
    cancelled: bool = False


def outcome_of(steps: Steps) -> Generator[simpy.Event, Any, Outcome]:
    """Run `steps` to an Outcome; anything but a state's own error stays an exception."""
    try:
        return Outcome(value=(yield from steps))
    except StatesError as error:
        return Outcome(error=error)
    except (simpy.Interrupt, Aborted):
        return Outcome(cancelled=True)


def finished(process: simpy.Process) -> Outcome:
    """The outcome of a process that has ended.

    Raises RuntimeError when it was interrupted by somebody other than its own execution.
    """
    outcome = process.value
    assert isinstance(outcome, Outcome)
    if outcome.cancelled:
        raise RuntimeError("a process of an execution was interrupted from outside it")
    return outcome


@dataclass
class Track:
    """Where one line of states stands: its variables, its newest event, its open state.

    `place`: between two states, the next one's name (None: it was the last) and its input.
    """

    variables: Mapping[str, Any]
    last_event: int
    item: Mapping[str, Any] | None = None
    branch: bool = False
    current: Visit | None = None
    place: tuple[str | None, Any] | None = None
    children: list[Track] = field(default_factory=list)


@dataclass
class Line:
    """A track with its work, in a Parallel or a Map; `index` is its place in the result."""

    index: int
    track: Track
    flow: model.Flow
    input: Any
    iteration_of: str | None = None
    started: bool = False
    outcome: Outcome | None = None
    """How it ended; None while it runs, and when it was cut off."""

    @property
    def done(self) -> bool:
        """Has it succeeded?"""
        return self.outcome is not None and self.outcome.error is None

    def event(self, execution: Execution, kind: str) -> None:
        """Tell of an iteration; a Parallel's branch has no events of its own."""
        if self.iteration_of is not None:
            details = {"name": self.iteration_of, "index": self.index}
            self.track.last_event = add_event(execution, kind, self.track.last_event, details)


@dataclass
class Visit:
    """One stay in a state."""

    execution: Execution
    track: Track
    state: model.State
    input: Any
    entered: int
    context: dict[str, Any]
    inner_failed: bool = False
    """Did the last attempt of a Parallel or Map fail inside a branch?"""
    items: list[Any] = field(default_factory=list)
    lines: dict[int, Line] = field(default_factory=dict)
    """What the last attempt of a Map ran over, and of a Map or Parallel what it has come to."""
    goes_on: bool = False
    """Is the next attempt a redriven one, that keeps which lines have succeeded?"""

    def record(self, kind: str, details: Mapping[str, Any] | None = None) -> None:
        """Add an event to this track's chain."""
        self.track.last_event = add_event(self.execution, kind, self.track.last_event, details)

    def evaluate(self, template: Template, **more: Any) -> Any:
        """A template's value; `more` are `result` or `errorOutput`. Raises StatesError."""
        states = {"input": self.input, "context": self.context, **more}
        scope = Scope(states, self.track.variables, self.execution.world.functions)
        try:
            return template.evaluate(scope)
        except EvaluationError as error:
            raise self.failed_evaluation(error) from error

    def failed_evaluation(self, error: EvaluationError) -> StatesError:
        """The error of an expression, told in history and with the state's name in its cause."""
        told = self.error(error.name, error.cause or "")
        details = {"error": told.name, "cause": told.cause, "location": error.location}
        self.record("EvaluationFailed", {**details, "state": self.state.name})
        return told

    def error(self, name: str, words: str) -> StatesError:
        """An error that Step Functions itself raises in this state."""
        return StatesError(
            name,
            f"An error occurred while executing the state '{self.state.name}' "
            f"(entered at the event id #{self.entered}). {words}",
        )

    def number(
        self, template: Template | None, field_name: str, default: N, low: float = 0
    ) -> float | N:
        """A number, not below `low`, that may be an expression; `default` when it is absent.

        Raises StatesError when it is something else.
        """
        if template is None:
            return default
        value = self.evaluate(template)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.unexpected(template, field_name, "number", value)
        if value < low:
            raise self.failed_evaluation(
                EvaluationError(f"The value of '{field_name}' is {value}, below {low}.", field_name)
            )
        return value

    def text(self, template: Template, field_name: str) -> str:
        """A string that may be an expression; raises StatesError when it is something else."""
        value = self.evaluate(template)
        if not isinstance(value, str):
            raise self.unexpected(template, field_name, "string", value)
        return value

    def unexpected(
        self, template: Template | None, field_name: str, wanted: str, value: Any
    ) -> StatesError:
        """The error of a field whose value has the wrong type."""
        source = template.source if template is not None else "$states.input"
        text = str(source).removeprefix("{%").removesuffix("%}").strip()
        return self.failed_evaluation(
            EvaluationError(
                f"The JSONata expression '{text}' specified for the field '{field_name}' returned "
                f"an unexpected result type. Expected '{wanted}', but was '{_type_of(value)}'.",
                field_name,
            )
        )


@dataclass(frozen=True)
class Step:
    """What a state leads to: its output, what it assigned, and the next state's name."""

    output: Any
    assigned: Mapping[str, Any]
    next: str | None


@dataclass(frozen=True)
class Transition:
    """A state was just entered or exited; `event_id` is the history event that says so."""

    moment: Literal["entered", "exited"]
    state: str
    event_id: int


def add_event(
    execution: Execution, kind: str, previous: int, details: Mapping[str, Any] | None = None
) -> int:
    """Add an event to the execution's history; its id.

    Raises StatesError when the history of a Standard execution is full, and Aborted when the
    execution is over: a process that has not heard of it yet takes no further step.
    """
    if execution.status != "RUNNING":
        raise Aborted
    standard = not execution.machine.definition.express
    if standard and len(execution.history.events) >= MAX_STANDARD_EVENTS - 1:
        raise StatesError(
            RUNTIME,
            f"The execution reached the maximum number of history events ({MAX_STANDARD_EVENTS}).",
        )
    return execution.history.add(kind, previous, details)


_JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
}


def _type_of(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "null")
