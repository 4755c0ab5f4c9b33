"""A rare world has what it takes to show a bug that hardly any other world shows."""

from __future__ import annotations

from localcloud.faults.kinds import KINDS
from localcloud.simulation.harm import BLIP_S, FORGOTTEN_S, LATE_S
from localcloud.simulation.rare import RARE
from localcloud.simulation.rare_kind import Drawn

REGIONS = ("eu-west-2", "us-east-1", "us-west-2")


def worlds(name: str) -> list[Drawn]:
    """Those of a kind that forty seeds draw where only what it is made of may go wrong."""
    rare = next(rare for rare in RARE if rare.name == name)
    kinds = [*rare.harms, *rare.with_]
    drawn = [rare.drawn(seed, REGIONS, kinds) for seed in range(40)]
    return [world for world in drawn if world is not None]


def test_a_failover_outlives_its_reason_wherever_it_is_carried_out() -> None:
    for world in worlds("outlived reason"):
        failure, *slow = world.faults

        assert {fault.region for fault in slow} == set(REGIONS) - {failure.region}
        assert {fault.after_step for fault in slow} == {"Claim the incident"}


def test_a_failover_that_outlived_its_reason_would_drain_later_than_is_excused() -> None:
    """Four transitions lie between its claim and its drain, two of which excuse that."""
    for world in worlds("outlived reason"):
        failure, *slow = world.faults
        least_s = min(float(fault.settings["extra_s"]) for fault in slow)

        # Two looks have shown the failure before anything is claimed.
        assert failure.for_s - 5.0 + LATE_S + 2 * least_s < 4 * least_s


def test_of_four_regions_one_is_cut_off_and_two_others_from_each_other() -> None:
    """With the word of the one that is cut off, most would call either of the two impaired."""
    for world in worlds("partition"):
        assert world.regions is not None
        assert len(world.regions) == 4
        cut = [{fault.region, str(fault.settings["peer"])} for fault in world.faults]
        alone = world.faults[0].region
        others = {region for region in world.regions if region != alone}

        assert all({alone, other} in cut for other in others)
        assert len([link for link in cut if link < others]) == 1
        assert len({fault.at_s for fault in world.faults}) == 1


def test_the_link_of_others_is_cut_until_who_was_cut_off_has_seen_them_well_again() -> None:
    for world in worlds("partition"):
        *alone, link = world.faults

        assert all(link.for_s >= fault.for_s + 30.0 - 0.1 for fault in alone)


def test_a_blip_is_too_short_to_be_seen_twice_and_comes_again_when_it_is_forgotten() -> None:
    for world in worlds("blips"):
        twice, blip = world.faults

        assert blip.for_s < BLIP_S
        assert blip.every_s - blip.for_s > FORGOTTEN_S
        # The minute before the first blip, and all until the last, are of doubled events.
        assert twice.at_s + 60.0 <= blip.at_s
        assert twice.at_s + twice.for_s >= blip.at_s + (blip.times - 1) * blip.every_s


def test_a_second_region_fails_while_the_first_is_out_and_may_still_fail() -> None:
    found = worlds("second fails")

    for world in found:
        failure, other = world.faults
        assert failure.region != other.region
        assert other.after_step == "Note that it is drained"
        # Until the first has been well for its window nobody brings it back by what others see.
        assert other.delay_s < failure.for_s + float(world.policy["stability_window_s"])
    assert {other.delay_s < failure.for_s / 2 for failure, other in (w.faults for w in found)} == {
        True,
        False,
    }


def test_a_region_is_forced_back_whether_or_not_anybody_is_bringing_it_back() -> None:
    found = worlds("forced back")

    orders = [order for _, order in (world.faults for world in found)]
    assert len({order.after_step for order in orders}) == 3
    for failure, order in (world.faults for world in found):
        assert order.region == failure.region
        assert set(order.settings) == set(KINDS["started-by-hand"].settings)
        assert (order.settings["workflow"], order.settings["mode"]) == ("recovery", "forced")


def test_a_lone_witness_is_at_a_cut_link_and_all_others_stand_still_meanwhile() -> None:
    for world in worlds("lone witness"):
        assert world.regions is not None
        cut, *still = world.faults

        assert {fault.region for fault in still} == set(world.regions) - {cut.region}
        assert cut.settings["peer"] in world.regions
        # They are silent for long after their last ballots are void (`vote_max_age_s`).
        assert all(float(fault.settings["extra_s"]) >= 2 * 35 for fault in still)
        assert all(fault.at_s + 70 <= cut.at_s + cut.for_s for fault in still)
