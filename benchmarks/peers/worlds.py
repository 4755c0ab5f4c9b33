"""The template as each design would deploy it: its health checks, and no control plane of ours.

Everything that clients meet (API, functions, tables, events, names, checkers' places) stays as it
is. What only Sidestep's control plane uses is left out: it would do nothing and cost time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from benchmarks.peers.alarms import CLIENT_ALARMS, Setting, with_alarms
from benchmarks.peers.endpoints import Endpoints
from localcloud.cloud import TEMPLATE
from localcloud.template.translate import read

_OURS = frozenset({"Warden1Check", "Warden2Check", "WorkflowLog"})
CONTROL_ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/peers/routingcontrol/"
SWITCH = "ArcSwitch"
"""The check that a routing control is, in the template."""


@cache
def endpoint_checked(interval_s: int, endpoints: Endpoints) -> Mapping[str, Any]:
    """Each Region's record hangs on its endpoint checks, `interval_s` (10 or 30) apart."""
    return _plain(endpoints, interval_s)


@cache
def switched(setting: Setting, endpoints: Endpoints) -> Mapping[str, Any]:
    """Each record hangs on its endpoint checks, and on a switch that UpdateHealthCheck flips."""
    return with_alarms(_plain(endpoints), setting)


@cache
def routed(setting: Setting, endpoints: Endpoints) -> Mapping[str, Any]:
    """Each record hangs on its endpoint checks, and on a switch of ARC's, flipped by a data plane.

    Route 53 refuses a calculated child of a calculated check; of this kind it says nothing
    (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html).
    """
    template = with_alarms(_plain(endpoints), setting)
    resources = template["Resources"]
    resources[SWITCH] = {
        "Type": "AWS::Route53::HealthCheck",
        "Properties": {
            "HealthCheckConfig": {
                "Type": "RECOVERY_CONTROL",
                "RoutingControlArn": {"Fn::Sub": CONTROL_ARN + "${AWS::Region}"},
            }
        },
    }
    _hang(resources, [*children_of(template), SWITCH])
    return template


def children_of(template: Mapping[str, Any]) -> list[str]:
    """The checks that each Region's record hangs on, by their names in the template."""
    config = template["Resources"]["RegionCheck"]["Properties"]["HealthCheckConfig"]
    return [child["Ref"] for child in config["ChildHealthChecks"]]


def _plain(endpoints: Endpoints, interval_s: int = 10) -> dict[str, Any]:
    template = read(TEMPLATE)
    template.pop("Outputs", None)  # they name our state machines
    resources = template["Resources"]
    for name in [name for name, resource in resources.items() if _is_ours(name, resource)]:
        del resources[name]
    _hang(resources, endpoints.put_into(template, interval_s))
    return template


def _hang(resources: dict[str, Any], children: list[str]) -> None:
    """Each Region's record hangs on all of these."""
    resources["RegionCheck"]["Properties"]["HealthCheckConfig"] = {
        "Type": "CALCULATED",
        "ChildHealthChecks": [{"Ref": child} for child in children],
        "HealthThreshold": len(children),
    }


def _is_ours(name: str, resource: Mapping[str, Any]) -> bool:
    """Whether only our own control plane uses it. Nothing that clients meet refers to such."""
    kind = resource["Type"]
    if kind == "AWS::Serverless::Function":
        return str(resource["Properties"]["Handler"]).startswith("sidestep.control.")
    if kind == "AWS::CloudWatch::Alarm":
        return name not in CLIENT_ALARMS
    return kind == "AWS::Serverless::StateMachine" or name in _OURS
