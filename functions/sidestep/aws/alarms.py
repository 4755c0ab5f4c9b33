"""This Region's own alarms, by CloudWatch here."""

from __future__ import annotations

from typing import Any

from sidestep.aws.failures import calling
from sidestep.core.errors import SidestepError


class OwnAlarms:
    """The alarms that the template makes, known by their names' prefix."""

    def __init__(self, cloudwatch: Any, application: str, region: str) -> None:
        self._cloudwatch = cloudwatch
        self._prefix = f"sidestep-{application}-{region}-"

    def states(self) -> dict[str, str]:
        """OK, ALARM or INSUFFICIENT_DATA by alarm name; all unknown when CloudWatch is silent."""
        try:
            with calling("CloudWatch"):
                answer = self._cloudwatch.describe_alarms(
                    AlarmNamePrefix=self._prefix, MaxRecords=100
                )
        except SidestepError as error:
            return {f"{self._prefix}* ({error})": "INSUFFICIENT_DATA"}
        return {
            alarm["AlarmName"].removeprefix(self._prefix): alarm["StateValue"]
            for alarm in answer["MetricAlarms"]
        }
