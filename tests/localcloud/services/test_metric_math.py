"""Metric math, as alarms use it."""

from __future__ import annotations

import pytest

from localcloud.services.metric_math import Points, Scope, UnsupportedExpression, parse

SERIES: dict[str, Points] = {"a": [1.0, 2.0, None], "b": [4.0, None, 0.0], "z": [0.0, 0.0, 0.0]}


def value_of(text: str) -> Points:
    expression = parse(text)
    return expression.evaluate(Scope({i: SERIES[i] for i in expression.ids}, 60, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + 2 * 3", [7.0, 8.0, None]),
        ("(a + 2) * 3", [9.0, 12.0, None]),
        ("10 - 4 - 3", [3.0, 3.0, 3.0]),
        ("a + b", [5.0, None, None]),
        ("b / z", [None, None, None]),
        ("FILL(a, 0) + FILL(b, 0)", [5.0, 2.0, 0.0]),
        ("FILL(b, REPEAT)", [4.0, 4.0, 0.0]),
        ("IF(a > 1, 10, 20)", [20.0, 10.0, None]),
        ("IF(FILL(a, 0) > 1 AND b >= 0, 1)", [None, None, None]),
        ("IF(FILL(b, 0) > 0 OR a == 2, 1, 0)", [1.0, 1.0, None]),
        ("100 * FILL(a, 0) / MAX([FILL(b, 0), FILL(a, 0) + 1])", [25.0, 200 / 3, 0.0]),
        ("SUM([a, b])", [5.0, 2.0, 0.0]),
        ("AVG(a)", [1.5, 1.5, 1.5]),
        ("a / PERIOD(a)", [1 / 60, 2 / 60, None]),
        ("RATE(a)", [None, 1 / 60, None]),
        ("DIFF(a)", [None, 1.0, None]),
    ],
)
def test_expressions_come_out_as_cloudwatch_has_them(text: str, expected: Points) -> None:
    assert value_of(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ANOMALY_DETECTION_BAND(a, 2)", "ANOMALY_DETECTION_BAND"),
        ("a +", "cannot read"),
        ("(a", "expected"),
        ("a b", "cannot read 'b'"),
    ],
)
def test_what_cannot_be_worked_out_is_named(text: str, said: str) -> None:
    with pytest.raises(UnsupportedExpression, match=said):
        parse(text)
