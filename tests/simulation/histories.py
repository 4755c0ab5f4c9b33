"""Histories of made-up worlds, and which invariants they break."""

from __future__ import annotations

from typing import Any

from localcloud.audit import Audit
from localcloud.run import Outcome
from localcloud.scenario import HELD, Fault, Scenario
from localcloud.simulation.invariants import Watch, judge
from sidestep.core.policy import Policy

HERE, THERE = "eu-west-2", "us-east-1"
REGIONS = (HERE, THERE)
Events = list[dict[str, Any]]


def outcome() -> Outcome:
    """A run that came out well: one incident, there and back."""
    steps = [
        {"step": "drained", "holder": "f", "token": 1},
        {"step": "closed", "holder": "r", "token": 2},
    ]
    record = {"sk": "demo-eu-west-2-1", "region": HERE, "status": "closed", "steps": steps}
    harm = Fault("health-errors", HERE, at_s=50.0, for_s=60.0)
    return Outcome(
        Scenario("harm", "for a test", HELD, (), (harm,)),
        1,
        REGIONS,
        well=True,
        audit=Audit(lost=(), missing={}, altered=(), repaired=0),
        incidents=[record],
        control={"regions": {HERE: {"state": "SERVING", "incident": "demo-eu-west-2-1"}}},
        moves=[move("drain", 100.0), move("restore", 300.0)],
    )


def move(what: str, at: float, incident: str = "demo-eu-west-2-1") -> dict[str, Any]:
    return {"what": what, "region": HERE, "t": at, "incident": incident, "by": "x"}


def state(
    name: str, at_s: float, region: str = HERE, mode: str = "automatic", by: str = "one"
) -> dict[str, Any]:
    """A Region's state in the control item becomes another."""
    return {
        **{"kind": "state", "region": region, "state": name, "t": at_s},
        **{"mode": mode, "incident": "one", "by": by},
    }


def broken(of: Outcome, watch: Watch | None = None) -> set[str]:
    return {v.invariant for v in judge(of, watch or Watch(REGIONS), Policy())}


def strike(kind: str, region: str, since_s: float, until_s: float, **settings: Any) -> Events:
    return [
        {"kind": "fault", "what": kind, "region": region, "t": since_s, **settings},
        {"kind": "fault_over", "what": kind, "region": region, "t": until_s},
    ]


def drilled(region: str, since_s: float, until_s: float) -> Events:
    return [
        {"kind": "drill_fault", "region": region, "injected": injected, "t": at_s}
        for injected, at_s in ((True, since_s), (False, until_s))
    ]


def found(*events: dict[str, Any]) -> set[str]:
    """What is broken where these happen, in the order of their times."""
    watch = Watch((HERE, THERE, "us-west-2"))
    for event in sorted(events, key=lambda event: float(event["t"])):
        watch.hear(event)
    return broken(outcome(), watch)
