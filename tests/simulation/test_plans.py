"""A seed is a whole world: the same again, and within what the system is made for."""

from __future__ import annotations

from collections import Counter

import pytest

from localcloud.faults.kinds import ACTING, HOW, KINDS, REGIONLESS
from localcloud.simulation.plan import (
    ALONE,
    BY_HAND,
    DRAIN_S,
    HINDERS,
    HURTS,
    LASTING_S,
    RARE_ONLY,
    STEPS,
    WAITS_S,
    cools_down,
    plan,
)
from localcloud.simulation.rare import RARE, rare_world
from sidestep.core.policy import Policy

PLANS = [plan(seed) for seed in range(800)]
ORDINARY = [one for one in PLANS if rare_world(one.seed, one.regions, None) is None]


def test_the_same_seed_is_the_same_world() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_every_kind_of_fault_is_drawn_in_every_way() -> None:
    drawn = {fault.kind for world in PLANS for fault in world.faults}
    ways = {f.settings["how"] for world in PLANS for f in world.faults if "how" in f.settings}
    started = {f.settings.get("workflow") for world in PLANS for f in world.faults}

    assert drawn == set(KINDS)
    assert ways == set(HOW)
    assert started == {None, "recovery", *BY_HAND}


def test_in_every_world_something_hurts_and_in_most_something_hinders() -> None:
    kinds = [{fault.kind for fault in world.faults} for world in ORDINARY]

    assert all(drawn & set(HURTS) for drawn in kinds)
    assert sum(bool(drawn & set(HINDERS)) for drawn in kinds) > len(PLANS) / 2


def test_no_region_is_lost_for_good_but_in_worlds_of_that() -> None:
    lost = [w for w in PLANS if any(fault.kind in RARE_ONLY for fault in w.faults)]

    assert lost
    assert not [world for world in lost if world in ORDINARY]


def test_worlds_have_two_to_five_regions_and_their_tables_a_place_of_their_own() -> None:
    sizes = Counter(len(world.regions) for world in PLANS)

    assert set(sizes) == {2, 3, 4, 5}
    assert all(world.coordination[0] not in world.regions for world in PLANS)


def test_a_plan_is_one_that_the_system_takes() -> None:
    for world in PLANS:
        Policy.parse(world.policy)
        for fault in world.faults:
            acting = fault.region == ACTING and fault.after_step is not None
            assert fault.region in world.regions or acting or fault.kind in REGIONLESS
            assert fault.times == 1 or fault.every_s > fault.for_s
            assert fault.settings.get("peer") != fault.region
            assert set(fault.settings) == set(KINDS[fault.kind].settings)


def test_only_kinds_that_are_asked_for_are_drawn() -> None:
    assert {f.kind for seed in range(30) for f in plan(seed, ["slow"]).faults} == {"slow"}
    down = {f.kind for seed in range(60) for f in plan(seed, ["region-down"]).faults}
    assert down == {"region-down"}


def test_a_region_may_be_harmed_again_after_its_return_and_within_its_cool_down() -> None:
    apart = [
        (fault, Policy.parse(world.policy))
        for world in PLANS
        for fault in world.faults
        if fault.times == 2
    ]

    assert len(apart) > len(PLANS) / 10
    for fault, policy in apart:
        since_s, until_s = cools_down(fault.for_s, policy)
        assert policy.probation_s + policy.stability_window_s < since_s
        assert since_s <= fault.every_s <= until_s


def test_a_region_may_be_harmed_for_longer_than_its_failover_takes() -> None:
    lasting = [w for w in PLANS if any(f.for_s >= LASTING_S[0] for f in w.faults)]

    assert len(lasting) > len(PLANS) / 20


def test_in_some_worlds_one_thing_alone_goes_wrong_and_for_long() -> None:
    single = [w.faults[0] for w in PLANS if len(w.faults) == 1 and w.faults[0].kind in ALONE]
    alone = [
        fault
        for fault in single
        if fault.times == 1
        and LASTING_S[0] <= fault.for_s <= LASTING_S[1]
        and fault.settings.get("share", 1.0) == 1.0
        and not fault.settings.get("grows_over_s")
    ]

    assert len(alone) > len(PLANS) / 40
    assert {fault.kind for fault in alone} == set(ALONE)


def test_operators_pause_for_long_or_short_and_one_region_or_all() -> None:
    pauses = [f for world in PLANS for f in world.faults if f.kind == "paused-by-operator"]
    lasting = [pause for pause in pauses if pause.for_s >= LASTING_S[0]]
    of_one = [pause for pause in pauses if pause.region]

    assert len(pauses) / 4 < len(lasting) < len(pauses) * 3 / 4
    assert len(pauses) / 4 < len(of_one) < len(pauses) * 3 / 4


