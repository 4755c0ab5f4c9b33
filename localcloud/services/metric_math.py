"""CloudWatch metric math: the part that alarms use, parsed once and worked out period by period.

Anything else is an error by name when the alarm is put, not a wrong number later.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

Points = list[float | None]
"""One value a period, oldest first; None where there is no data point."""
Value = float | Points | list[Points]
"""A number, a time series, or an array of time series."""


class UnsupportedExpression(ValueError):  # noqa: N818  # what it is, not that it is one
    """The expression uses something that the local cloud does not work out."""


@dataclass(frozen=True)
class Scope:
    """What an expression is worked out over: series by id, and seconds in a period."""

    series: Mapping[str, Points]
    period: int
    length: int


Node = Callable[[Scope], Value]


@dataclass(frozen=True)
class Expression:
    """A parsed expression; `ids` are the metrics it names."""

    text: str
    ids: frozenset[str]
    _root: Node

    def evaluate(self, scope: Scope) -> Points:
        """Its time series. A number stands for itself in every period."""
        value = self._root(scope)
        points = _spread(value, scope)
        return [None if x is None or math.isnan(x) else x for x in points]


def parse(text: str) -> Expression:
    """Parse an expression. Raises UnsupportedExpression, naming what it cannot do."""
    parser = _Parser(text)
    root = parser.expression()
    parser.end()
    return Expression(text, frozenset(parser.ids), root)


_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(\w+)|(==|!=|<=|>=|&&|\|\||.))")


class _Parser:
    """Recursive descent, loosest binding first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ids: set[str] = set()
        self._tokens = [
            next(part for part in found.groups() if part) for found in _TOKEN.finditer(text.strip())
        ]
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, *wanted: str) -> str | None:
        token = self._peek()
        if token and token.upper() in wanted:
            self._at += 1
            return token.upper()
        return None

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise UnsupportedExpression(
                f"expected {token!r} at {self._peek()!r} in metric math {self.text!r}"
            )

    def end(self) -> None:
        if self._peek():
            raise UnsupportedExpression(f"cannot read {self._peek()!r} in {self.text!r}")

    def expression(self) -> Node:
        return self._chain(self._comparison, {"AND": _and, "&&": _and, "OR": _or, "||": _or})

    def _comparison(self) -> Node:
        return self._chain(self._sum, _COMPARISONS)

    def _sum(self) -> Node:
        return self._chain(self._product, {"+": lambda a, b: a + b, "-": lambda a, b: a - b})

    def _product(self) -> Node:
        return self._chain(self._power, {"*": lambda a, b: a * b, "/": _divide})

    def _power(self) -> Node:
        return self._chain(self._unary, {"^": lambda a, b: float(a**b)})

    def _chain(self, tighter: Callable[[], Node], operators: Mapping[str, _Binary]) -> Node:
        node = tighter()
        while operator := self._take(*operators):
            node = partial(_binary, operators[operator], node, tighter())
        return node

    def _unary(self) -> Node:
        if self._take("-"):
            return partial(_binary, lambda a, b: a * b, lambda _: -1.0, self._unary())
        return self._primary()

    def _primary(self) -> Node:
        if self._take("("):
            node = self.expression()
            self._need(")")
            return node
        if self._take("["):
            return partial(_array, self._arguments("]"))
        token = self._peek()
        if re.fullmatch(r"[\d.].*", token):
            self._at += 1
            number = float(token)
            return lambda _: number
        if not re.fullmatch(r"\w+", token):
            raise UnsupportedExpression(f"cannot read {token!r} in metric math {self.text!r}")
        self._at += 1
        if self._take("("):
            return self._call(token.upper())
        if token.upper() == "REPEAT":
            return lambda _: math.nan
        self.ids.add(token)
        return lambda scope: scope.series[token]

    def _call(self, name: str) -> Node:
        arguments = self._arguments(")")
        function = _FUNCTIONS.get(name)
        if function is None:
            raise UnsupportedExpression(
                f"the local cloud does not support the metric math function {name}"
            )
        return lambda scope: function(scope, [argument(scope) for argument in arguments])

    def _arguments(self, close: str) -> list[Node]:
        found: list[Node] = []
        while not self._take(close):
            found.append(self.expression())
            if not self._take(","):
                self._need(close)
                break
        return found


