"""The traffic step asks CloudWatch for clients' routes alone, and takes late data for unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sidestep.aws.traffic_metrics import TrafficMetrics
from sidestep.core.traffic import MINUTE_MS
from tests.control.control_plane import LONDON, ControlPlane

DRAINED = 1_767_225_600_000
NOW = DRAINED + 3 * MINUTE_MS + 30_000
"""The newest whole minute is the one that began with the drain."""


class CloudWatch:
    """Answers GetMetricData with what was put: route → minute after the drain → count."""

    def __init__(self, **counts: dict[int, int]) -> None:
        self._counts = counts
        self.asked: dict[str, Any] = {}

    def get_metric_data(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {
            "MetricDataResults": [
                {
                    "Id": query["Id"],
                    "Timestamps": [_minute(number) for number in self._seen(query)],
                    "Values": [float(count) for count in self._seen(query).values()],
                }
                for query in asked["MetricDataQueries"]
            ]
        }

    def _seen(self, query: dict[str, Any]) -> dict[int, int]:
        return self._counts.get(query["Id"], {})


def _minute(number: int) -> datetime:
    return datetime.fromtimestamp((DRAINED + number * MINUTE_MS) / 1000, UTC)


def requests(cloudwatch: CloudWatch) -> int | None:
    return TrafficMetrics(cloudwatch).client_requests("k3v9q2x7ab", DRAINED, NOW)


def test_routes_that_only_clients_ask_are_asked_for_with_all_requests_beside_them() -> None:
    cloudwatch = CloudWatch()
    requests(cloudwatch)

    places = {
        frozenset((d["Name"], d["Value"]) for d in q["MetricStat"]["Metric"]["Dimensions"])
        for q in cloudwatch.asked["MetricDataQueries"]
    }
    stage = {("ApiId", "k3v9q2x7ab"), ("Stage", "$default")}
    assert places == {
        frozenset(stage),
        frozenset(stage | {("Method", "POST"), ("Resource", "/messages")}),
        frozenset(stage | {("Method", "GET"), ("Resource", "/history")}),
    }


def test_what_is_asked_for_begins_with_the_newest_whole_minute_and_ends_with_this_one() -> None:
    cloudwatch = CloudWatch()
    requests(cloudwatch)

    assert cloudwatch.asked["StartTime"] == _minute(0)
    assert cloudwatch.asked["EndTime"] == _minute(4)


@pytest.mark.parametrize(
    ("seen", "known"),
    [
        pytest.param({"all": {0: 40, 1: 38}}, 0, id="data come, and none is a client's"),
        pytest.param({"all": {0: 40, 1: 38}, "reads": {2: 1}}, 1, id="one read, just now"),
        pytest.param({"all": {0: 40}}, None, id="nothing newer has come"),
        pytest.param({}, None, id="nothing has come"),
        pytest.param({"writes": {0: 2}}, 2, id="a series that came alone"),
    ],
)
def test_no_data_is_unknown_and_not_none(
    seen: dict[str, dict[int, int]], known: int | None
) -> None:
    assert requests(CloudWatch(**seen)) == known


def test_a_region_whose_api_is_not_registered_is_unknown(plane: ControlPlane) -> None:
    answer = plane.invoke("traffic", claim=plane.drained(), expect="gone")

    assert (answer["requests"], answer["traffic_moved"], answer["done"]) == (None, None, False)


def test_a_region_whose_metrics_have_not_come_is_waited_for(plane: ControlPlane) -> None:
    plane.register()
    claim = plane.drained()

    answer = plane.invoke("traffic", claim=claim, expect="gone")

    assert ("GetMetricData", LONDON) in plane.calls
    assert (answer["requests"], answer["traffic_moved"], answer["done"]) == (None, None, False)
