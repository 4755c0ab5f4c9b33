"""One run of a scenario from beginning to end: world, clients, faults, and what came of it.

A drill is started as an operator starts it, with StartExecution; faults of the world's own
strike by themselves. Everything after that has to happen by itself.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from localcloud import client_report
from localcloud.audit import Audit, audit, unreplicated
from localcloud.chronicle import Chronicle
from localcloud.clients import AckedWrite, Clients
from localcloud.cloud import LocalCloud, Topology
from localcloud.dns.resolver import some_resolver
from localcloud.faults.kinds import KINDS
from localcloud.faults.strikes import Strikes
from localcloud.kernel import START
from localcloud.scenario import BACK_OUT, MOVED, PAGE, TAKE_OVER, Scenario

DRILL_AT_S = 36.0
"""When a drill is started: every client has come by then, and every observer has voted."""
DRILL_MINUTES = 15
REQUESTS_PER_S = 1.5
POPULATION = 24
"""Clients of all Regions together."""
TAIL_S = 15.0
"""How long the world goes on after all is well, so that last writes replicate."""
QUIET_AFTER_S = 180.0
"""How long after the last fault a world in which nothing may move is watched, and what a scenario
requires is waited for."""
DEADLINE_S = 1800.0
"""How long after the last fault a run may take to be well again, unless told otherwise."""
REPLICATED_WITHIN_S = 300.0
"""What has not replicated so long after all was well is not there."""
_STEP_S = 1.0

Event = dict[str, Any]


def begun(seed: int) -> datetime:
    """When a run's world begins: at some moment of a minute, of a seed always the same one.

    CloudWatch counts by whole minutes of the clock and a scenario's faults have a second of the
    run: without this each would strike at the same second of a minute, in every seed and design.
    """
    return START + timedelta(seconds=random.Random(f"{seed}/begun").uniform(0, 60))


@dataclass
class Outcome:
    """What a run came to. Times are simulated seconds since clients began; None: never."""

    scenario: Scenario
    """As it came about: faults that waited for a step, or for where a workflow runs, have the time
    and the place of each of their strikes."""
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
    take_overs: list[Event] = field(default_factory=list)
    """Claims of incidents whose holder's lease had run out."""
    pages: list[Event] = field(default_factory=list)
    """Messages since the fault that ask for a person."""
    epoch: float = 0.0
    """Epoch seconds of the moment when clients began."""
    transcript: str = ""

    @property
    def lacking(self) -> list[str]:
        """Of what the scenario says must come about: what has not."""
        regions = self.scenario.regions or self.regions
        came = {
            PAGE: bool(self.pages),
            TAKE_OVER: any(event["region"] in regions for event in self.take_overs),
            BACK_OUT: any(
                move["region"] in regions and _is_back_out(move, self.moves) for move in self.moves
            ),
        }
        return [one for one in self.scenario.must if not came[one]]


def _is_back_out(move: Event, moves: Sequence[Event]) -> bool:
    """Whether a recovery drained what it had restored; by a person's order a failover does."""
    return (
        move["what"] == "drain"
        and "-recovery:" in move["by"]
        and any(
            other["what"] == "restore" and other["incident"] == move["incident"]
            for other in moves
            if other["t"] < move["t"]
        )
    )


_ASKING = ("Sidestep needs you:", "Sidestep asks:", "Sidestep drill:")
"""How the subjects of the workflows' messages begin that do not just tell what was done."""


def asks_for_a_person(subject: str) -> bool:
    """Whether a message to the alerts topic with this subject asks somebody to act.

    Other alarms tell of what they measure: `heartbeats-missing` may go off as a world begins.
    """
    alarm = subject.startswith("ALARM:") and '-needs-person"' in subject
    return alarm or subject.startswith(_ASKING)


