"""The runs of our own workflows that are held against moto's interpreter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.asl.scripts import Throw
from tests.asl.workflows import Scenario
from tests.control.scripted_steps import FAILOVER, RECOVERY, held, says, stability

REGION = {"region": "eu-west-2"}
ALARM = {"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch"}
EXISTS = Throw("StepFunctions.ExecutionAlreadyExistsException")
DUE = {
    "workflow": "failover",
    "name": "demo-eu-west-2-1",
    "input": {**REGION, "application": "demo", "mode": "automatic", "incident": "i"},
}
OBSERVE: dict[str, list[Any]] = {
    "Look at the Region": says(region="eu-west-2", reached=True, status=200),
    "Cast the vote and decide": says(decisions=[], due=[DUE]),
    "Start the workflow": [{"ExecutionArn": "arn"}],
    "Start it again under another name": [{"ExecutionArn": "arn"}],
}
SERVES = {"state": "SERVING", "settled": True, "epoch": 0, "at": 1, "real_incident": []}
DRAINED = SERVES | {"state": "DRAINED", "incident": "demo-eu-west-2-1", "epoch": 1}
DRILL = {
    "See whether a drill may run": says(ok=True, epoch=0, command="aws …", at=1),
    "Inject the fault": says(injected=True, until=2, at=1),
    "Watch the automatic path drain it": says(**DRAINED),
    "Remove the fault": says(healed=True, at=1),
    "Watch the automatic path bring it back": says(**DRAINED | {"state": "SERVING"}),
    "Remove the fault in any case": says(healed=True, at=1),
}


def _of(workflow: str, steps: Mapping[str, Sequence[Any]], given: Any) -> Callable[..., Scenario]:
    """Makes scenarios of one workflow: what it shows, what goes otherwise, what it passes."""

    def scenario(
        name: str,
        otherwise: Mapping[str, Sequence[Any]] | None = None,
        *passes: str,
        ends: str = "SUCCEEDED",
        concurrent: bool = False,
    ) -> Scenario:
        answers = {**steps, **(otherwise or {})}
        return Scenario(workflow, name, given, answers, ends, concurrent, passes)

    return scenario


observe = _of("observe", OBSERVE, ALARM)
failover = _of("failover", FAILOVER, REGION)
recovery = _of("recovery", RECOVERY, REGION)
drill = _of("drill", DRILL, REGION)

SCENARIOS: list[Scenario] = [
    observe("it starts what is due", None, "Start the workflow", concurrent=True),
    observe(
        "a name is used up",
        {"Start the workflow": [EXISTS]},
        "Start it again under another name",
        concurrent=True,
    ),
    observe(
        "what is half done waits for a person",
        {
            "Cast the vote and decide": says(
                decisions=[], due=[], tell=[{"subject": "s", "message": "m"}]
            ),
            "Tell a person": [{"MessageId": "m"}],
        },
        "Tell a person",
        concurrent=True,
    ),
    observe(
        "a suspicion wakes what a failover would need",
        {
            "Cast the vote and decide": says(decisions=[], due=[], wake=True),
            "Wake a step": [{"StatusCode": 202}],
        },
        "Wake a step",
        concurrent=True,
    ),
    observe(
        "what is not woken starts cold",
        {
            "Cast the vote and decide": says(decisions=[], due=[], wake=True),
            "Wake a step": [Throw("Lambda.TooManyRequestsException")],
        },
        "Let it start cold",
        concurrent=True,
    ),
    failover("it drains by both switches", None, "Drain by the gate", "Flip the toggle"),
    failover(
        "neither switch takes",
        {"Drain by the gate": [Throw("Boom")], "Flip the toggle": [Throw("Unreachable")]},
        "Undo the drain",
        ends="FAILED",
    ),
    failover("it is fenced off", {"Note that it is drained": [Throw("LeaseLost")]}, "Stand aside"),
    failover(
        "the Region has come back",
        {
            "Check again": says(
                go=False, why="healthy", diagnosis="healthy", reasons=[], checked_ms=1
            )
        },
        "Stand down",
    ),
    failover(
        "it has been drained and an unknown error comes",
        {"Count the writes at risk": [Throw("Boom")]},
        "Put the incident down",
    ),
    recovery("it restores, watches and closes", None, "Restore the gate", "Close the incident"),
    recovery(
        "a person refuses",
        {
            "Claim the incident": held("DRAINED", approval="always"),
            "Ask a person": [Throw("Refused")],
        },
        "Ask a person",
        "Stand down",
    ),
    recovery(
        "it turns bad on probation",
        {"Watch it on probation": stability(stable=False, bad=True, healthy_for_s=0, why="503")},
        "Back out by the gate",
        "Note that it is drained again",
    ),
    recovery(
        "it is taken over half restored",
        {"Claim the incident": held("RESTORING")},
        "Back out by the gate",
    ),
    drill("the loop closes", None, "Report"),
    drill(
        "it may not run",
        {"See whether a drill may run": [Throw("Refused")]},
        "Refuse the drill",
        ends="FAILED",
    ),
    drill(
        "the watch fails",
        {"Watch the automatic path drain it": [Throw("Boom")]},
        "Remove the fault in any case",
        ends="FAILED",
    ),
]
