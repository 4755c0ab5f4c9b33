"""DescribeAlarms: each alarm as it was put, and its state as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.cloudwatch.models import Alarm

from localcloud.calls.wire import AwsError

_SELECTS = frozenset(
    {"AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "MaxRecords", "NextToken"}
)
_MOST = 100
"""Records in a page, if not told otherwise and at most
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html)."""
_DEFAULTS: Mapping[str, Any] = {
    "ActionsEnabled": True,
    "OKActions": [],
    "AlarmActions": [],
    "InsufficientDataActions": [],
    "Dimensions": [],
}


def described(
    alarms: Iterable[tuple[Alarm, Mapping[str, Any]]], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """A page of the alarms, given with the parameters that they were put with.

    Raises AwsError for what the local cloud cannot select by, and for a wrong token.
    """
    unknown = sorted(set(asked) - _SELECTS)
    if unknown:
        raise AwsError(
            "NotImplemented", f"the local cloud's alarms cannot be found by {unknown[0]}", 501
        )
    wanted = sorted(
        (pair for pair in alarms if _is_wanted(pair[0], asked)), key=lambda pair: str(pair[0].name)
    )
    first = _offset(asked.get("NextToken"))
    last = first + min(int(asked.get("MaxRecords", _MOST)), _MOST)
    page: dict[str, Any] = {
        "MetricAlarms": [_one(alarm, params) for alarm, params in wanted[first:last]],
        "CompositeAlarms": [],
    }
    return page if last >= len(wanted) else page | {"NextToken": str(last)}


def _is_wanted(alarm: Alarm, asked: Mapping[str, Any]) -> bool:
    return (
        str(alarm.name).startswith(asked.get("AlarmNamePrefix", ""))
        and ("AlarmNames" not in asked or alarm.name in asked["AlarmNames"])
        and asked.get("StateValue", alarm.state_value) == alarm.state_value
        and "MetricAlarm" in asked.get("AlarmTypes", ["MetricAlarm"])
    )


def _offset(token: Any) -> int:
    if token is None:
        return 0
    if not str(token).isdecimal():
        raise AwsError("InvalidNextToken", f"{token} is not a token of this list")
    return int(token)


def _one(alarm: Alarm, params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_DEFAULTS,
        **{name: value for name, value in params.items() if name != "Tags"},
        "AlarmArn": alarm.alarm_arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configuration_updated_timestamp,
        "StateValue": alarm.state_value,
        "StateReason": alarm.state_reason,
        "StateReasonData": alarm.state_reason_data,
        "StateUpdatedTimestamp": alarm.state_updated_timestamp,
    }
