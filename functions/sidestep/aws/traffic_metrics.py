"""How many client requests a Region served since a moment, by CloudWatch in that Region."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sidestep.aws.failures import calling
from sidestep.core.traffic import MINUTE_MS, Minutes, came_since, newest_whole

CLIENT_ROUTES = {"writes": ("POST", "/messages"), "reads": ("GET", "/history")}
"""The routes that only clients ask: canaries have their own. The template enables their metrics
(RouteSettings), without which there are none
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html)."""
ALL = "all"
"""Every request to the API. Health checkers ask all the time, so it shows whether data come."""


class TrafficMetrics:
    """One Region's CloudWatch."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def client_requests(self, api_id: str, since_ms: int, now_ms: int) -> int | None:
        """`core.traffic.came_since` of this Region's API. Raises as `failures.calling`."""
        stage = {"ApiId": api_id, "Stage": "$default"}
        routes = {
            name: {**stage, "Method": method, "Resource": path}
            for name, (method, path) in CLIENT_ROUTES.items()
        }
        with calling("CloudWatch"):
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=[_count(ALL, stage), *(_count(n, w) for n, w in routes.items())],
                StartTime=_time(newest_whole(now_ms)),
                EndTime=_time(now_ms // MINUTE_MS * MINUTE_MS + MINUTE_MS),
            )
        series = {result["Id"]: _minutes(result) for result in answer["MetricDataResults"]}
        clients = [series[name] for name in CLIENT_ROUTES]
        return came_since(since_ms, now_ms, clients, series[ALL])


def _count(name: str, where: dict[str, str]) -> dict[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/ApiGateway",
                "MetricName": "Count",
                "Dimensions": [{"Name": key, "Value": value} for key, value in where.items()],
            },
            "Period": MINUTE_MS // 1000,
            "Stat": "Sum",
        },
    }


def _minutes(result: dict[str, Any]) -> Minutes:
    """A series' figures by the epoch millisecond at which their minutes begin."""
    return {
        int(at.timestamp() * 1000): int(value)
        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
    }


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
