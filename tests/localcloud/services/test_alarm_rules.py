"""From data points to an alarm's state: the tables of AWS's own documentation."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.services.alarm_rules import judge, rule_of, too_few_samples
from localcloud.services.metrics import MetricId, MetricStore

RETAIN = "retain"
STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def params(**more: Any) -> dict[str, Any]:
    """PutMetricAlarm for a metric above 1 in three of three minutes."""
    return {
        "AlarmName": "a",
        "Namespace": "N",
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


def points(written: str) -> list[float | None]:
    """Data points as the documentation draws them: 0 fine, X breaching, - missing."""
    return [{"0": 0.0, "X": 2.0, "-": None}[mark] for mark in written.split()]


# "How alarm state is evaluated when data is missing":
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
THREE_OF_THREE = [
    ("0 - X - X", ("OK", "OK", "OK", "OK")),
    ("0 - - - -", ("OK", "OK", "OK", "OK")),
    ("- - - - -", ("INSUFFICIENT_DATA", RETAIN, "ALARM", "OK")),
    ("0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("- - X - -", ("ALARM", RETAIN, "ALARM", "OK")),
]
TWO_OF_THREE = [
    ("0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
    ("0 - X - -", ("OK", "OK", "ALARM", "OK")),
    ("- - - - 0", ("OK", "OK", "ALARM", "OK")),
    ("- - - X -", ("ALARM", RETAIN, "ALARM", "OK")),
]


@pytest.mark.parametrize("current", STATES)
@pytest.mark.parametrize(
    ("needed", "drawn", "expected"),
    [(3, *row) for row in THREE_OF_THREE] + [(2, *row) for row in TWO_OF_THREE],
)
def test_missing_data_is_judged_as_awss_tables_say(
    needed: int, drawn: str, expected: tuple[str, ...], current: str
) -> None:
    for treatment, state in zip(TREATMENTS, expected, strict=True):
        rule = rule_of("r", params(DatapointsToAlarm=needed, TreatMissingData=treatment))
        assert judge(rule, points(drawn), current) == (current if state == RETAIN else state)


@pytest.mark.parametrize("drawn", ["- - - - X", "- - - X -"])
def test_a_breaching_point_too_young_does_not_alarm_yet(drawn: str) -> None:
    assert judge(rule_of("r", params()), points(drawn), "OK") == "OK"


def test_dynamodb_metrics_always_ignore_missing_data_whatever_is_asked() -> None:
    rule = rule_of("r", params(Namespace="AWS/DynamoDB", TreatMissingData="breaching"))
    assert judge(rule, points("- - - - -"), "OK") == "OK"


@pytest.mark.parametrize(
    ("comparison", "value", "breaches"),
    [
        ("GreaterThanThreshold", 1.0, False),
        ("GreaterThanOrEqualToThreshold", 1.0, True),
        ("LessThanThreshold", 1.0, False),
        ("LessThanOrEqualToThreshold", 1.0, True),
    ],
)
def test_the_threshold_itself_breaches_only_where_the_operator_says_equal(
    comparison: str, value: float, breaches: bool
) -> None:
    assert rule_of("r", params(ComparisonOperator=comparison)).breaches(value) is breaches


@pytest.mark.parametrize(("samples", "few"), [(999, True), (1000, False)])
def test_a_p99_of_under_a_thousand_samples_means_nothing_where_the_alarm_says_so(
    samples: int, few: bool
) -> None:
    stated = params(
        ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="ignore", EvaluationPeriods=1
    )
    del stated["Statistic"]
    store = MetricStore()
    store.record(MetricId("r", "N", "m"), 5.0, 60.0, times=samples)
    assert too_few_samples(rule_of("r", stated), store, 130.0) is few


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"Statistic": "IQM"}, "IQM"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "anomaly detection"),
        ({"Metrics": [{"Id": "e", "Expression": "ANOMALY(x)"}]}, "ANOMALY"),
        ({"Metrics": [{"Id": "e", "Expression": "m1 + 1", "Period": 60}]}, "m1"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rule_of("r", params(**wrong))
