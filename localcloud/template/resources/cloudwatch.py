"""Alarms."""

from __future__ import annotations

from typing import Any

from localcloud.template.kinds import Built, Deployment, Properties, builds, flag

_WHOLE = ("Period", "EvaluationPeriods", "DatapointsToAlarm")


@builds(
    "AWS::CloudWatch::Alarm",
    "AlarmName AlarmDescription Namespace MetricName Dimensions Statistic ExtendedStatistic "
    "Period EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData "
    "Metrics AlarmActions OKActions InsufficientDataActions ActionsEnabled Unit "
    "EvaluateLowSampleCountPercentile",
)
def _alarm(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("AlarmName") or d.generated(logical, 255)
    alarm = {key: value for key, value in p.items() if key not in ("AlarmName", "Tags")}
    alarm |= {key: int(alarm[key]) for key in _WHOLE if key in alarm}
    if "Threshold" in alarm:
        alarm["Threshold"] = float(alarm["Threshold"])
    if "ActionsEnabled" in alarm:
        alarm["ActionsEnabled"] = flag(alarm["ActionsEnabled"])
    if "Metrics" in alarm:
        alarm["Metrics"] = [_query(query) for query in alarm["Metrics"]]
    d.client("cloudwatch").put_metric_alarm(AlarmName=name, **alarm)
    return name, {"Arn": d.arn("cloudwatch", f"alarm:{name}")}


def _query(query: dict[str, Any]) -> dict[str, Any]:
    """A metric query with its numbers and booleans as the API takes them."""
    typed = dict(query)
    if "MetricStat" in query:
        stat = query["MetricStat"]
        typed["MetricStat"] = stat | {"Period": int(stat["Period"])}
    if "ReturnData" in query:
        typed["ReturnData"] = flag(query["ReturnData"])
    return typed
