"""The template as each design would deploy it: its health checks, and no control plane of ours.

Everything that clients meet (API, functions, tables, events, names, checkers' places) stays as it
is. What only Sidestep's control plane uses is left out: it would do nothing and cost time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from localcloud.cloud import TEMPLATE
from localcloud.template.translate import read

CLIENT_ALARMS = ("ApiErrorsAlarm", "WriteErrorsAlarm", "WriteLatencyAlarm", "ThrottlesAlarm")
"""Those of the template that say how a Region serves its clients."""
_OURS = frozenset({"Warden1Check", "Warden2Check", "WorkflowLog"})
CONTROL_ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/peers/routingcontrol/"


@cache
def endpoint_checked(interval_s: int) -> Mapping[str, Any]:
    """Each Region's record hangs on one endpoint check: `interval_s` (10 or 30), three failures."""
    return _plain(["HealthEndpointCheck"], interval_s)


@cache
def switched() -> Mapping[str, Any]:
    """Each record hangs on a switch that UpdateHealthCheck flips; alarms judge single minutes."""
    template = _with_quick_alarms(_plain(["HealthEndpointCheck"]))
    # Not the endpoint takes the Region out, but who raises the threshold above its one child.
    template["Resources"]["RegionCheck"]["Properties"]["HealthCheckConfig"]["HealthThreshold"] = 0
    return template


@cache
def routed() -> Mapping[str, Any]:
    """Each record hangs on a switch of ARC's, flipped by a data plane; alarms as above."""
    template = _with_quick_alarms(_plain(["HealthEndpointCheck"]))
    check = template["Resources"]["RegionCheck"]
    check["Properties"]["HealthCheckConfig"] = {
        "Type": "RECOVERY_CONTROL",
        "RoutingControlArn": {"Fn::Sub": CONTROL_ARN + "${AWS::Region}"},
    }
    return template


def _plain(children: list[str], interval_s: int = 10) -> dict[str, Any]:
    template = read(TEMPLATE)
    template.pop("Outputs", None)  # they name our state machines
    resources = template["Resources"]
    for name in [name for name, resource in resources.items() if _is_ours(name, resource)]:
        del resources[name]
    resources["RegionCheck"]["Properties"]["HealthCheckConfig"] = {
        "Type": "CALCULATED",
        "ChildHealthChecks": [{"Ref": child} for child in children],
        "HealthThreshold": len(children),
    }
    endpoint = resources["HealthEndpointCheck"]["Properties"]["HealthCheckConfig"]
    endpoint["RequestInterval"] = interval_s
    endpoint["FailureThreshold"] = 3
    return template


def _is_ours(name: str, resource: Mapping[str, Any]) -> bool:
    """Whether only our own control plane uses it. Nothing that clients meet refers to such."""
    kind = resource["Type"]
    if kind == "AWS::Serverless::Function":
        return str(resource["Properties"]["Handler"]).startswith("sidestep.control.")
    if kind == "AWS::CloudWatch::Alarm":
        return name not in CLIENT_ALARMS
    return kind == "AWS::Serverless::StateMachine" or name in _OURS


def _with_quick_alarms(template: dict[str, Any]) -> dict[str, Any]:
    """One minute is enough for an alarm: the quickest that a one-minute alarm can be."""
    for name in CLIENT_ALARMS:
        properties = template["Resources"][name]["Properties"]
        properties["EvaluationPeriods"] = properties["DatapointsToAlarm"] = 1
    return template
