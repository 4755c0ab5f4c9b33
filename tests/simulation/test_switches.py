"""A switch that is wrong is found when somebody could have put it right, and only then."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.scenario import Fault
from localcloud.simulation.switches import (
    AT_WORK_S,
    FOLLOWS_S,
    Switches,
    someone_can_follow,
)

HERE, THERE = "eu-west-2", "us-west-2"
COORDINATION = ("eu-west-1", "eu-west-2", "eu-central-1")
LATE = int(FOLLOWS_S) + 10


class World:
    """Two Regions, the control item's word on one of them, and its switch."""

    def __init__(self, *faults: Fault) -> None:
        self.open = True
        self.broken: list[str] = []
        self._region: dict[str, str] = {}
        cloud: Any = SimpleNamespace(
            topology=SimpleNamespace(regions=(HERE, THERE), coordination=COORDINATION),
            control=lambda: {"regions": {HERE: self._region}} if self._region else {},
            route53=SimpleNamespace(checks=self),
        )
        self._switches = Switches(cloud, faults, lambda name, _: self.broken.append(name))

    def __iter__(self) -> Any:
        return iter([SimpleNamespace(id=r, caller_reference=f"x-{r}-ToggleCheck") for r in (HERE,)])

    def state(self, _: str) -> bool:
        """Whether the switch is healthy."""
        return self.open

    def becomes(self, state: str, holder: str = "") -> None:
        """The control item says so from now on."""
        self._region = {"state": state, "holder": holder}

    def goes_on(self, since_s: int, until_s: int) -> None:
        """Time passes, and the switch is looked at."""
        for now_s in range(since_s, until_s, 5):
            self._switches.look(float(now_s))


@pytest.mark.parametrize(("state", "is_open"), [("DRAINED", True), ("SERVING", False)])
def test_a_switch_that_stays_wrong_is_found_once(state: str, is_open: bool) -> None:
    world = World()
    world.becomes(state)
    world.open = is_open

    world.goes_on(0, 3 * LATE)

    assert world.broken == ["switch-follows"]


def test_a_switch_that_is_put_right_in_time_is_none() -> None:
    world = World()
    world.becomes("DRAINED")

    world.goes_on(0, int(FOLLOWS_S))
    world.open = False
    world.goes_on(int(FOLLOWS_S), 3 * LATE)

    assert world.broken == []


@pytest.mark.parametrize(
    ("state", "holder"), [("DRAINED", "somebody"), ("DRAINING", ""), ("PROBATION", "somebody")]
)
def test_while_somebody_is_at_it_a_switch_may_stand_as_it_will(state: str, holder: str) -> None:
    world = World()
    world.becomes(state, holder)

    world.goes_on(0, 3 * LATE)

    assert world.broken == []


def test_before_the_first_claim_every_switch_is_open() -> None:
    world = World()

    world.goes_on(0, 3 * LATE)

    assert world.broken == []


def test_the_time_counts_from_when_route_53_can_be_asked_again() -> None:
    world = World(Fault("route53-down", "", at_s=0.0, for_s=100.0))
    world.becomes("DRAINED")

    world.goes_on(0, 100 + int(FOLLOWS_S))
    assert world.broken == []
    world.goes_on(100 + int(FOLLOWS_S), 110 + LATE)

    assert world.broken == ["switch-follows"]


@pytest.mark.parametrize(
    ("fault", "can"),
    [
        (Fault("route53-down", "", 90.0, 20.0), False),
        (Fault("route53-down", "", 10.0, 20.0), True),
        (Fault("coordination-down", "", 90.0, 20.0), False),
        (Fault("health-errors", HERE, 90.0, 20.0), True),
        (Fault("paused-by-operator", "", 90.0, 20.0), True),
        (Fault("region-down", "us-east-1", 90.0, 20.0), False),
        (Fault("link-cut", THERE, 90.0, 20.0, settings={"peer": "eu-central-1"}), False),
        (Fault("link-cut", THERE, 90.0, 20.0, settings={"peer": HERE}), False),
    ],
)
def test_what_stands_in_the_way_of_all_is_known(fault: Fault, can: bool) -> None:
    assert someone_can_follow([fault], (HERE, THERE), COORDINATION, 100.0) is can


@pytest.mark.parametrize(("since_s", "can"), [(0.0, False), (AT_WORK_S + 1.0, True)])
def test_an_observer_that_was_harmed_needs_a_minute_to_look_again(
    since_s: float, can: bool
) -> None:
    both = [Fault("lambda-killed", region, 40.0, 20.0) for region in (HERE, THERE)]

    assert someone_can_follow(both, (HERE, THERE), COORDINATION, 60.0 + since_s) is can
    assert someone_can_follow(both[:1], (HERE, THERE), COORDINATION, 60.0)