_Binary = Callable[[float, float], float | None]


def _and(a: float, b: float) -> float:
    return float(bool(a) and bool(b))


def _or(a: float, b: float) -> float:
    return float(bool(a) or bool(b))


def _divide(a: float, b: float) -> float | None:
    return a / b if b else None  # no data point, as far as CloudWatch shows one (inferred)


_COMPARISONS: Mapping[str, _Binary] = {
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
}


def _binary(operator: _Binary, left: Node, right: Node, scope: Scope) -> Value:
    a, b = left(scope), right(scope)
    if isinstance(a, float) and isinstance(b, float):
        result = operator(a, b)
        return math.nan if result is None else result
    return [
        None if x is None or y is None else operator(x, y)
        for x, y in zip(_spread(a, scope), _spread(b, scope), strict=True)
    ]


def _array(parts: Sequence[Node], scope: Scope) -> Value:
    return [_spread(part(scope), scope) for part in parts]


def _spread(value: Value, scope: Scope) -> Points:
    return [value] * scope.length if isinstance(value, float) else _series(value)


def _series(value: Value) -> Points:
    if isinstance(value, float) or (value and isinstance(value[0], list)):
        raise UnsupportedExpression("metric math: a time series was expected here")
    return value  # type: ignore[return-value]  # told apart by the line above


def _over(reduce: Callable[[list[float]], float]) -> Callable[[Scope, list[Value]], Value]:
    """A function of one series (to a number) or of an array of series (to a series)."""

    def function(_: Scope, arguments: list[Value]) -> Value:
        [value] = arguments
        if isinstance(value, float):
            return value
        if value and isinstance(value[0], list):
            columns = [
                [x for x in column if x is not None]
                for column in zip(*(_series(part) for part in value), strict=True)
            ]
            return [reduce(column) if column else None for column in columns]
        present = [x for x in _series(value) if x is not None]
        return reduce(present) if present else math.nan

    return function


def _each(change: Callable[[float], float]) -> Callable[[Scope, list[Value]], Value]:
    def function(scope: Scope, arguments: list[Value]) -> Value:
        return [None if x is None else change(x) for x in _spread(arguments[0], scope)]

    return function


def _fill(scope: Scope, arguments: list[Value]) -> Value:
    points, filler = _spread(arguments[0], scope), _spread(arguments[1], scope)
    filled: Points = []
    for point, other in zip(points, filler, strict=True):
        if point is None and isinstance(other, float) and math.isnan(other):  # REPEAT
            filled.append(filled[-1] if filled else None)
        else:
            filled.append(other if point is None else point)
    return filled


def _if(scope: Scope, arguments: list[Value]) -> Value:
    condition, yes = _spread(arguments[0], scope), _spread(arguments[1], scope)
    no = _spread(arguments[2], scope) if len(arguments) > 2 else [None] * scope.length
    return [
        None if c is None else (a if c else b) for c, a, b in zip(condition, yes, no, strict=True)
    ]


def _difference(per_second: bool) -> Callable[[Scope, list[Value]], Value]:
    def function(scope: Scope, arguments: list[Value]) -> Value:
        points = _spread(arguments[0], scope)
        by = scope.period if per_second else 1
        return [
            None if a is None or b is None else (b - a) / by
            for a, b in zip([None, *points], points, strict=False)
        ]

    return function


_FUNCTIONS: Mapping[str, Callable[[Scope, list[Value]], Value]] = {
    "ABS": _each(abs),
    "AVG": _over(lambda xs: sum(xs) / len(xs)),
    "CEIL": _each(lambda x: float(math.ceil(x))),
    "DIFF": _difference(per_second=False),
    "FILL": _fill,
    "FLOOR": _each(lambda x: float(math.floor(x))),
    "IF": _if,
    "MAX": _over(max),
    "METRICS": lambda scope, _: [list(points) for points in scope.series.values()],
    "MIN": _over(min),
    "PERIOD": lambda scope, _: float(scope.period),
    "RATE": _difference(per_second=True),
    "SUM": _over(sum),
}
