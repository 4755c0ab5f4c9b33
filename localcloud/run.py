"""One run of a scenario from beginning to end: world, clients, faults, and what came of it.

A drill is started as an operator starts it, with StartExecution; faults of the world's own
strike by themselves. Everything after that has to happen by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localcloud import client_report
from localcloud.audit import Audit, audit, unreplicated
from localcloud.chronicle import Chronicle
from localcloud.clients import Clients
from localcloud.cloud import LocalCloud, Topology
from localcloud.dns.resolver import some_resolver
from localcloud.scenario import Scenario
from localcloud.strikes import strike

DRILL_AT_S = 45.0
"""When a drill is started: every client has come by then, and every observer has voted."""
DRILL_MINUTES = 15
REQUESTS_PER_S = 2.0
POPULATION = 24
"""Clients of all Regions together."""
TAIL_S = 20.0
"""How long the world goes on after all is well, so that last writes replicate."""
QUIET_AFTER_S = 180.0
"""How long after the last fault a world in which nothing may move is watched."""
DEADLINE_S = 3600.0
"""How long after the last fault a run may take to be well again, unless told otherwise."""
_STEP_S = 1.0

Event = dict[str, Any]


@dataclass
class Outcome:
    """What a run came to. Times are simulated seconds since clients began; None: never."""

    scenario: Scenario
    seed: int
    regions: tuple[str, ...]
    fault_at_s: float | None = None
    ended_at_s: float = 0.0
    well: bool = False
    """All Regions serving, no incident in anybody's hands, all faults over."""
    drill: Mapping[str, Any] | None = None
    """The drill's execution: name, status, error, cause; None without one."""
    clients: Clients | None = None
    audit: Audit | None = None
    at_risk: int = 0
    """Acknowledged writes in no surviving replica when the Region was drained."""
    incidents: Sequence[Mapping[str, Any]] = field(default_factory=list)
    control: Mapping[str, Any] = field(default_factory=dict)
    """The control item in the end; empty when nothing was ever claimed."""
    moves: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)
    starts: list[Event] = field(default_factory=list)
    """Failover and recovery executions, as they started."""
    epoch: float = 0.0
    """Epoch seconds of the moment when clients began."""
    transcript: str = ""


