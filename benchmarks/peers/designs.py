"""The designs that are compared: what each deploys and who flips its switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.peers import worlds
from benchmarks.peers.alarms import TEMPLATES_OWN, Setting, chosen
from benchmarks.peers.controllers import HOME, ByControlPlane, ByDataPlane, OnAlarms, Oracle
from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import COLD_START_S
from localcloud.scenario import HELD, Scenario

ORCHESTRATOR_START_S = sum(COLD_START_S) / 2
"""From an alarm's event to UpdateHealthCheck: one function's cold start (the published sample has
one). The event's way to it is not counted, nor what it looks at before it acts."""
REGION_SWITCH_START_S = 45.0
"""From a trigger to the Route 53 step: one published run took 2.76 minutes, 120.88 s of it in
that step. The switch is flipped as the step begins, which is the best that can be said for it."""
REGION_SWITCH_DELAY_S = 60.0
"""minDelayMinutesBetweenExecutions of 1: the shortest whole number
(https://docs.aws.amazon.com/arc-region-switch/latest/api/API_Trigger.html)."""
STAYS_OUT_S = 480.0
"""From a drain on alarms to the return, at least. Published samples leave the return to a person;
by itself, a Region without clients looks well at once. It is as long as the longest harm in the
catalogue, in whole minutes, so that nothing brings a Region back into the fault that it left, and
flapping has one drain. (ARC: the minimum delay of the trigger that activates, which is its own.)
"""

ALARM_SETTLES_S = 60.0 + 5.0 + 60.0 + REGION_SWITCH_START_S + 10.0
"""A last bad minute comes to its end, arrives, is judged a minute later at most, and acted on."""


@dataclass(frozen=True)
class Design:
    """One column of the comparison. `template` None: Sidestep's own world.

    `settles_s`: how long after a fault's end the design may still leave because of it.
    `stays_out_s`: how long it then stays out, at least, whatever it sees.
    """

    key: str
    name: str
    template: Callable[[], Mapping[str, Any]] | None
    settles_s: float = 0.0
    stays_out_s: float = 0.0
    control: Callable[[LocalCloud, Scenario], object] | None = None


def _orchestrator(cloud: LocalCloud, _: Scenario) -> object:
    return OnAlarms(cloud, ByControlPlane(cloud), ORCHESTRATOR_START_S, 0.0, STAYS_OUT_S, HOME)


def _region_switch(cloud: LocalCloud, _: Scenario) -> object:
    switches = ByDataPlane(cloud)
    start_s, again_s = REGION_SWITCH_START_S, REGION_SWITCH_DELAY_S
    return OnAlarms(cloud, switches, start_s, again_s, STAYS_OUT_S, None)


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


def _on_alarms(key: str, setting: Setting) -> Design:
    """Of the two that wait for alarms: with these."""
    if key == "c":
        template, control, name = worlds.switched, _orchestrator, "alarm orchestrator"
    else:
        template, control, name = worlds.routed, _region_switch, "ARC Region switch"
    return Design(key, name, lambda: template(setting), ALARM_SETTLES_S, STAYS_OUT_S, control)


ON_ALARMS = ("c", "d")
DESIGNS = (
    # Three looks, the time until DNS hears, and some.
    Design("a", "Route 53, 30 s × 3", lambda: worlds.endpoint_checked(30), 120.0),
    Design("b", "Route 53, 10 s × 3", lambda: worlds.endpoint_checked(10), 60.0),
    *(_on_alarms(key, chosen(key)) for key in ON_ALARMS),
    Design("e", "Sidestep", None),
    Design("f", "oracle", lambda: worlds.routed(TEMPLATES_OWN), 15.0, 0.0, _oracle),
)
BY_KEY = {design.key: design for design in DESIGNS}


def named(key: str) -> Design:
    """A design by its letter, or with other alarms than those chosen: `c:5%-1of1-20`."""
    letter, _, setting = key.partition(":")
    if not setting:
        return BY_KEY[key]
    return replace(_on_alarms(letter, Setting.parse(setting)), key=key)
