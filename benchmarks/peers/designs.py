"""The designs that are compared: what each deploys and who flips its switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import worlds
from benchmarks.peers.controllers import HOME, ByControlPlane, ByDataPlane, OnAlarms, Oracle
from localcloud.cloud import LocalCloud
from localcloud.scenario import HELD, Scenario

ORCHESTRATOR_START_S = 5.0
"""From an alarm's event to UpdateHealthCheck: Sidestep's own failover takes as long from its
start to its toggle in the same world (claim, re-check, gate, toggle)."""
REGION_SWITCH_START_S = 45.0
"""From a trigger to the Route 53 step: one published run took 2.76 minutes, 120.88 s of it in
that step. The switch is flipped as the step begins, which is the best that can be said for it."""
REGION_SWITCH_DELAY_S = 60.0
"""minDelayMinutesBetweenExecutions of 1: the shortest whole number
(https://docs.aws.amazon.com/arc-region-switch/latest/api/API_Trigger.html)."""


ALARM_SETTLES_S = 60.0 + 5.0 + 60.0 + REGION_SWITCH_START_S + 10.0
"""A last bad minute comes to its end, arrives, is judged a minute later at most, and acted on."""


@dataclass(frozen=True)
class Design:
    """One column of the comparison. `template` None: Sidestep's own world.

    `settles_s`: how long after a fault's end the design may still move because of it.
    """

    key: str
    name: str
    template: Callable[[], Mapping[str, Any]] | None
    settles_s: float = 0.0
    control: Callable[[LocalCloud, Scenario], object] | None = None


def _orchestrator(cloud: LocalCloud, _: Scenario) -> object:
    return OnAlarms(cloud, ByControlPlane(cloud), ORCHESTRATOR_START_S, 0.0, HOME)


def _region_switch(cloud: LocalCloud, _: Scenario) -> object:
    switches = ByDataPlane(cloud)
    return OnAlarms(cloud, switches, REGION_SWITCH_START_S, REGION_SWITCH_DELAY_S, None)


def _oracle(cloud: LocalCloud, scenario: Scenario) -> object:
    ends_s = {
        region: max(
            (f.at_s + f.every_s * (f.times - 1) + f.for_s)
            for f in scenario.faults
            if f.region == region and f.after_step is None
        )
        for region in (scenario.regions if scenario.expect != HELD else ())
    }
    return Oracle(cloud, ByDataPlane(cloud), ends_s)


DESIGNS = (
    # Three looks, the time until DNS hears, and some.
    Design("a", "Route 53, 30 s × 3", lambda: worlds.endpoint_checked(30), 120.0),
    Design("b", "Route 53, 10 s × 3", lambda: worlds.endpoint_checked(10), 60.0),
    Design("c", "alarm orchestrator", worlds.switched, ALARM_SETTLES_S, _orchestrator),
    Design("d", "ARC Region switch", worlds.routed, ALARM_SETTLES_S, _region_switch),
    Design("e", "Sidestep", None),
    Design("f", "oracle", worlds.routed, 15.0, _oracle),
)
BY_KEY = {design.key: design for design in DESIGNS}