class Run:
    """One run. `carry_out` may be called once."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        hear: Callable[[Event], None] | None = None,
        topology: Topology | None = None,
        template: Mapping[str, Any] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._cloud = LocalCloud(seed, topology, template)
        self._deadline_s = deadline_s
        self._scenario = scenario
        self._outcome = Outcome(scenario, seed, self._cloud.topology.regions)
        self._serving: dict[str, str] = {}
        self._faults_open = 0
        self._cloud.kernel.subscribe(self._follow)
        if hear is not None:
            self._cloud.kernel.subscribe(hear)

    def carry_out(self) -> Outcome:
        """Run the scenario to its end, well or not."""
        cloud, outcome = self._cloud, self._outcome
        with cloud:
            Chronicle(cloud)
            cloud.start()
            outcome.clients = clients = clients_of(cloud)
            clients.start()
            self._begin()
            self._until_over()
            clients.stop()
            cloud.kernel.run(until=cloud.kernel.env.now + TAIL_S)
            outcome.ended_at_s = float(cloud.kernel.env.now)
            outcome.audit = audit(
                cloud.services.dynamodb,
                cloud.table("data"),
                outcome.regions,
                clients.acknowledged.values(),
            )
            outcome.epoch = cloud.kernel.env.epoch
            outcome.incidents, outcome.control = cloud.incidents(), cloud.control()
            outcome.transcript = cloud.kernel.transcript()
        return outcome

    # -- beginning and end -----------------------------------------------------------------------

    def _begin(self) -> None:
        kernel, region = self._cloud.kernel, self._scenario.drill_region
        for fault in self._scenario.faults:
            kernel.process(strike(self._cloud, fault))
        if region is None:
            self._outcome.fault_at_s = min(fault.at_s for fault in self._scenario.faults)
            return
        kernel.run(until=DRILL_AT_S)
        kernel.finish(kernel.call(self._start_drill, region))

    def _start_drill(self, region: str) -> None:
        """As by hand, in a Region that is not the one to be broken."""
        here = next(r for r in self._cloud.topology.regions if r != region)
        self._cloud.client("stepfunctions", here).start_execution(
            stateMachineArn=self._cloud.machine(here, "drill"),
            input=json.dumps({"region": region, "minutes": DRILL_MINUTES}),
        )

    def _until_over(self) -> None:
        env = self._cloud.kernel.env
        last = max((f.at_s + f.for_s for f in self._scenario.faults), default=float(env.now))
        held = self._scenario.expect == "held"
        earliest = last + (QUIET_AFTER_S if held else 0.0)
        while env.now < last + self._deadline_s:
            self._cloud.kernel.run(until=env.now + _STEP_S)
            if env.now >= earliest and self._is_well() and (held or self._has_moved()):
                self._outcome.well = True
                return

    def _is_well(self) -> bool:
        drill = self._outcome.drill
        running = drill is not None and drill["status"] == "RUNNING"
        states = set(self._serving.values())
        return not (running or self._faults_open) and states <= {"SERVING"} and not self._held()

    def _has_moved(self) -> bool:
        drill = self._outcome.drill
        ended = drill is not None and drill["status"] != "RUNNING"
        return ended or any(move["what"] == "restore" for move in self._outcome.moves)

    def _held(self) -> bool:
        """Whether some execution still holds an incident."""
        control = self._cloud.control()
        return any(state["holder"] for state in control.get("regions", {}).values())

    # -- following -------------------------------------------------------------------------------

    def _follow(self, event: Event) -> None:
        outcome, kind = self._outcome, event["kind"]
        if kind == "move":
            outcome.moves.append(event)
            if event["what"] == "drain":
                self._drained(event["region"])
        elif kind == "state":
            self._serving[event["region"]] = event["state"]
        elif kind == "decision":
            outcome.decisions.append(event)
        elif kind == "workflow":
            self._follow_workflow(event)
        elif kind in ("fault", "fault_over"):
            self._faults_open += 1 if kind == "fault" else -1
        elif kind == "drill_fault" and event["injected"] and outcome.fault_at_s is None:
            outcome.fault_at_s = event["t"]

    def _follow_workflow(self, event: Event) -> None:
        outcome = self._outcome
        if event["machine"] == "drill":
            outcome.drill = event
        elif event["machine"] in ("failover", "recovery") and event["status"] == "RUNNING":
            outcome.starts.append(event)

    def _drained(self, region: str) -> None:
        others = [
            r
            for r in self._outcome.regions
            if r != region and self._serving.get(r, "SERVING") == "SERVING"
        ]
        assert self._outcome.clients is not None
        self._outcome.at_risk += unreplicated(
            self._cloud.services.dynamodb,
            self._cloud.table("data"),
            region,
            others,
            self._outcome.clients.acknowledged.values(),
        )


def clients_of(cloud: LocalCloud, rate_per_s: float = REQUESTS_PER_S) -> Clients:
    """Clients near every guarded Region, each with a resolver and most with its cache only."""
    chance = cloud.kernel.fork("resolvers")
    return Clients(
        cloud.kernel,
        cloud.door.request,
        lambda near: some_resolver(lambda: cloud.kernel.now, cloud.answers.answer, near, chance),
        cloud.region_of,
        cloud.topology.domain,
        dict.fromkeys(cloud.topology.regions, 1.0),
        rate_per_s,
        population=POPULATION,
    )


def left_after_s(outcome: Outcome, region: str) -> float | None:
    """Seconds from the fault until the last client had left the Region; None: they had not."""
    if outcome.clients is None or outcome.fault_at_s is None:
        return None
    return client_report.left_after_s(outcome.clients.samples, region, outcome.fault_at_s)


def back_after_s(outcome: Outcome, region: str) -> float | None:
    """Seconds from the fault until the Region answered clients again; None: it had not."""
    if outcome.clients is None or outcome.fault_at_s is None:
        return None
    return client_report.back_after_s(outcome.clients.samples, region, outcome.fault_at_s)
