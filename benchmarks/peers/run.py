"""One run of a scenario under one design: the same world, clients and judge as Sidestep's own."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from benchmarks import dns_moves
from benchmarks.peers.designs import Design
from localcloud.cloud import ROOT
from localcloud.faults.kinds import ACTING
from localcloud.run import DRILL_AT_S, Run
from localcloud.scenario import Fault, Scenario

DRILL_FAULT_S = 180.0
"""A drill's fault stands about so long under Sidestep: until its Region is drained and put down."""
LATER_S = 15.0
"""Faults that wait for a state of a failover strike so long after the first: no workflow runs. A
drill's workflow goes on to its next state as soon as its fault stands."""
COMES_BACK = "A Region comes back"
"""What faults that wait for a state of a recovery wait for instead: DNS names a Region again."""
BACK_S = 90.0
"""How long after a return clients have found it: an answer's TTL (60 s) and a request or two."""
ACTS = "us-east-1"
"""Which Region stands in for the one that acts, where a scenario lets that one die."""
DEADLINE_S = 900.0
"""How long after the last fault a run may take, besides two times out of service."""
_OURS = frozenset({"started-by-hand", "paused-by-operator", "coordination-down"})
"""Kinds that are about Sidestep's own parts."""


class PeerRun(Run):
    """A run without Sidestep. A move is what DNS hears: a Region's record going or coming."""

    def __init__(self, design: Design, scenario: Scenario, seed: int) -> None:
        assert design.template is not None
        deadline_s = DEADLINE_S + 2 * design.stays_out_s
        super().__init__(
            without_workflows(scenario), seed, template=design.template(), deadline_s=deadline_s
        )
        self._design = design
        self._control: object = None
        self._in_dns = dict.fromkeys(self._cloud.topology.regions, True)
        self._moved_at_s: float | None = None
        if not self._scenario.faults:  # all of it is about parts of Sidestep: nothing to weather
            self._outcome.fault_at_s = DRILL_AT_S

    def _begin(self) -> None:
        cloud = self._cloud

        def moved(move: dns_moves.Event) -> None:
            what, region = move["what"], move["region"]
            self._in_dns[region] = what == "restore"
            self._moved_at_s = move["t"]
            cloud.kernel.log("move", what=what, region=region, by=self._design.key, incident="")
            if self._in_dns[region]:
                cloud.kernel.log("step", state=COMES_BACK)

        dns_moves.follow(cloud, moved)
        if self._design.control is not None:
            self._control = self._design.control(cloud, self._scenario)
        super()._begin()

    def _has_happened(self) -> bool:
        """Every Region in DNS, and nothing to come that would change a figure: the design has
        had its time to react to the faults' end, and clients theirs to find the last return.
        What a peer never does is not waited for."""
        assert self._all_over_at_s is not None
        now, moved = float(self._cloud.kernel.env.now), self._moved_at_s
        settled = now - self._all_over_at_s >= self._design.settles_s
        found = moved is None or now - moved >= BACK_S
        return settled and found and all(self._in_dns.values())


def without_workflows(scenario: Scenario) -> Scenario:
    """The same harm where no workflow of ours runs, and nothing required that only ours can do."""
    faults = [fault for fault in scenario.faults if fault.kind not in _OURS]
    if scenario.drill_region is not None:
        faults.append(
            Fault("health-errors", scenario.drill_region, at_s=DRILL_AT_S, for_s=DRILL_FAULT_S)
        )
    first = min((f.at_s for f in faults if f.after_step is None), default=DRILL_AT_S)
    by_the_clock = tuple(_by_the_clock(fault, first) for fault in faults)
    return replace(scenario, drill_region=None, faults=by_the_clock, must=())


def _by_the_clock(fault: Fault, first_s: float) -> Fault:
    region = ACTS if fault.region == ACTING else fault.region
    if fault.after_step is None:
        return replace(fault, region=region)
    if fault.after_step in _states_of("recovery"):
        return replace(fault, region=region, after_step=COMES_BACK)
    later_s = 0.0 if fault.after_step in _states_of("drill") else LATER_S
    at_s = first_s + later_s + fault.delay_s
    return replace(fault, region=region, after_step=None, at_s=at_s)


@cache
def _states_of(workflow: str) -> frozenset[str]:
    machine = json.loads((ROOT / "statemachines" / f"{workflow}.asl.json").read_text())
    return frozenset(machine["States"])
