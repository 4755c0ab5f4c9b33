"""What each step of a workflow answers when all goes well: to be changed where it does not."""

from __future__ import annotations

from typing import Any

from sidestep.core.policy import Policy
from tests.asl.ours import run_ours
from tests.asl.scripts import Run
from tests.asl.workflows import FOLDER, definition_of

CLAIM = {
    "application": "demo",
    "region": "eu-west-2",
    "incident": "demo-eu-west-2-1",
    "kind": "failover",
    "mode": "automatic",
    "token": 1,
    "holder": "arn:aws:states:us-east-1:123456789012:execution:m:n",
    "lease_until": 1,
}
COMMANDS = ["aws … failover", "aws … recovery", "aws … recovery, forced"]


def says(**payload: Any) -> list[Any]:
    """What a Lambda step answers, always."""
    return [{"Payload": payload}]


def held(state: str = "SERVING", mode: str = "automatic", **policy: Any) -> list[Any]:
    """A claim that is held."""
    return says(
        held=True,
        why="claimed",
        claim=CLAIM | {"mode": mode},
        state=state,
        policy=Policy(**policy).for_workflows(),
        commands=COMMANDS,
    )


def repaired(writes: int, **otherwise: Any) -> list[Any]:
    """What repairing comes to when it ends well."""
    well = {"conflicts": [], "conflicting": 0, "lost": 0, "unread": [], "complete": True}
    return says(**{"repaired": writes, **well, "more": False, "began": 0, **otherwise})


def stability(**otherwise: Any) -> list[Any]:
    """What a look at a Region's stability says when all are well."""
    well = {"stable": True, "bad": False, "healthy_for_s": 60, "why": "", "alone": False}
    known = {"would_change": "an observer calling it impaired", "others": ["us-east-1"]}
    return says(**{**well, **known, **otherwise})


RECORDED = says(recorded=True, words="in words", at=1)
TOLD: list[Any] = [{"MessageId": "m"}]
STILL_SO = says(
    go=True,
    why="2 of 2",
    diagnosis="health_failing",
    reasons=["2 of 2"],
    would_change="good",
    checked_ms=1,
)
FAILOVER = {
    "Claim the incident": held(),
    "Check again": STILL_SO,
    "Check once more": STILL_SO,
    "Drain by the gate": says(set=True, marks={"us-east-1": True}, why={}),
    "Flip the toggle": says(set=True, version=2, why="by us"),
    "Note that it is drained": RECORDED,
    "Tell that it is drained": TOLD,
    "Tell the bus that it is drained": TOLD,
    "See where clients are sent": says(
        done=True, dns_moved=True, traffic_moved=None, requests=None, moved_at=1
    ),
    "Measure replication": says(caught_up=True, lag_ms=1, why=""),
    "Count the writes at risk": says(
        count=0, keys=[], oldest_ms=None, unread=[], complete=True, since=1, more=False
    ),
    "Put back the writes at risk": repaired(1),
    "Put the incident down": RECORDED,
    "Watch traffic leave": says(
        done=True, dns_moved=True, traffic_moved=True, requests=0, moved_at=1
    ),
    "Note whether traffic has left": RECORDED,
    "Tell whether traffic has left": TOLD,
    "Tell it on the bus": TOLD,
    "Stand down": RECORDED,
    "Stand down and release": RECORDED,
    "Undo the drain": RECORDED,
    "Hand over to a person": RECORDED,
    "Say that replication was not proven": RECORDED,
    "Announce the outcome": TOLD,
    "Announce it on the bus": TOLD,
    "Tell a person": TOLD,
}
RECOVERY = {
    "Claim the incident": held("DRAINED"),
    "Begin probation again": RECORDED,
    "Close what another left open": RECORDED,
    "See whether another could serve": stability(),
    "See whether it is stable": stability(),
    "See whether its replica has caught up": says(caught_up=True, lag_ms=1, why=""),
    "Repair the writes at risk": repaired(1),
    "Note what was repaired": RECORDED,
    "Keep the lease while a person thinks": RECORDED,
    "Ask a person": [{}],
    "See whether it is still stable": stability(),
    "See whether its replica still keeps up": says(caught_up=True, lag_ms=1, why=""),
    "Restore the toggle": says(set=True, version=3, why=""),
    "Restore the gate": says(set=True, marks={}, why={}),
    "Note that it is on probation": RECORDED,
    "Watch traffic return": says(done=True, dns_moved=True, traffic_moved=None),
    "Watch it while traffic returns": stability(stable=False, healthy_for_s=5),
    "Watch it on probation": stability(),
    "Close the incident": RECORDED,
    "Back out by the gate": says(set=True, marks={}, why={}),
    "Back out by the toggle": says(set=True, version=4, why=""),
    "Note that it is drained again": RECORDED,
    "Put back what came meanwhile": repaired(0),
    "Put the incident down": RECORDED,
    "Stand down": RECORDED,
    "Hand over to a person": RECORDED,
    "Announce the outcome": TOLD,
    "Announce it on the bus": TOLD,
    "Tell a person": TOLD,
}


def run_with(name: str, answers: dict[str, Any], changed: dict[str, Any]) -> Run:
    """A run of a workflow in which these steps go otherwise; `_` stands for a space."""
    otherwise = {state.replace("_", " "): answer for state, answer in changed.items()}
    assert set(otherwise) <= set(answers)
    definition = definition_of(FOLDER / f"{name}.asl.json")
    return run_ours(definition, {"region": "eu-west-2"}, answers | otherwise)
