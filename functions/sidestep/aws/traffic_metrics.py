"""How many client requests a Region served lately, by CloudWatch in that Region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sidestep.aws.failures import calling

PERIOD_S = 60
LOOK_BACK = timedelta(minutes=4)
CLIENT_FUNCTIONS = ("write", "history")
CONTROL_FUNCTION = "health"
"""Health checkers call it all the time, so its data proves that metrics flow."""


class TrafficMetrics:
    """One Region's CloudWatch."""

    def __init__(self, cloudwatch: Any, application: str) -> None:
        self._cloudwatch, self._application = cloudwatch, application

    def client_requests(self, now_ms: int) -> int | None:
        """Requests that clients' functions served in the newest minute that has metrics.

        Lambda publishes nothing where nothing was invoked: none counts as zero only when the
        health function, which checkers never leave alone, has data for the same minute.
        None otherwise. Raises as `failures.calling`.
        """
        end = datetime.fromtimestamp(now_ms / 1000, UTC).replace(second=0, microsecond=0)
        with calling("CloudWatch"):
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=[
                    self._query(name) for name in (CONTROL_FUNCTION, *CLIENT_FUNCTIONS)
                ],
                StartTime=end - LOOK_BACK,
                EndTime=end,
            )
        series = {
            result["Id"]: dict(zip(result["Timestamps"], result["Values"], strict=True))
            for result in answer["MetricDataResults"]
        }
        control = series[CONTROL_FUNCTION]
        if not control:
            return None
        newest = max(control)
        return sum(int(series[name].get(newest, 0)) for name in CLIENT_FUNCTIONS)

    def _query(self, function: str) -> dict[str, Any]:
        name = f"sidestep-{self._application}-{function}"
        return {
            "Id": function,
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Invocations",
                    "Dimensions": [{"Name": "FunctionName", "Value": name}],
                },
                "Period": PERIOD_S,
                "Stat": "Sum",
            },
        }
