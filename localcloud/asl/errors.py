"""What can go wrong with a state machine: in its definition, and while it runs.

Error names: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from collections.abc import Collection

ALL = "States.ALL"
BRANCH_FAILED = "States.BranchFailed"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
EXCEED_TOLERATED_FAILURES = "States.ExceedToleratedFailureThreshold"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
QUERY_EVALUATION = "States.QueryEvaluationError"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"

TIMEOUTS = frozenset({TIMEOUT, HEARTBEAT_TIMEOUT})


class DefinitionError(ValueError):
    """A definition that Step Functions would refuse, or that this interpreter does not run.

    `location` is the JSON pointer of the offending field, as CreateStateMachine reports it.
    """

    def __init__(self, message: str, location: str = "") -> None:
        super().__init__(f"{message} at {location}" if location else message)
        self.message = message
        self.location = location


class StatesError(Exception):
    """An error that Retry and Catch see: its name, and why in words.

    `cause` is None where Step Functions gives none (a time-out).
    """

    def __init__(self, name: str, cause: str | None = None) -> None:
        super().__init__(f"{name}: {cause}" if cause else name)
        self.name = name
        self.cause = cause

    def output(self) -> dict[str, str]:
        """The Error Output that `$states.errorOutput` shows: absent parts are empty strings."""
        return {"Error": self.name, "Cause": self.cause or ""}


class EvaluationError(StatesError):
    """A JSONata expression that failed, or gave nothing, in the field at `location`."""

    def __init__(self, cause: str, location: str) -> None:
        super().__init__(QUERY_EVALUATION, cause)
        self.location = location


class Aborted(Exception):  # noqa: N818  # the state it ends in, as StopExecution calls it
    """The execution was stopped; not an error that Retry and Catch see."""


def matches(error_equals: Collection[str], name: str) -> bool:
    """Does an `ErrorEquals` list cover an error?

    States.Runtime is never caught or retried. States.ALL covers everything else but
    States.DataLimitExceeded; States.TaskFailed everything that States.ALL covers but
    time-outs; States.Timeout covers a heartbeat's time-out too (the error-handling page above).
    """
    if name == RUNTIME:
        return False
    if name in error_equals:
        return True
    if name == DATA_LIMIT_EXCEEDED:
        return False
    if ALL in error_equals:
        return True
    if name == HEARTBEAT_TIMEOUT and TIMEOUT in error_equals:
        return True
    return TASK_FAILED in error_equals and name not in TIMEOUTS
