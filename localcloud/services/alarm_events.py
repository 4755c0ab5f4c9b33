"""What an alarm says when its state changes: the reason, the bus event, the SNS message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm

from localcloud.calls.endpoint import ACCOUNT
from localcloud.services.alarm_rules import ALARM, COMPARISONS, AlarmRule
from localcloud.services.metric_math import Points


def stamp(at: datetime) -> str:
    """A time as alarm events write it: 2026-01-01T00:00:00.000+0000."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"


def reason_for(rule: AlarmRule, state: str, was: str, points: Points) -> str:
    """Why the state changed, in CloudWatch's own manner of saying it."""
    real = [point for point in points if point is not None][-rule.evaluation_periods :]
    if not real:
        return f"Insufficient Data: no datapoints in {rule.evaluation_periods} periods"
    count = f"{len(real)} datapoint{'s were' if len(real) > 1 else ' was'}"
    side = COMPARISONS[rule.comparison][1]
    sense = "" if state == ALARM else "not "
    values = ", ".join(f"{value:g}" for value in real)
    return (
        f"Threshold Crossed: {count} [{values}] {sense}{side} the threshold "
        f"({rule.threshold:g}) (minimum {rule.datapoints_to_alarm} for {was} -> {state} transition)"
    )


def reason_data(rule: AlarmRule, points: Points, now: float) -> str:
    """The `StateReasonData` of a change: the data points looked at, as JSON."""
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": stamp(datetime.fromtimestamp(now, UTC)),
            "period": rule.period,
            "recentDatapoints": [p for p in points if p is not None][-rule.evaluation_periods :],
            "threshold": rule.threshold,
        }
    )


def state_change(
    alarm: Alarm,
    params: Mapping[str, Any],
    previous: Mapping[str, str],
    state: Mapping[str, str],
) -> dict[str, Any]:
    """The event as AWS sends it, without what the bus adds.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": [alarm.alarm_arn],
        "detail": {
            "alarmName": alarm.name,
            "state": dict(state),
            "previousState": dict(previous),
            "configuration": {
                "description": params.get("AlarmDescription") or "",
                "metrics": _metrics(params),
            },
        },
    }


def _metrics(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not params.get("Metrics"):
        statistic = params.get("Statistic") or params.get("ExtendedStatistic")
        stat = {"Metric": params, "Period": params["Period"], "Stat": statistic}
        return [{"id": "m1", "metricStat": _metric_stat(stat), "returnData": True}]
    return [
        {
            "id": query["Id"],
            **(
                {"expression": query["Expression"]}
                if "Expression" in query
                else {"metricStat": _metric_stat(query["MetricStat"])}
            ),
            "returnData": query.get("ReturnData", True),
        }
        for query in params["Metrics"]
    ]


def _metric_stat(stat: Mapping[str, Any]) -> dict[str, Any]:
    metric = stat["Metric"]
    return {
        "metric": {
            "namespace": metric.get("Namespace", ""),
            "name": metric["MetricName"],
            "dimensions": {d["Name"]: d["Value"] for d in metric.get("Dimensions") or ()},
        },
        "period": stat["Period"],
        "stat": stat["Stat"],
    }


def notification(
    region: str, alarm: Alarm, params: Mapping[str, Any], was: str, state: Mapping[str, str]
) -> dict[str, Any]:
    """The message that an alarm sends to an SNS topic."""
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": params.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT,
        "AlarmArn": alarm.alarm_arn,
        "Region": region,
        "NewStateValue": state["value"],
        "NewStateReason": state["reason"],
        "StateChangeTime": state["timestamp"],
        "OldStateValue": was,
        "OKActions": list(alarm.ok_actions),
        "AlarmActions": list(alarm.alarm_actions),
        "InsufficientDataActions": list(alarm.insufficient_data_actions),
        "Trigger": {
            key: params[key]
            for key in (
                "MetricName",
                "Namespace",
                "Period",
                "EvaluationPeriods",
                "DatapointsToAlarm",
                "ComparisonOperator",
                "Threshold",
                "TreatMissingData",
                "Metrics",
            )
            if key in params
        },
    }
