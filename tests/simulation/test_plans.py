"""A seed is a whole world: the same again, and within what the system is made for."""

from __future__ import annotations

from collections import Counter

import pytest

from localcloud.fault_kinds import HOW, KINDS, REGIONLESS
from localcloud.simulation.plan import BY_HAND, HINDERS, HURTS, plan
from sidestep.core.policy import Policy

PLANS = [plan(seed) for seed in range(400)]


def test_the_same_seed_is_the_same_world() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_every_kind_of_fault_is_drawn_in_every_way() -> None:
    drawn = {fault.kind for world in PLANS for fault in world.faults}
    ways = {f.settings["how"] for world in PLANS for f in world.faults if "how" in f.settings}
    started = {f.settings.get("workflow") for world in PLANS for f in world.faults}

    assert drawn == set(KINDS)
    assert ways == set(HOW)
    assert started == {None, BY_HAND}


def test_in_every_world_something_hurts_and_in_most_something_hinders() -> None:
    kinds = [{fault.kind for fault in world.faults} for world in PLANS]

    assert all(drawn & set(HURTS) for drawn in kinds)
    assert sum(bool(drawn & set(HINDERS)) for drawn in kinds) > len(PLANS) / 2


def test_worlds_have_two_to_five_regions_and_their_tables_a_place_of_their_own() -> None:
    sizes = Counter(len(world.regions) for world in PLANS)

    assert set(sizes) == {2, 3, 4, 5}
    assert all(world.coordination[0] not in world.regions for world in PLANS)


def test_a_plan_is_one_that_the_system_takes() -> None:
    for world in PLANS:
        Policy.parse(world.policy)
        for fault in world.faults:
            assert (fault.region in world.regions) or fault.kind in REGIONLESS
            assert fault.times == 1 or fault.every_s > fault.for_s
            assert fault.settings.get("peer") != fault.region
            assert set(fault.settings) == set(KINDS[fault.kind].settings)


def test_only_kinds_that_are_asked_for_are_drawn() -> None:
    assert {f.kind for seed in range(30) for f in plan(seed, ["slow"]).faults} == {"slow"}


@pytest.mark.parametrize("number", [0, 1])
def test_a_world_without_one_of_its_faults_is_else_the_same(number: int) -> None:
    world = next(world for world in PLANS if len(world.faults) == 3)

    smaller = world.without(number)

    assert smaller.faults == tuple(f for n, f in enumerate(world.faults) if n != number)
    assert (smaller.seed, smaller.regions, smaller.policy) == (
        *(world.seed, world.regions, world.policy),
    )
