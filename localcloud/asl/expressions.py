"""JSONata as Step Functions runs it: `{% … %}` strings in a JSON template.

Each expression is parsed once, checked at load time for what Step Functions refuses, and
evaluated with `$states` and the workflow's variables; there is no context item (`$`).
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonata import JException, Jsonata, Utils

from localcloud.asl import screening
from localcloud.asl.errors import DefinitionError, EvaluationError

OPEN, CLOSE = "{%", "%}"


@dataclass(frozen=True)
class Scope:
    """What an expression sees: `$states`, the variables, and the functions of this world."""

    states: Mapping[str, Any]
    variables: Mapping[str, Any]
    functions: Mapping[str, Any]


@dataclass(frozen=True)
class Expression:
    """One JSONata expression and the field it stands in, as causes name it (`Output/v`)."""

    text: str
    field: str

    def evaluate(self, scope: Scope) -> Any:
        """Its value as plain JSON. Raises EvaluationError, also when it gives nothing."""
        query = _parsed(self.text)
        # The library keeps its running instance in a thread-local that parsing another
        # expression overwrites: higher-order functions would run in the wrong one.
        Jsonata.CURRENT.jsonata = query
        bindings = {
            **scope.functions,
            **{name: _inward(value) for name, value in scope.variables.items()},
            "states": _inward(scope.states),
        }
        try:
            result = query.evaluate(None, bindings)
        except (JException, ArithmeticError, RecursionError, TypeError, ValueError) as error:
            raise EvaluationError(
                f"The JSONata expression '{self.text}' specified for the field '{self.field}' "
                f"threw an error during evaluation. {_words(error)}",
                self.field,
            ) from error
        if result is None:
            raise EvaluationError(
                f"The JSONata expression '{self.text}' specified for the field '{self.field}' "
                "returned nothing (undefined).",
                self.field,
            )
        try:
            return _outward(result)
        except TypeError as error:
            raise EvaluationError(
                f"The JSONata expression '{self.text}' specified for the field '{self.field}' "
                "returned an unsupported result type.",
                self.field,
            ) from error


@dataclass(frozen=True)
class Template:
    """A JSON value with expressions anywhere in it; `source` is the value as written."""

    source: Any
    compiled: Any

    def evaluate(self, scope: Scope) -> Any:
        """The value with every expression replaced by its result. Raises EvaluationError."""
        return _fill(self.compiled, scope)

    @property
    def is_literal(self) -> bool:
        """Is there no expression in it?"""
        return _is_literal(self.compiled)


def template(value: Any, field: str, location: str, allowed: screening.Allowed) -> Template:
    """Compile a template found at `location`; `field` is how causes name it.

    Raises DefinitionError for an expression that does not parse or reads what it may not.
    """
    return Template(value, _compile(value, field, location, allowed))


@functools.lru_cache(maxsize=4096)
def _problem_of(text: str, allowed: screening.Allowed) -> str | None:
    """Why the expression is refused; worked out once a text, since each Region has the same."""
    return screening.problem_of(_parsed(text).ast, allowed)


def _compile(value: Any, field: str, location: str, allowed: screening.Allowed) -> Any:
    if isinstance(value, str):
        opens, closes = value.startswith(OPEN), value.endswith(CLOSE)
        if opens != closes or (opens and len(value) < len(OPEN + CLOSE)):
            raise DefinitionError(
                f"A JSONata expression starts with '{OPEN}' and ends with '{CLOSE}', "
                f"without spaces around them, but the value is '{value}'",
                location,
            )
        if not opens:
            return value
        text = value[len(OPEN) : -len(CLOSE)].strip()
        try:
            _parsed(text)
        except JException as error:
            raise DefinitionError(
                f"INVALID_JSONATA_EXPRESSION: '{text}': {_words(error)}", location
            ) from error
        problem = _problem_of(text, allowed)
        if problem:
            raise DefinitionError(f"UNSUPPORTED_JSONATA_EXPRESSION: {problem}", location)
        return Expression(text, field)
    if isinstance(value, dict):
        return {
            key: _compile(item, f"{field}/{key}", f"{location}/{key}", allowed)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _compile(item, f"{field}[{index}]", f"{location}[{index}]", allowed)
            for index, item in enumerate(value)
        ]
    return value


def _fill(compiled: Any, scope: Scope) -> Any:
    if isinstance(compiled, Expression):
        return compiled.evaluate(scope)
    if isinstance(compiled, dict):
        return {key: _fill(item, scope) for key, item in compiled.items()}
    if isinstance(compiled, list):
        return [_fill(item, scope) for item in compiled]
    return compiled


def _is_literal(compiled: Any) -> bool:
    if isinstance(compiled, dict):
        return all(_is_literal(item) for item in compiled.values())
    if isinstance(compiled, list):
        return all(_is_literal(item) for item in compiled)
    return not isinstance(compiled, Expression)


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> Any:
    query = Jsonata(text)
    # Undefined and null are two things in Step Functions; the library merges them otherwise.
    query.set_output_convert_nulls(False)
    return query


def _inward(value: Any) -> Any:
    """JSON as the library wants it: a bound null must not read as undefined."""
    return Utils.NULL_VALUE if value is None else value


def _outward(value: Any) -> Any:
    """A result as plain JSON. Raises TypeError for a function and anything else JSON lacks."""
    if value is Utils.NULL_VALUE or value is None:
        return None
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        # JSON has one kind of number: 2.0 is written 2, as JavaScript writes it.
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {str(key): _outward(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_outward(item) for item in value]
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def _words(error: Exception) -> str:
    code = getattr(error, "error", None)
    return f"{code}: {error}" if code else str(error)


def to_json(value: Any) -> str:
    """JSON text as Step Functions writes it in history and execution output: no spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
