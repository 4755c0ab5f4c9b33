"""The template as each design would deploy it: its health checks, and no control plane of ours.

Everything that clients meet (API, functions, tables, events, names, checkers' places) stays as it
is. What only Sidestep's control plane uses is left out: it would do nothing and cost time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from benchmarks.peers.alarms import CLIENT_ALARMS, Setting, with_alarms
from localcloud.cloud import TEMPLATE
from localcloud.template.translate import read

_OURS = frozenset({"Warden1Check", "Warden2Check", "WorkflowLog"})
CONTROL_ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/peers/routingcontrol/"


@cache
def endpoint_checked(interval_s: int) -> Mapping[str, Any]:
    """Each Region's record hangs on one endpoint check: `interval_s` (10 or 30), three failures."""
    return _plain(["HealthEndpointCheck"], interval_s)


@cache
def switched(setting: Setting) -> Mapping[str, Any]:
    """Each record hangs on its endpoint check, and on a switch that UpdateHealthCheck flips."""
    return with_alarms(_plain(["HealthEndpointCheck"]), setting)


@cache
def routed(setting: Setting) -> Mapping[str, Any]:
    """Each record hangs on a switch of ARC's, flipped by a data plane."""
    template = with_alarms(_plain(["HealthEndpointCheck"]), setting)
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
