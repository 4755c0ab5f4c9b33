"""Reads the parts of a state that handle errors and variables: Retry, Catch, Assign.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.asl import model
from localcloud.asl.errors import ALL
from localcloud.asl.expressions import Template
from localcloud.asl.fields import Fields
from localcloud.asl.screening import WITH_ERROR, Allowed

MAX_SECONDS = 99_999_999
"""Longest TimeoutSeconds, HeartbeatSeconds and Wait Seconds (state-task.html, state-wait.html)."""
MAX_DELAY_SECONDS = 31_622_400
"""MaxDelaySeconds must be less than 31,622,400 plus one (concepts-error-handling.html)."""
MAX_NAME = 80
"""State and variable names: at most 80 characters (statemachine-structure.html,
workflow-variables.html)."""


def read_retry(fields: Fields) -> tuple[model.Retrier, ...]:
    """The state's Retry; empty when it has none. Raises DefinitionError."""
    return _entries(fields, "Retry", _retrier)


def read_catch(fields: Fields) -> tuple[model.Catcher, ...]:
    """The state's Catch; empty when it has none. Raises DefinitionError."""
    return _entries(fields, "Catch", _catcher)


def read_assign(fields: Fields, allowed: Allowed) -> Template | None:
    found = fields.template("Assign", allowed)
    if found is None:
        return None
    if not isinstance(found.source, dict):
        raise fields.wrong("Assign", "Expected an object of variables")
    for variable in found.source:
        if not variable.isidentifier() or len(variable) > MAX_NAME or variable == "states":
            raise fields.wrong("Assign", f"'{variable}' cannot be the name of a variable")
    return found


def _entries(
    fields: Fields, name: str, read: Callable[[Fields, tuple[str, ...]], Any]
) -> tuple[Any, ...]:
    if name not in fields:
        return ()
    values = fields.take(name)
    if not isinstance(values, list):
        raise fields.wrong(name, "Expected an array")
    entries = []
    for index, value in enumerate(values):
        entry = Fields(value, f"{fields.at(name)}[{index}]", f"{name}[{index}]/")
        entry.optional_text("Comment")
        errors = entry.take("ErrorEquals")
        if (
            not isinstance(errors, list)
            or not errors
            or not all(isinstance(e, str) for e in errors)
        ):
            raise entry.wrong("ErrorEquals", "Expected an array of error names that is not empty")
        if ALL in errors and (len(errors) > 1 or index < len(values) - 1):
            raise entry.wrong("ErrorEquals", f"'{ALL}' must stand alone, and in the last entry")
        entries.append(read(entry, tuple(errors)))
        entry.close()
    return tuple(entries)


def _retrier(fields: Fields, errors: tuple[str, ...]) -> model.Retrier:
    jitter = "NONE"
    if "JitterStrategy" in fields:
        jitter = fields.one_of("JitterStrategy", ["FULL", "NONE"])
    interval_s = fields.whole("IntervalSeconds", 1, 1, MAX_SECONDS)
    max_delay_s = None
    if "MaxDelaySeconds" in fields:
        max_delay_s = fields.whole("MaxDelaySeconds", 0, 1, MAX_DELAY_SECONDS)
        if max_delay_s <= interval_s:
            raise fields.wrong("MaxDelaySeconds", "Must be greater than IntervalSeconds")
    return model.Retrier(
        error_equals=errors,
        interval_s=interval_s,
        max_attempts=fields.whole("MaxAttempts", 3, 0, MAX_SECONDS),
        backoff_rate=fields.number("BackoffRate", 2.0, 1.0, float("inf")),
        max_delay_s=max_delay_s,
        full_jitter=jitter == "FULL",
    )


def _catcher(fields: Fields, errors: tuple[str, ...]) -> model.Catcher:
    return model.Catcher(
        errors,
        fields.text("Next"),
        read_assign(fields, WITH_ERROR),
        fields.template("Output", WITH_ERROR),
    )
