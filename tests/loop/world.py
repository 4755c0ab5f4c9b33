"""Helpers to hold a whole local cloud to a promise in a few simulated seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from localcloud.asl import Execution
from localcloud.cloud import TEMPLATE, LocalCloud
from localcloud.scenario import Scenario, parse
from localcloud.template.translate import read, without

Part = tuple[str | int, ...]
"""The path of a part of template.yaml, as `without` takes it."""

EVENTS: Part = ("Resources", "ObserveStateMachine", "Properties", "Events")
THE_SCHEDULE: Part = (*EVENTS, "EachMinute")
THE_ALARM_RULE: Part = (*EVENTS, "AlarmChanged")


def template_without(*parts: Part) -> dict[str, Any]:
    """template.yaml with these parts taken away."""
    changed = read(TEMPLATE)
    for part in parts:
        changed = without(changed, *part)
    return changed


@contextmanager
def world_without(*parts: Part) -> Iterator[LocalCloud]:
    """A started local cloud whose template lacks these parts."""
    with LocalCloud(template=template_without(*parts)) as cloud:
        cloud.start()
        yield cloud


def health_errors(region: str, at_s: float, for_s: float) -> Scenario:
    """A scenario in which a Region's /health answers 503 for a while and all else works."""
    fault = f"{{kind: health-errors, region: {region}, at_s: {at_s}, for_s: {for_s}}}"
    text = f"name: short\nwhy: the fault and nothing else\nexpect: moved\nfaults: [{fault}]\n"
    return parse(text, "a test's scenario")


def break_health(cloud: LocalCloud, region: str) -> None:
    """From now on the Region's /health answers 503, as in a drill; all else works."""
    cloud.client("dynamodb", region).put_item(
        TableName=cloud.table("regional"),
        Item={
            "pk": {"S": "fault"},
            "sk": {"S": "health"},
            "until": {"N": str(int((cloud.kernel.now + 3600) * 1000))},
            "incident": {"S": "a test"},
        },
    )


def mend_health(cloud: LocalCloud, region: str) -> None:
    """The Region's /health answers 200 again."""
    cloud.client("dynamodb", region).delete_item(
        TableName=cloud.table("regional"), Key={"pk": {"S": "fault"}, "sk": {"S": "health"}}
    )


def go_on(cloud: LocalCloud, seconds: float) -> None:
    """Let simulated seconds pass."""
    cloud.kernel.run(until=float(cloud.kernel.env.now) + seconds)


def until(cloud: LocalCloud, holds: Callable[[], bool], within_s: float) -> bool:
    """Let time pass until it holds, seconds at a time; False when it did not in time."""
    deadline = float(cloud.kernel.env.now) + within_s
    while not holds() and cloud.kernel.env.now < deadline:
        go_on(cloud, 1.0)
    return holds()


def states(cloud: LocalCloud) -> dict[str, str]:
    """Every Region's state by the control item; all serve before the first claim."""
    regions = cloud.control().get("regions", {})
    return dict.fromkeys(cloud.topology.regions, "SERVING") | {
        region: state["state"] for region, state in regions.items()
    }


def drained(cloud: LocalCloud) -> list[str]:
    """The Regions that were drained, a name for each time."""
    moves = cloud.control().get("moves", [])
    return [move["region"] for move in moves if move["what"] == "drain"]


def executions(cloud: LocalCloud, region: str, machine: str) -> list[Execution]:
    """A Region's executions of one of our machines, oldest first."""
    return list(reversed(cloud.stepfunctions.executions(cloud.machine(region, machine))))


def start(
    cloud: LocalCloud,
    region: str,
    machine: str,
    given: Mapping[str, Any],
    name: str | None = None,
) -> str:
    """StartExecution as by hand; the execution's ARN."""
    named = {"name": name} if name is not None else {}
    answer = cloud.client("stepfunctions", region).start_execution(
        stateMachineArn=cloud.machine(region, machine), input=json.dumps(given), **named
    )
    return str(answer["executionArn"])


def set_alarm(cloud: LocalCloud, region: str, what: str) -> None:
    """Bring an alarm of ours to ALARM, as `aws cloudwatch set-alarm-state` does."""
    cloud.client("cloudwatch", region).set_alarm_state(
        AlarmName=f"sidestep-{cloud.topology.application}-{region}-{what}",
        StateValue="ALARM",
        StateReason="a test",
    )
