"""What an alarm says: its metrics and condition, and how data points become a state.

Pure: rules come from PutMetricAlarm's parameters, data from the metric store, time as an
argument. Missing data follows
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
(“How alarm state is evaluated when data is missing”), whose tables are our tests.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from localcloud.services import modelled
from localcloud.services.metric_math import Expression, Points, Scope, UnsupportedExpression, parse
from localcloud.services.metrics import (
    MetricId,
    MetricStore,
    Sample,
    dimensions,
    percentile_of,
)

OK: Final = "OK"
ALARM: Final = "ALARM"
INSUFFICIENT: Final = "INSUFFICIENT_DATA"

COMPARISONS: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Query:
    """One metric or expression of an alarm, or of a GetMetricData call."""

    id: str
    metric: MetricId | None = None
    statistic: str = "Average"
    expression: Expression | None = None
    returned: bool = True


@dataclass(frozen=True)
class AlarmRule:
    """One alarm's definition. `period` is in seconds."""

    region: str
    name: str
    queries: tuple[Query, ...]
    period: int
    comparison: str
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing: str
    ignore_low_samples: bool

    @property
    def result(self) -> Query:
        """The metric or expression that is compared with the threshold."""
        return next(query for query in self.queries if query.returned)

    @property
    def high_resolution(self) -> bool:
        """Periods under a minute: evaluated every ten seconds."""
        return self.period < 60

    def breaches(self, value: float) -> bool:
        """Whether a value is on the wrong side of the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


def rule_of(region: str, params: Mapping[str, Any]) -> AlarmRule:
    """The rule in PutMetricAlarm's parameters. Raises ValueError, naming what is not supported."""
    if params.get("ComparisonOperator") not in COMPARISONS or "Threshold" not in params:
        raise ValueError(
            f"the local cloud does not support {params.get('ComparisonOperator')!r} "
            "without a fixed threshold (anomaly detection)"
        )
    queries, period = _queries(region, params)
    periods = int(params["EvaluationPeriods"])
    missing = params.get("TreatMissingData") or "missing"
    if any(query.metric and query.metric.namespace == "AWS/DynamoDB" for query in queries):
        # botocore model, CloudWatch PutMetricAlarm, TreatMissingData: such alarms always
        # ignore missing data, whatever is asked.
        missing = "ignore"
    return AlarmRule(
        region=region,
        name=params["AlarmName"],
        queries=queries,
        period=period,
        comparison=params["ComparisonOperator"],
        threshold=float(params["Threshold"]),
        evaluation_periods=periods,
        datapoints_to_alarm=int(params.get("DatapointsToAlarm") or periods),
        treat_missing=missing,
        ignore_low_samples=params.get("EvaluateLowSampleCountPercentile") == "ignore",
    )


def _queries(region: str, params: Mapping[str, Any]) -> tuple[tuple[Query, ...], int]:
    if not params.get("Metrics"):
        statistic = params.get("Statistic") or params.get("ExtendedStatistic") or ""
        _check_statistic(statistic)
        metric = metric_of(region, params)
        return (Query("m1", metric, statistic),), int(params["Period"])
    queries = queries_of(region, params["Metrics"])
    if sum(query.returned for query in queries) != 1:
        raise ValueError("exactly one of an alarm's Metrics must have ReturnData true")
    periods = {
        int(found["MetricStat"]["Period"] if "MetricStat" in found else found["Period"])
        for found in params["Metrics"]
        if "MetricStat" in found or found.get("Period")
    }
    if len(periods) != 1:
        raise ValueError(f"the local cloud does not mix periods in one alarm: {sorted(periods)}")
    return queries, periods.pop()


def queries_of(region: str, found: Sequence[Mapping[str, Any]]) -> tuple[Query, ...]:
    """MetricDataQueries as queries. Raises ValueError, naming what is not supported."""
    queries = []
    for query in found:
        returned = query.get("ReturnData", True) is not False
        if "Expression" in query:
            if query["Expression"].strip().upper().startswith("SELECT"):
                raise UnsupportedExpression("the local cloud does not support Metrics Insights")
            expression = parse(query["Expression"])
            queries.append(Query(query["Id"], expression=expression, returned=returned))
        else:
            stat = query["MetricStat"]
            _check_statistic(stat["Stat"])
            metric = metric_of(region, stat["Metric"])
            queries.append(Query(query["Id"], metric, stat["Stat"], returned=returned))
    known = {query.id for query in queries}
    for checked in queries:
        unknown = (checked.expression.ids if checked.expression else frozenset()) - known
        if unknown:
            raise UnsupportedExpression(f"metric math names unknown ids {sorted(unknown)}")
    return tuple(queries)


