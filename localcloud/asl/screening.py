"""What Step Functions refuses in a JSONata expression when the state machine is created.

No context item exists, so `$`, `$$` and a bare field name mean nothing at the top level;
`$states.result` and `$states.errorOutput` can be read only where they are set; and a
function that nobody defines can never be called.
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonata import Jsonata, Parser

from localcloud.asl.functions import STEP_FUNCTIONS_EXTRAS

REFUSED_FUNCTIONS = frozenset({"eval"})
"""`$parse` replaces `$eval`, which Step Functions disables (transforming-data page)."""

KNOWN_FUNCTIONS = (
    frozenset(Jsonata.static_frame.bindings) | STEP_FUNCTIONS_EXTRAS
) - REFUSED_FUNCTIONS

STATES_MEMBERS = frozenset({"input", "result", "errorOutput", "context"})


@dataclass(frozen=True)
class Allowed:
    """Which members of `$states` a field may read beside `input` and `context`."""

    result: bool = False
    error_output: bool = False


INPUT_ONLY = Allowed()
WITH_RESULT = Allowed(result=True)
WITH_ERROR = Allowed(error_output=True)

_ASIDE = frozenset({"_outer_instance", "outer_instance", "errors", "seeking_parent", "ancestor"})


def problem_of(ast: Any, allowed: Allowed) -> str | None:
    """Why Step Functions (or this interpreter) refuses the expression; None when it does not."""
    return next(_problems(ast, True, allowed, frozenset(_bound_names(ast))), None)


def _problems(node: Any, top: bool, allowed: Allowed, bound: frozenset[str]) -> Iterator[str]:
    """Problems in reading order; `top` while no path, filter or grouping has set a context."""
    kind = getattr(node, "type", None)
    if kind == "variable":
        if node.value == "$":
            yield "Reference to '$$' is not supported."
        elif node.value == "" and top:
            yield "Reference to '$' at the top level is not supported."
    elif kind == "name" and top:
        yield f"Reference to '{node.value}' at the top level is not supported."
    elif kind in ("function", "partial"):
        called = node.procedure
        if getattr(called, "type", None) == "variable":
            name = str(called.value)
            if name not in KNOWN_FUNCTIONS and name not in bound:
                yield f"The function '${name}' is not supported."
    if kind == "path":
        yield from _states_problems(node.steps, allowed)
        for index, step in enumerate(node.steps):
            yield from _problems(step, top and index == 0, allowed, bound)
    for name, child in _children(node):
        if name != "steps":
            # Filters, sort terms, groupings and transformations bring a context of their own.
            inner = name in ("stages", "predicate", "group", "terms", "pattern", "update")
            yield from _problems(child, top and not inner, allowed, bound)


def _states_problems(steps: list[Any], allowed: Allowed) -> Iterator[str]:
    if len(steps) < 2 or (steps[0].type, steps[0].value) != ("variable", "states"):
        return
    member = steps[1].value if steps[1].type == "name" else None
    if member is None:
        return
    if member not in STATES_MEMBERS:
        yield f"'$states.{member}' does not exist."
    elif member == "result" and not allowed.result:
        yield "'$states.result' can be read only in the Output and Assign of a state with a result."
    elif member == "errorOutput" and not allowed.error_output:
        yield "'$states.errorOutput' can be read only in the Output and Assign of a Catch."


def _bound_names(ast: Any) -> Iterator[str]:
    for node in _everything(ast):
        if getattr(node, "type", None) == "bind":
            yield str(node.lhs.value)
        elif getattr(node, "type", None) == "lambda":
            yield from (str(argument.value) for argument in node.arguments)


def _everything(node: Any) -> Iterator[Any]:
    yield node
    for _, child in _children(node):
        yield from _everything(child)


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(node).items():
        if name not in _ASIDE:
            yield from ((name, child) for child in _symbols(value))


def _symbols(value: Any) -> Iterator[Any]:
    if isinstance(value, Parser.Symbol):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _symbols(item)
