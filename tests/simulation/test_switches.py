"""A switch or gate that is wrong is found when somebody could have put it right, and only then."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.simulation.harm import Harm, Strike
from localcloud.simulation.switches import (
    ALL_OUT_S,
    AT_WORK_S,
    CONFIRMED_S,
    FOLLOWS_S,
    Switches,
    someone_can_follow,
)

HERE, THERE = "eu-west-2", "us-west-2"
COORDINATION = ("eu-west-1", "eu-west-2", "eu-central-1")
LATE = int(FOLLOWS_S) + 10


def strike(kind: str, region: str, since_s: float, for_s: float, **settings: str) -> Strike:
    return Strike(kind, region, settings, since_s, since_s + for_s)


class World:
    """Two Regions that each keep the other's gate, the control item's word on them, and what
    Route 53 holds of their switches and gates."""

    def __init__(self, *strikes: Strike) -> None:
        self.open = True
        """Whether the first Region's switch is healthy."""
        self.gates = {HERE: True, THERE: True}
        """Whether a Region's gate lets it be in DNS."""
        self.broken: list[str] = []
        self._region: dict[str, str] = {}
        cloud: Any = SimpleNamespace(
            topology=SimpleNamespace(regions=(HERE, THERE), coordination=COORDINATION),
            control=lambda: {"regions": {HERE: self._region}} if self._region else {},
            route53=SimpleNamespace(checks=self),
        )
        harm = Harm()
        harm.strikes.extend(strikes)
        self._switches = Switches(cloud, harm, lambda name, _: self.broken.append(name))

    def __iter__(self) -> Any:
        known = [(HERE, "RegionCheck"), (HERE, "Warden1Check"), (THERE, "Warden1Check")]
        settings = {"HealthThreshold": 2 if self.open else 3}
        for region, name in known:
            reference = f"x-{region}-{name}"
            yield SimpleNamespace(
                id=region, caller_reference=reference, children=("a", "b"), settings=settings
            )

    def state(self, region: str) -> bool:
        """Whether a warden's check is healthy."""
        return self.gates[region]

    def becomes(self, state: str, holder: str = "") -> None:
        """The control item says so from now on, and the gate obeys."""
        self._region = {"state": state, "holder": holder}
        self.gates[HERE] = state not in ("DRAINED", "DRAINING")

    def goes_on(self, since_s: int, until_s: int) -> None:
        """Time passes, and all of them are looked at."""
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
    world = World(strike("route53-down", "", 0.0, 100.0))
    world.becomes("DRAINED")

    world.goes_on(0, 100 + int(FOLLOWS_S))
    assert world.broken == []
    world.goes_on(100 + int(FOLLOWS_S), 110 + LATE)

    assert world.broken == ["switch-follows"]


@pytest.mark.parametrize(
    ("found", "can"),
    [
        (strike("route53-down", "", 90.0, 20.0), False),
        (strike("route53-down", "", 10.0, 20.0), True),
        (strike("coordination-down", "", 90.0, 20.0), False),
        (strike("health-errors", HERE, 90.0, 20.0), True),
        (strike("paused-by-operator", "", 90.0, 20.0), True),
        (strike("workflow-crash", "", 10.0, 20.0), False),
        (strike("workflow-crash", "", 0.0, 20.0), True),
        (strike("region-down", "us-east-1", 90.0, 20.0), False),
        (strike("region-lost", "us-east-1", 90.0, 20.0), False),
        (strike("link-cut", THERE, 90.0, 20.0, peer="eu-central-1"), False),
        (strike("link-cut", THERE, 90.0, 20.0, peer=HERE), False),
    ],
)
def test_what_stands_in_the_way_of_all_is_known(found: Strike, can: bool) -> None:
    assert someone_can_follow([found], (HERE, THERE), COORDINATION, 100.0) is can


@pytest.mark.parametrize(("since_s", "can"), [(0.0, False), (AT_WORK_S + 1.0, True)])
def test_an_observer_that_was_harmed_needs_a_minute_to_look_again(
    since_s: float, can: bool
) -> None:
    both = [strike("lambda-killed", region, 40.0, 20.0) for region in (HERE, THERE)]

    assert someone_can_follow(both, (HERE, THERE), COORDINATION, 60.0 + since_s) is can
    assert someone_can_follow(both[:1], (HERE, THERE), COORDINATION, 60.0)


@pytest.mark.parametrize(
    ("state", "is_open", "limit_s"),
    [("DRAINED", True, FOLLOWS_S), ("SERVING", False, FOLLOWS_S + CONFIRMED_S)],
)
def test_a_warden_that_answers_wrong_is_found_whatever_the_switch_says(
    state: str, is_open: bool, limit_s: float
) -> None:
    world = World()
    world.becomes(state)
    world.open = state == "SERVING"
    world.gates[HERE] = is_open

    world.goes_on(0, int(limit_s))
    assert world.broken == []
    world.goes_on(int(limit_s), int(limit_s) + 20)

    assert world.broken == ["gate-follows"]


def test_a_warden_can_be_asked_for_its_answer_while_route_53_is_away() -> None:
    world = World(strike("route53-down", "", 0.0, 1000.0))
    world.becomes("DRAINED")
    world.gates[HERE] = True

    world.goes_on(0, LATE)

    assert world.broken == ["gate-follows"]


@pytest.mark.parametrize("kind", ["region-dark", "write-errors", "stepfunctions-down"])
def test_a_warden_that_is_ill_itself_may_answer_as_it_will(kind: str) -> None:
    world = World(strike(kind, THERE, 0.0, 1000.0))
    world.becomes("DRAINED")
    world.open, world.gates[HERE] = False, True

    world.goes_on(0, 3 * LATE)

    assert world.broken == []


def test_all_regions_kept_out_by_ourselves_are_found_even_if_the_control_item_denies_it() -> None:
    world = World()
    world.becomes("SERVING")
    world.open = world.gates[THERE] = False

    world.goes_on(0, int(ALL_OUT_S))
    assert world.broken == []
    world.goes_on(int(ALL_OUT_S), int(ALL_OUT_S) + 15)

    assert world.broken == ["never-the-last"]
