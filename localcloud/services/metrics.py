"""The metric store: every value any service measures, by Region, metric, dimensions and second.

Recording is an append to a list; statistics are worked out only when an alarm or an API
call asks for them. Whole values are kept, so that percentiles are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

GLOBAL_METRICS_REGION = "us-east-1"
"""The only Region that has AWS/Route53 metrics
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html)."""

Dimensions = tuple[tuple[str, str], ...]
"""Name and value of each dimension, sorted by name."""


def dimensions(values: Mapping[str, str] | None = None, **named: str) -> Dimensions:
    """Dimensions in the order the store keeps them."""
    return tuple(sorted({**(values or {}), **named}.items()))


class MetricId(NamedTuple):
    """One metric of one Region."""

    region: str
    namespace: str
    name: str
    dimensions: Dimensions = ()


@dataclass(frozen=True)
class StatisticSet:
    """Values that arrived already summed up (PutMetricData's StatisticValues)."""

    count: float
    total: float
    minimum: float
    maximum: float


@dataclass
class _Series:
    values: dict[int, list[float]] = field(default_factory=dict)
    sets: dict[int, list[StatisticSet]] = field(default_factory=dict)
    unit: str = "None"
    high_resolution: bool = False


@dataclass
class Sample:
    """What one metric measured in one period. `values` is unsorted; `sets` came summed up."""

    values: list[float]
    sets: list[StatisticSet]

    @property
    def count(self) -> float:
        """SampleCount."""
        return len(self.values) + sum(s.count for s in self.sets)

    def statistic(self, name: str) -> float | None:
        """Sum, Average, Minimum, Maximum, SampleCount or a percentile (`p99.9`); None without data.

        Raises ValueError for a statistic that is not supported, and for a percentile of
        values that arrived as a sum.
        """
        if self.count == 0:
            return None
        if name == "SampleCount":
            return self.count
        if name == "Sum":
            return self._sum()
        if name == "Average":
            return self._sum() / self.count
        if name == "Minimum":
            return min([*self.values, *(s.minimum for s in self.sets)])
        if name == "Maximum":
            return max([*self.values, *(s.maximum for s in self.sets)])
        percent = percentile_of(name)
        if self.sets:
            raise ValueError(f"{name} cannot be known of values that arrived as a StatisticSet")
        return _percentile(sorted(self.values), percent)

    def _sum(self) -> float:
        return math.fsum(self.values) + sum(s.total for s in self.sets)


def percentile_of(statistic: str) -> float:
    """The percentage in `p99` or `p99.9`. Raises ValueError for anything else."""
    try:
        percent = float(statistic[1:]) if statistic.startswith("p") else -1.0
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise ValueError(f"the local cloud does not support the statistic {statistic!r}")
    return percent


def _percentile(ordered: list[float], percent: float) -> float:
    """Linear interpolation between the closest ranks. AWS does not say how it interpolates."""
    position = (len(ordered) - 1) * percent / 100
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


class MetricStore:
    """All metrics of all Regions."""

    def __init__(self) -> None:
        self._series: dict[MetricId, _Series] = {}

    def record(
        self,
        metric: MetricId,
        value: float,
        at: float,
        unit: str = "None",
        high_resolution: bool = False,
        times: int = 1,
    ) -> None:
        """Add a value, `times` over. Raises ValueError where AWS has no such metric."""
        series = self._of(metric)
        bucket = series.values.setdefault(int(at), [])
        if times == 1:
            bucket.append(value)
        else:
            bucket.extend([value] * times)
        series.unit, series.high_resolution = unit, series.high_resolution or high_resolution

    def record_set(
        self, metric: MetricId, values: StatisticSet, at: float, unit: str = "None"
    ) -> None:
        """Add values that arrived summed up."""
        series = self._of(metric)
        series.sets.setdefault(int(at), []).append(values)
        series.unit = unit

    def _of(self, metric: MetricId) -> _Series:
        series = self._series.get(metric)
        if series is None:
            if metric.namespace == "AWS/Route53" and metric.region != GLOBAL_METRICS_REGION:
                raise ValueError(f"AWS/Route53 metrics exist only in {GLOBAL_METRICS_REGION}")
            series = self._series[metric] = _Series()
        return series

    def sample(self, metric: MetricId, start: int, period: int) -> Sample:
        """What was measured from `start` (epoch seconds) for `period` seconds."""
        series = self._series.get(metric)
        if series is None:
            return Sample([], [])
        values: list[float] = []
        sets: list[StatisticSet] = []
        for second in range(start, start + period):
            values.extend(series.values.get(second, ()))
            if series.sets:
                sets.extend(series.sets.get(second, ()))
        return Sample(values, sets)

    def unit(self, metric: MetricId) -> str:
        """The unit last recorded with; "None" for an unknown metric."""
        series = self._series.get(metric)
        return series.unit if series else "None"

    def seconds(self, metric: MetricId) -> Iterator[int]:
        """Epoch seconds with data, ascending."""
        series = self._series.get(metric)
        yield from sorted({*series.values, *series.sets}) if series else ()

    def find(
        self,
        region: str,
        namespace: str | None = None,
        name: str | None = None,
        having: Iterable[tuple[str, str | None]] = (),
    ) -> list[MetricId]:
        """The metrics of a Region that match; `having` filters dimensions (value None: any)."""
        wanted = list(having)
        return [
            metric
            for metric in self._series
            if metric.region == region
            and namespace in (None, metric.namespace)
            and name in (None, metric.name)
            and all(
                any(k == key and value in (None, v) for k, v in metric.dimensions)
                for key, value in wanted
            )
        ]
