"""What people do to a world beside its faults: they start, redrive and pause.

A command that is refused is given again, some times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.asl import why_not
from localcloud.cloud import LocalCloud
from localcloud.kernel import Steps
from localcloud.scenario import Fault
from sidestep.core.errors import SidestepError

End = Callable[[], None]
_WORKFLOWS = ("failover", "recovery", "drill")
_FORCED_RECOVERY = ("recovery", "forced")
_TRIES_OF_A_PERSON, _PATIENCE_OF_A_PERSON_S = 8, 15.0
_LOOKS_AGAIN_S = 30.0
"""How often a person who wants a Region back looks whether it serves."""
BY_HAND = "by-hand-"
"""What the names of failovers and recoveries begin with that a person starts."""
FORCED_BACK = f"{BY_HAND}forced-back-"
"""Those of recoveries that ask nothing but whether the Region may be claimed."""


def started_by_hand(cloud: LocalCloud, fault: Fault) -> End:
    """A person starts a workflow about a Region, and later may want the Region back."""
    workflow = str(fault.settings["workflow"])
    given: dict[str, Any] = {}
    if workflow == "drill":
        given["minutes"] = float(fault.settings["minutes"])
    mode = str(fault.settings.get("mode", "manual"))
    if workflow == "failover" or (workflow, mode) == _FORCED_RECOVERY:
        given["mode"] = mode
    back_s = float(fault.settings.get("return_after_s", 0.0)) if workflow == "failover" else 0.0

    def act() -> Steps[None]:
        named = yield from start_by_hand(cloud, workflow, fault.region, given)
        if back_s:
            yield cloud.kernel.env.timeout(back_s)
            yield from _bring_back(cloud, fault.region, named)

    cloud.kernel.process(act())
    return lambda: None


def start_by_hand(
    cloud: LocalCloud, workflow: str, region: str, given: Mapping[str, Any]
) -> Steps[str]:
    """A person starts a workflow about a Region; the name of a failover's or recovery's execution,
    under which starting it again because no answer came is the same execution."""
    begins = FORCED_BACK if (workflow, given.get("mode")) == _FORCED_RECOVERY else BY_HAND
    name = f"{begins}{region}-{round(cloud.kernel.now * 1000)}"
    named = {} if workflow == "drill" else {"name": name}

    def start() -> Any:
        """In the first other Region that is up, as the runbook says."""
        others = [r for r in cloud.topology.regions if r != region]
        here = next((r for r in others if r not in cloud.network.down), others[0])
        return cloud.client("stepfunctions", here).start_execution(
            stateMachineArn=cloud.machine(here, workflow),
            input=json.dumps({"region": region, **given}),
            **named,
        )

    yield from _by_a_person(cloud, f"start {workflow}", start)
    return name


def _bring_back(cloud: LocalCloud, region: str, named: str) -> Steps[None]:
    """Recovery by hand, started again as long as the Region is out and nobody is at it."""
    machines = [cloud.machine(where, "failover") for where in cloud.topology.regions]
    while True:
        now = cloud.control().get("regions", {}).get(region, {"state": "SERVING", "holder": ""})
        executions = [one for arn in machines for one in cloud.stepfunctions.executions(arn)]
        begun = any(one.name == named and one.status == "RUNNING" for one in executions)
        if now["state"] != "SERVING" and not now["holder"]:
            yield from start_by_hand(cloud, "recovery", region, {})
        elif now["state"] == "SERVING" and not now["holder"] and not begun:
            return
        yield cloud.kernel.env.timeout(_LOOKS_AGAIN_S)


def _by_a_person(cloud: LocalCloud, what: str, act: Callable[[], object]) -> Steps[None]:
    """A person's command, given again when it is refused, and given up in the end."""
    refused = (BotoCoreError, ClientError, SidestepError)
    for attempt in range(1, _TRIES_OF_A_PERSON + 1):
        try:
            yield from cloud.kernel.call(act)
        except refused as error:
            cloud.kernel.log("refused", what=what, attempt=attempt, why=str(error))
            yield cloud.kernel.env.timeout(_PATIENCE_OF_A_PERSON_S)
        else:
            return


def redriven_by_hand(cloud: LocalCloud, _: Fault) -> End:
    """A person redrives whatever has ended without success, as it stands at that moment."""

    def act() -> Steps[None]:
        for region in cloud.topology.regions:
            for workflow in _WORKFLOWS:
                known = cloud.stepfunctions.executions(cloud.machine(region, workflow))
                for execution in [one for one in known if why_not(one) is None]:
                    yield from _redrive(cloud, region, execution.arn)

    cloud.kernel.process(act())
    return lambda: None


def _redrive(cloud: LocalCloud, region: str, arn: str) -> Steps[None]:
    def redrive() -> Any:
        return cloud.client("stepfunctions", region).redrive_execution(executionArn=arn)

    return _by_a_person(cloud, f"redrive {arn.rpartition(':')[2]}", redrive)


def paused(cloud: LocalCloud, fault: Fault) -> End:
    """An operator pauses automation, of a Region or of all, and takes it back at the end."""
    region, until_ms = fault.region or None, [0]

    def order() -> None:
        until_ms.append(int(cloud.kernel.now * 1000) + int(fault.for_s * 1000))
        cloud.pause(fault.for_s, region)

    def take_back() -> None:
        control = cloud.control()
        standing = (
            control.get("paused_regions", {}).get(region) if region else control.get("paused")
        )
        # A pause that was ordered since has taken this one's place, and is not this one's to end.
        if standing is None or int(standing["until_ms"]) <= until_ms[-1]:
            cloud.resume(region)

    cloud.kernel.process(_by_a_person(cloud, "pause", order))

    def end() -> None:
        cloud.kernel.process(_by_a_person(cloud, "resume", take_back))

    return end
