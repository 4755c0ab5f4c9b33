"""How many requests a Region's API answered lately, by CloudWatch in that Region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sidestep.aws.failures import calling

PERIOD_S = 60
"""HTTP APIs publish per minute
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html)."""


class TrafficMetrics:
    """One Region's CloudWatch."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def client_requests(self, api_id: str, now_ms: int) -> int | None:
        """Requests of the newest whole minute that has data; None: no data, which proves nothing.

        Health checkers' requests are in it too. Raises as `failures.calling`.
        """
        end = datetime.fromtimestamp(now_ms / 1000, UTC).replace(second=0, microsecond=0)
        with calling("CloudWatch"):
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=[
                    {
                        "Id": "requests",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/ApiGateway",
                                "MetricName": "Count",
                                "Dimensions": [{"Name": "ApiId", "Value": api_id}],
                            },
                            "Period": PERIOD_S,
                            "Stat": "Sum",
                        },
                    }
                ],
                StartTime=end - timedelta(minutes=3),
                EndTime=end,
            )
        values = answer["MetricDataResults"][0]["Values"]
        return int(values[0]) if values else None