def test_some_policies_allow_few_drains_or_want_two_regions_to_serve() -> None:
    policies = [(len(world.regions), Policy.parse(world.policy)) for world in PLANS]

    assert {policy.max_drains_per_day for _, policy in policies} == {1, 2, 3, 6}
    assert {policy.min_serving_regions for size, policy in policies if size >= 3} == {1, 2}
    assert {policy.min_serving_regions for size, policy in policies if size == 2} == {1}
    assert not any(policy.observe_only for _, policy in policies)


def test_some_faults_wait_for_a_workflows_step_and_for_no_longer_than_it_may_come() -> None:
    waiting = [f for world in ORDINARY for f in world.faults if f.after_step is not None]

    assert 5 < len(waiting) < len(PLANS) / 5
    assert {fault.region == ACTING for fault in waiting} == {True, False}
    assert all(fault.after_step in STEPS and fault.waits_s == WAITS_S for fault in waiting)


def test_something_stands_in_the_way_of_some_rare_worlds_that_have_room_for_it() -> None:
    seeds = range(4000)
    drawn = [(world, rare_world(world.seed, world.regions, None)) for world in map(plan, seeds)]
    hindered = [(world, own) for world, own in drawn if own is not None and own.hindered]
    more = [world for world, own in hindered if len(world.faults) > len(own.faults)]

    assert 0.3 < len(more) / len(hindered) < 0.7
    for world in more:
        assert len([fault for fault in world.faults if fault.after_step in STEPS]) >= 2


def test_who_fails_a_region_over_by_hand_asks_for_its_return() -> None:
    orders = [f for w in ORDINARY for f in w.faults if f.settings.get("workflow") == "failover"]

    assert {order.settings["mode"] for order in orders} == {"manual", "planned", "forced"}
    assert all(float(order.settings["return_after_s"]) > 0 for order in orders)


def test_who_redrives_finds_something_that_was_cut_short() -> None:
    redriven = [w for w in PLANS if any(f.kind == "redriven-by-hand" for f in w.faults)]

    assert len(redriven) > len(PLANS) / 20
    assert all(any(f.kind == "workflow-crash" for f in world.faults) for world in redriven)


@pytest.mark.parametrize("number", [0, 1])
def test_a_world_without_one_of_its_faults_is_else_the_same(number: int) -> None:
    world = next(world for world in PLANS if len(world.faults) == 3)

    smaller = world.without(number)

    assert smaller.faults == tuple(f for n, f in enumerate(world.faults) if n != number)
    assert (smaller.seed, smaller.regions, smaller.policy) == (
        *(world.seed, world.regions, world.policy),
    )


def test_some_worlds_have_writes_to_put_back() -> None:
    """A Region fails while nothing replicates out of it, for longer than the failover waits."""
    drawn = ORDINARY
    risky = [one for one in drawn if one.policy.get("replication_deadline_s") == 30]

    assert 0.03 < len(risky) / len(drawn) < 0.1
    for one in risky:
        paused, harm = one.faults
        assert (paused.kind, paused.region) == ("replication-paused", harm.region)
        waits_s = one.policy["traffic_deadline_s"] + one.policy["replication_deadline_s"]
        assert paused.at_s + paused.for_s > harm.at_s + DRAIN_S + waits_s


def test_worlds_of_named_kinds_have_them_only_where_both_are_named() -> None:
    drawn = [plan(seed, ["health-errors", "slow"]) for seed in range(1, 101)]

    assert not [one for one in drawn if "replication_deadline_s" in one.policy]


def test_every_kind_of_rare_world_is_drawn_and_often_where_only_its_kinds_are_named() -> None:
    regions = ("eu-west-2", "us-east-1", "us-west-2")

    for rare in RARE:
        drawn = [rare.drawn(seed, regions, None) for seed in range(800)]
        kinds = [*rare.harms, *rare.with_]
        named = [rare.drawn(seed, regions, kinds) for seed in range(40)]
        assert 0 < sum(world is not None for world in drawn) < 20
        assert sum(world is not None for world in named) > 8
        assert {f.kind for world in named if world for f in world.faults} <= set(kinds)


def test_a_rare_world_is_not_drawn_where_a_kind_that_it_needs_may_not_go_wrong() -> None:
    assert not any(rare_world(seed, ("eu-west-2", "us-east-1"), ["slow"]) for seed in range(200))
