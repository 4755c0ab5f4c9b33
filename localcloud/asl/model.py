"""A loaded state machine: the Amazon States Language as frozen values.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
Templates stand for fields that may hold JSONata; None means that the field is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.asl.expressions import Template
from localcloud.asl.resources import Resource


@dataclass(frozen=True)
class Retrier:
    """One entry of Retry. Seconds and attempts as written; `max_delay_s` None is no limit."""

    error_equals: tuple[str, ...]
    interval_s: int = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_s: int | None = None
    full_jitter: bool = False


@dataclass(frozen=True)
class Catcher:
    """One entry of Catch."""

    error_equals: tuple[str, ...]
    next: str
    assign: Template | None
    output: Template | None


@dataclass(frozen=True, kw_only=True)
class State:
    """What every state has; `next` None ends its scope."""

    name: str
    next: str | None = None
    assign: Template | None = None
    output: Template | None = None

    @property
    def kind(self) -> str:
        """The state's Type."""
        return type(self).__name__


@dataclass(frozen=True, kw_only=True)
class Working(State):
    """A state that can fail and be tried again: Task, Parallel, Map."""

    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pass(State):
    """Gives its input, or its Output."""


@dataclass(frozen=True, kw_only=True)
class Task(Working):
    """Work done by another service."""

    resource: Resource
    arguments: Template | None
    timeout_s: Template | None
    heartbeat_s: Template | None


@dataclass(frozen=True)
class Rule:
    """One entry of Choices."""

    condition: Template
    next: str
    assign: Template | None
    output: Template | None


@dataclass(frozen=True, kw_only=True)
class Choice(State):
    """The first rule whose condition holds; `next` is the Default."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Wait(State):
    """Lets time pass: exactly one of `seconds` and `timestamp` is set."""

    seconds: Template | None
    timestamp: Template | None


@dataclass(frozen=True, kw_only=True)
class Succeed(State):
    """Ends its scope well."""


@dataclass(frozen=True, kw_only=True)
class Fail(State):
    """Ends its scope with an error."""

    error: Template | None
    cause: Template | None


@dataclass(frozen=True)
class Flow:
    """States and where to start: a whole machine, a Parallel's branch, a Map's processor."""

    start_at: str
    states: Mapping[str, State]


@dataclass(frozen=True, kw_only=True)
class Parallel(Working):
    """Every branch at once, on the same input; the result is a list, in the branches' order."""

    arguments: Template | None
    branches: tuple[Flow, ...]


@dataclass(frozen=True, kw_only=True)
class Map(Working):
    """The processor once for each item; the result is a list, in the items' order."""

    items: Template | None
    item_selector: Template | None
    processor: Flow
    max_concurrency: Template | None
    tolerated_count: Template | None
    tolerated_percentage: Template | None


@dataclass(frozen=True)
class Definition:
    """A state machine as Step Functions runs it. `timeout_s` None is the type's own limit."""

    flow: Flow
    express: bool
    timeout_s: int | None
    comment: str | None
