"""This Region's own alarms, by CloudWatch here."""

from __future__ import annotations

from typing import Any

from sidestep.aws.failures import calling
from sidestep.core.errors import SidestepError

NOT_ABOUT_SERVING = frozenset(
    {
        "replication-lag",
        "heartbeats-missing",
        "dead-letters",
        "unsent-events",
        "needs-person",
        "writes-refused",
    }
)
"""Alarms of the template that say nothing about how this Region serves its clients: of another
Region's writes, of the observer itself, of too many clients, or for people. They are no evidence
against it."""


class OwnAlarms:
    """The alarms that the template makes, known by their names' prefix."""

    def __init__(self, cloudwatch: Any, application: str, region: str) -> None:
        self._cloudwatch = cloudwatch
        self._prefix = f"sidestep-{application}-{region}-"

    def states(self) -> dict[str, str]:
        """OK, ALARM or INSUFFICIENT_DATA by alarm name, of alarms about serving clients.

        All unknown when CloudWatch is silent.
        """
        try:
            with calling("CloudWatch"):
                answer = self._cloudwatch.describe_alarms(
                    AlarmNamePrefix=self._prefix, MaxRecords=100
                )
        except SidestepError as error:
            return {f"{self._prefix}* ({error})": "INSUFFICIENT_DATA"}
        states = {
            alarm["AlarmName"].removeprefix(self._prefix): alarm["StateValue"]
            for alarm in answer["MetricAlarms"]
        }
        return {name: state for name, state in states.items() if name not in NOT_ABOUT_SERVING}
