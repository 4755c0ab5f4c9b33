"""CloudWatch's API on the metric store: PutMetricData, GetMetricData, statistics, lists.

What is read is what can be seen by now (`visibility.py`), and no status says that it is not all:
GetMetricData calls it Complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel
from localcloud.services.alarm_rules import metric_of, queries_of, series
from localcloud.services.metrics import MetricId, MetricStore, StatisticSet
from localcloud.services.visibility import Visible

MAX_POINTS = 1440
"""Most data points one GetMetricStatistics call returns
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html)."""


class MetricApi:
    """Answers the metric operations; alarms are `alarms.Alarms`."""

    def __init__(self, kernel: Kernel, endpoint: Endpoint, metrics: MetricStore) -> None:
        self._kernel, self._metrics = kernel, metrics
        self._visible = Visible(kernel, metrics)
        endpoint.answers("cloudwatch", "PutMetricData")(self._put)
        endpoint.answers("cloudwatch", "GetMetricData")(self._data)
        endpoint.answers("cloudwatch", "GetMetricStatistics")(self._statistics)
        endpoint.answers("cloudwatch", "ListMetrics")(self._list)

    def _put(self, call: ApiCall) -> Mapping[str, Any]:
        namespace = call.params["Namespace"]
        if namespace.startswith("AWS/"):
            raise AwsError("InvalidParameterValue", "The value AWS/ for Namespace is reserved.")
        for datum in call.params.get("MetricData", ()):
            metric = metric_of(call.region, {**datum, "Namespace": namespace})
            stated = datum.get("Timestamp")
            at = _epoch(stated) if stated is not None else self._kernel.now
            unit = datum.get("Unit", "None")
            if "StatisticValues" in datum:
                given = datum["StatisticValues"]
                fields = ("SampleCount", "Sum", "Minimum", "Maximum")
                numbers = [float(given[name]) for name in fields]
                self._metrics.record_set(metric, StatisticSet(*numbers), at, unit)
                continue
            values = datum.get("Values") or [datum["Value"]]
            counts = datum.get("Counts") or [1] * len(values)
            high = datum.get("StorageResolution") == 1
            for value, count in zip(values, counts, strict=True):
                self._metrics.record(metric, float(value), at, unit, high, int(count))
        return {}

    def _data(self, call: ApiCall) -> Mapping[str, Any]:
        asked = call.params["MetricDataQueries"]
        try:
            queries = queries_of(call.region, asked)
            start, stop = _epoch(call.params["StartTime"]), _epoch(call.params["EndTime"])
            if start >= stop:
                raise ValueError("The parameter EndTime must be greater than StartTime.")
            period = _period(asked)
            first = int(start // period) * period
            count = -(-(int(stop) - first) // period)
            found = series(queries, self._visible, first + count * period, period, count)
        except ValueError as wrong:
            raise AwsError("ValidationError", str(wrong)) from None
        newest_first = call.params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results = []
        for query, stated in zip(queries, asked, strict=True):
            if not query.returned:
                continue
            points = [
                (datetime.fromtimestamp(first + n * period, UTC), value)
                for n, value in enumerate(found[query.id])
                if value is not None
            ]
            if newest_first:
                points.reverse()
            label = stated.get("Label") or (query.metric.name if query.metric else query.id)
            results.append(
                {
                    "Id": query.id,
                    "Label": label,
                    "Timestamps": [at for at, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results, "Messages": []}

    def _statistics(self, call: ApiCall) -> Mapping[str, Any]:
        params = call.params
        plain, extended = params.get("Statistics") or (), params.get("ExtendedStatistics") or ()
        if not plain and not extended:
            raise AwsError(
                "InvalidParameterCombination",
                "Must specify either Statistics or ExtendedStatistics",
            )
        metric, period = metric_of(call.region, params), int(params["Period"])
        start, stop = int(_epoch(params["StartTime"])), _epoch(params["EndTime"])
        if (stop - start) / period > MAX_POINTS:
            raise AwsError(
                "InvalidParameterCombination", f"more than {MAX_POINTS} datapoints were requested"
            )
        try:
            points = list(self._points(metric, start, stop, period, [*plain], [*extended]))
        except ValueError as wrong:
            raise AwsError("InvalidParameterValue", str(wrong)) from None
        return {"Label": metric.name, "Datapoints": points}

    def _points(
        self,
        metric: MetricId,
        start: int,
        stop: float,
        period: int,
        plain: list[str],
        extended: list[str],
    ) -> Iterator[dict[str, Any]]:
        while start < stop:
            sample = self._visible.sample(metric, start, period)
            if sample.count:
                point: dict[str, Any] = {
                    "Timestamp": datetime.fromtimestamp(start, UTC),
                    "Unit": self._metrics.unit(metric),
                    **{name: sample.statistic(name) for name in plain},
                }
                if extended:
                    values = {name: sample.statistic(name) for name in extended}
                    point["ExtendedStatistics"] = values
                yield point
            start += period

    def _list(self, call: ApiCall) -> Mapping[str, Any]:
        params = call.params
        having = [(d["Name"], d.get("Value")) for d in params.get("Dimensions") or ()]
        found = self._metrics.find(
            call.region, params.get("Namespace"), params.get("MetricName"), having
        )
        return {
            "Metrics": [
                {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in metric.dimensions],
                }
                for metric in found
            ]
        }


def _period(queries: Any) -> int:
    periods = {
        int(query["MetricStat"]["Period"] if "MetricStat" in query else query["Period"])
        for query in queries
        if "MetricStat" in query or query.get("Period")
    }
    if len(periods) != 1:
        raise ValueError(f"the local cloud answers one period a call, not {sorted(periods)}")
    return periods.pop()


def _epoch(at: Any) -> float:
    """Epoch seconds of a time as botocore parses it; a time without a zone is UTC."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if isinstance(at, datetime):
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return float(at)
