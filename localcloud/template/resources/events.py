"""Event buses, rules and their targets, archives."""

from __future__ import annotations

import json
from typing import Any

from localcloud.template.kinds import Built, Deployment, Properties, builds, only, picked
from localcloud.template.resources.iam import check_trust

_READERS = "for readers"


@builds("AWS::Events::EventBus", "Name", {"Description": _READERS})
def _bus(d: Deployment, _: str, p: Properties) -> Built:
    arn = d.client("events").create_event_bus(Name=p["Name"])["EventBusArn"]
    return p["Name"], {"Arn": arn, "Name": p["Name"]}


@builds(
    "AWS::Events::Rule",
    "Name EventBusName EventPattern ScheduleExpression State Targets",
    {"Description": _READERS},
)
def _rule(d: Deployment, logical: str, p: Properties) -> Built:
    name, events = p.get("Name") or d.generated(logical), d.client("events")
    bus = str(p.get("EventBusName", "default")).rsplit("/", 1)[-1]
    wanted = picked(p, "ScheduleExpression")
    if "EventPattern" in p:
        wanted["EventPattern"] = json.dumps(p["EventPattern"])
    arn = events.put_rule(Name=name, EventBusName=bus, State=p.get("State", "ENABLED"), **wanted)[
        "RuleArn"
    ]
    targets = [_target(logical, arn, one) for one in p.get("Targets", [])]
    if targets:
        events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
    return (name if bus == "default" else f"{bus}|{name}"), {"Arn": arn}


def _target(logical: str, rule_arn: str, target: dict[str, Any]) -> dict[str, Any]:
    known = "Arn Id RoleArn Input InputPath InputTransformer DeadLetterConfig RetryPolicy"
    only(target, known, f"{logical}.Targets")
    if "RoleArn" in target:
        # AWS takes such a rule, and every delivery of it fails.
        check_trust(target["RoleArn"], "events.amazonaws.com", f"{logical}.Targets", rule_arn)
    if "RetryPolicy" not in target:
        return target
    return target | {"RetryPolicy": {key: int(n) for key, n in target["RetryPolicy"].items()}}


@builds(
    "AWS::Events::Archive",
    "ArchiveName SourceArn EventPattern RetentionDays",
    {"Description": _READERS},
)
def _archive(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("ArchiveName") or d.generated(logical, 48)
    wanted: dict[str, Any] = {}
    if "EventPattern" in p:
        wanted["EventPattern"] = json.dumps(p["EventPattern"])
    if "RetentionDays" in p:
        wanted["RetentionDays"] = int(p["RetentionDays"])
    arn = d.client("events").create_archive(
        ArchiveName=name, EventSourceArn=p["SourceArn"], **wanted
    )["ArchiveArn"]
    return name, {"Arn": arn}
