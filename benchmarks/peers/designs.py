"""The designs that are compared: what each deploys and who flips its switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.peers import worlds
from benchmarks.peers.alarms import TEMPLATES_OWN, Setting
from benchmarks.peers.alarms import chosen as chosen_alarms
from benchmarks.peers.controllers import HOME, ByControlPlane, ByDataPlane, OnAlarms, Oracle
from benchmarks.peers.endpoints import Endpoints
from benchmarks.peers.endpoints import chosen as chosen_endpoints
from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import COLD_START_S
from localcloud.scenario import HELD, Scenario

ORCHESTRATOR_START_S = sum(COLD_START_S) / 2
"""From an alarm's event to UpdateHealthCheck: one function's cold start (the published sample has
one). The event's way to it is not counted, nor what it looks at before it acts."""
REGION_SWITCH_START_S = 5.0
"""From a trigger to the flip, in a plan of the Route 53 step alone: assumed, in its favour, since
nothing that is published says it. Of the one run that is, the steps before took 45 s and this one
120.88 s (docs/benchmark.md)."""
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
    setting: str = ""
    """Which of those that a sweep tries."""


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


def _on_endpoints(key: str, endpoints: Endpoints) -> Design:
    """Of the two that are Route 53's checks and nothing else: with these."""
    interval_s, settles_s = {"a": (30, 120.0), "b": (10, 60.0)}[key]  # three looks, and some
    asked = "" if endpoints.asked == "health" else f" of {' and '.join(endpoints.paths)}"
    name = f"Route 53, {interval_s} s × {endpoints.threshold}{asked}"
    return Design(
        key,
        name,
        lambda: worlds.endpoint_checked(interval_s, endpoints),
        settles_s,
        setting=str(endpoints),
    )


def _on_alarms(key: str, setting: Setting) -> Design:
    """Of the two that wait for alarms: with these."""

    def orchestrator(cloud: LocalCloud, _: Scenario) -> object:
        green, start_s = setting.other_green, ORCHESTRATOR_START_S
        return OnAlarms(cloud, ByControlPlane(cloud), start_s, 0.0, STAYS_OUT_S, HOME, green)

    def region_switch(cloud: LocalCloud, _: Scenario) -> object:
        green, start_s = setting.other_green, REGION_SWITCH_START_S
        switches, again_s = ByDataPlane(cloud), REGION_SWITCH_DELAY_S
        return OnAlarms(cloud, switches, start_s, again_s, STAYS_OUT_S, None, green)

    template, control, name = {
        "c": (worlds.switched, orchestrator, "alarm orchestrator"),
        "d": (worlds.routed, region_switch, "ARC Region switch"),
    }[key]
    return Design(
        key,
        name,
        lambda: template(setting, their_endpoints()),
        ALARM_SETTLES_S,
        STAYS_OUT_S,
        control,
        str(setting),
    )


def their_endpoints() -> Endpoints:
    """The endpoint checks of (c), (d) and the oracle: 10 s apart, as best for (b)."""
    return chosen_endpoints("b")


ON_ENDPOINTS, ON_ALARMS = ("a", "b"), ("c", "d")
DESIGNS = (
    *(_on_endpoints(key, chosen_endpoints(key)) for key in ON_ENDPOINTS),
    *(_on_alarms(key, chosen_alarms(key)) for key in ON_ALARMS),
    Design("e", "Sidestep", None),
    Design(
        "f", "oracle", lambda: worlds.routed(TEMPLATES_OWN, their_endpoints()), 60.0, 0.0, _oracle
    ),
)
BY_KEY = {design.key: design for design in DESIGNS}


def named(key: str) -> Design:
    """A design by its letter, or with another setting than the chosen: `c:5%-1of1-20`, `b:x2-both`.

    Raises ValueError where it is no setting of that design.
    """
    letter, _, setting = key.partition(":")
    if not setting:
        return BY_KEY[key]
    of = (
        _on_endpoints(letter, Endpoints.parse(setting))
        if letter in ON_ENDPOINTS
        else _on_alarms(letter, Setting.parse(setting))
    )
    return replace(of, key=key)