def _check_statistic(statistic: str) -> None:
    if statistic not in ("Sum", "Average", "Minimum", "Maximum", "SampleCount"):
        percentile_of(statistic)


def metric_of(region: str, found: Mapping[str, Any]) -> MetricId:
    """The metric that `Namespace`, `MetricName` and `Dimensions` name in a Region."""
    where = dimensions({d["Name"]: d["Value"] for d in found.get("Dimensions") or ()})
    return MetricId(region, found.get("Namespace", ""), found["MetricName"], where)


class Samples(Protocol):
    """Where data come from: the store itself, or what can be read of it by now."""

    def sample(self, metric: MetricId, start: int, period: int) -> Sample:
        """One period's data."""


def series(
    queries: Sequence[Query], store: Samples, end: int, period: int, count: int
) -> dict[str, Points]:
    """Each query's data points for `count` periods that end at `end` (epoch seconds)."""
    starts = [end - period * back for back in range(count, 0, -1)]
    found: dict[str, Points] = {}
    for query in queries:
        if query.metric is not None:
            samples = (store.sample(query.metric, start, period) for start in starts)
            found[query.id] = [sample.statistic(query.statistic) for sample in samples]
    waiting = [query for query in queries if query.expression is not None]
    while waiting:
        ready = [q for q in waiting if q.expression and q.expression.ids <= set(found)]
        if not ready:
            raise UnsupportedExpression("metric math expressions refer to each other in a circle")
        for query in ready:
            assert query.expression is not None
            metrics = {q.id: found[q.id] for q in queries if q.id in found}
            found[query.id] = query.expression.evaluate(Scope(metrics, period, count))
        waiting = [query for query in waiting if query not in ready]
    return found


def newest_end(rule: AlarmRule, now: float) -> int:
    """The end of the newest period that is complete and whose data has arrived."""
    late = modelled.INGESTION_HIGH_RESOLUTION_S if rule.high_resolution else modelled.INGESTION_S
    return int((now - late) // rule.period) * rule.period


def points_of(rule: AlarmRule, store: MetricStore, now: float) -> Points:
    """The data points in the evaluation range, oldest first."""
    count = rule.evaluation_periods + modelled.EVALUATION_RANGE_EXTRA
    found = series(rule.queries, store, newest_end(rule, now), rule.period, count)
    return found[rule.result.id]


def too_few_samples(rule: AlarmRule, store: MetricStore, now: float) -> bool:
    """Whether the newest period has too few samples for its percentile to mean anything.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    query = rule.result
    if not rule.ignore_low_samples or query.metric is None or not query.statistic.startswith("p"):
        return False
    share = percentile_of(query.statistic) / 100
    tail = (1 - share) if share >= 0.5 else share
    sample = store.sample(query.metric, newest_end(rule, now) - rule.period, rule.period)
    return 0 < sample.count * tail < 10 - 1e-9


def judge(rule: AlarmRule, points: Points, current: str) -> str:
    """The state that these data points mean for an alarm that is in state `current`."""
    wanted, needed = rule.evaluation_periods, rule.datapoints_to_alarm
    marks = [None if point is None else rule.breaches(point) for point in points]
    real = [mark for mark in marks if mark is not None][-wanted:]
    bad = sum(real)
    if bad >= needed:
        return ALARM
    if len(real) == wanted:
        return OK
    if rule.treat_missing == "breaching":
        return ALARM if bad + wanted - len(real) >= needed else OK
    if rule.treat_missing == "notBreaching":
        return OK
    if not real:
        return current if rule.treat_missing == "ignore" else INSUFFICIENT
    if not all(real):
        return OK
    # Only breaching points, too few of them: an alarm once the oldest is old enough that
    # the others cannot still be on their way ("premature alarm state").
    age = len(marks) - marks.index(True)
    return ALARM if age >= needed and rule.treat_missing == "missing" else current