class Run:
    """One run. `carry_out` may be called once."""

    _reused_share = 0.0
    """Of the clients' writes: how many go under a key that was another's."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        hear: Callable[[Event], None] | None = None,
        topology: Topology | None = None,
        template: Mapping[str, Any] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        chosen = topology or Topology()
        policy = {**chosen.policy, **scenario.policy}
        self._cloud = LocalCloud(seed, replace(chosen, policy=policy), template, begun(seed))
        self._deadline_s = deadline_s
        self._scenario = scenario
        self._outcome = Outcome(scenario, seed, self._cloud.topology.regions)
        self._serving: dict[str, str] = {}
        self._strikes: Strikes | None = None
        self._all_over_at_s: float | None = None
        self._cloud.kernel.subscribe(self._follow)
        if hear is not None:
            self._cloud.kernel.subscribe(hear)

    def carry_out(self) -> Outcome:
        """Run the scenario to its end, well or not."""
        cloud, outcome = self._cloud, self._outcome
        with cloud:
            Chronicle(cloud)
            cloud.start()
            rate_per_s, reused_share = self._scenario.requests_per_s, self._reused_share
            outcome.clients = clients = clients_of(cloud, rate_per_s, reused_share)
            clients.start()
            self._begin()
            self._until_over()
            clients.stop()
            self._let_replicate()
            outcome.ended_at_s = float(cloud.kernel.env.now)
            outcome.audit = self._audit()
            outcome.epoch = cloud.kernel.env.epoch
            outcome.incidents, outcome.control = cloud.incidents(), cloud.control()
            outcome.transcript = cloud.kernel.transcript()
            if self._strikes is not None:
                faults = tuple(self._strikes.happened)
                outcome.scenario = replace(self._scenario, faults=faults)
        return outcome

    # -- beginning and end -----------------------------------------------------------------------

    def _begin(self) -> None:
        kernel, region = self._cloud.kernel, self._scenario.drill_region
        self._strikes = Strikes(self._cloud, self._scenario.faults)
        if region is not None:
            kernel.run(until=DRILL_AT_S)
            kernel.finish(kernel.call(self._start_drill, region))

    def _let_replicate(self) -> None:
        """Go on for a while, and until every acknowledged write is everywhere, or should be."""
        kernel = self._cloud.kernel
        limit = kernel.env.now + REPLICATED_WITHIN_S
        kernel.run(until=kernel.env.now + TAIL_S)
        while self._audit().not_everywhere and kernel.env.now < limit:
            kernel.run(until=kernel.env.now + TAIL_S)

    def _audit(self) -> Audit:
        return audit(
            self._cloud.services.dynamodb,
            self._cloud.table("data"),
            self._outcome.regions,
            self._promises(),
        )

    def _promises(self) -> Sequence[AckedWrite]:
        """What clients were told is stored, and what therefore has to be everywhere."""
        assert self._outcome.clients is not None
        return self._outcome.clients.promises

    def _start_drill(self, region: str) -> None:
        """As by hand, in a Region that is not the one to be broken."""
        here = next(r for r in self._cloud.topology.regions if r != region)
        self._cloud.client("stepfunctions", here).start_execution(
            stateMachineArn=self._cloud.machine(here, "drill"),
            input=json.dumps({"region": region, "minutes": DRILL_MINUTES}),
        )

    def _until_over(self) -> None:
        env = self._cloud.kernel.env
        limit = self._deadline_s + max((f.ends_at_s for f in self._scenario.faults), default=0)
        while env.now < limit:
            self._cloud.kernel.run(until=env.now + _STEP_S)
            if self._is_well() and self._has_happened():
                self._outcome.well = True
                return

    def _is_well(self) -> bool:
        """Whether all faults are over and everything is put down."""
        drill = self._outcome.drill
        assert self._strikes is not None
        if self._strikes.open or (drill is not None and drill["status"] == "RUNNING"):
            return False
        if self._all_over_at_s is None:
            self._all_over_at_s = float(self._cloud.kernel.env.now)
        return set(self._serving.values()) <= {"SERVING"} and not self._held()

    def _has_happened(self) -> bool:
        """Whether what the scenario expects has come about, or had its time to."""
        assert self._all_over_at_s is not None
        quiet = self._cloud.kernel.env.now - self._all_over_at_s >= QUIET_AFTER_S
        if self._scenario.expect != MOVED:
            return quiet
        if self._outcome.lacking and not quiet:
            return False
        restored = {m["region"] for m in self._outcome.moves if m["what"] == "restore"}
        ended = self._outcome.drill is not None and not self._scenario.faults
        return ended or restored >= set(self._scenario.regions)

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
        elif kind == "taken_over":
            outcome.take_overs.append(event)
        elif kind == "notification":
            if outcome.fault_at_s is not None and asks_for_a_person(event["subject"]):
                outcome.pages.append(event)
        elif outcome.fault_at_s is None and self._is_first_harm(event):
            outcome.fault_at_s = event["t"]

    def _is_first_harm(self, event: Event) -> bool:
        """Whether this is the fault that times count from."""
        if event["kind"] == "drill_fault":
            return bool(event["injected"])
        if event["kind"] != "fault":
            return False
        aside = all(KINDS[fault.kind].aside for fault in self._scenario.faults)
        return aside or not KINDS[event["what"]].aside

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


def clients_of(
    cloud: LocalCloud, rate_per_s: float = REQUESTS_PER_S, reused_share: float = 0.0
) -> Clients:
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
        reused_share=reused_share,
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
