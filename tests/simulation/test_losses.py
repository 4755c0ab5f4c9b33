"""What goes with a Region that is lost for good is excused, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from localcloud.clients import AckedWrite
from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import Function
from localcloud.faults.strikes import Strikes
from localcloud.scenario import Fault
from localcloud.services.eventbridge import BusFault
from localcloud.services.links import Disturbance
from localcloud.simulation.losses import Losses
from localcloud.simulation.plan import plan
from localcloud.simulation.simulate import run_plan
from sidestep.aws.messages import MessageStore
from tests.loop.world import THE_ALARM_RULE, THE_SCHEDULE, go_on, states, until, world_without
from tests.simulation.test_ledgers import acknowledged

HERE, NEAR, FAR = REGIONS = ("eu-west-2", "us-east-1", "us-west-2")
GONE_S = 20.0


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with world_without(THE_SCHEDULE, THE_ALARM_RULE) as made:
        yield made


@pytest.fixture
def losses(cloud: LocalCloud) -> Losses:
    return Losses(cloud)


def lose(cloud: LocalCloud, region: str) -> None:
    """The Region is lost now, and another is in its place."""
    Strikes(cloud, (Fault("region-lost", region, float(cloud.kernel.env.now), GONE_S),))
    go_on(cloud, GONE_S + 5.0)


def pause(cloud: LocalCloud, source: str, target: str | None = None) -> None:
    """Nothing replicates out of a Region any more, or nothing to one other."""
    cloud.services.replication.disturb(
        Disturbance(table=cloud.table("data"), source=source, target=target)
    )


def refuse(cloud: LocalCloud, region: str) -> None:
    """The Region's buses refuse events."""
    cloud.services.events.add_fault(BusFault(region, 1.0))


def excused(losses: Losses, write: AckedWrite) -> set[str]:
    """The Regions whose ledgers need not have the write."""
    return {region for region in REGIONS if losses.excuses(write, region)}


def test_nothing_is_excused_where_no_region_is_lost(cloud: LocalCloud, losses: Losses) -> None:
    write = acknowledged(cloud)

    assert not losses.took(write)
    assert excused(losses, write) == set()


def test_a_write_that_had_left_by_neither_path_went_with_its_region(
    cloud: LocalCloud, losses: Losses
) -> None:
    write = acknowledged(cloud)

    lose(cloud, HERE)

    assert losses.took(write)
    assert excused(losses, write) >= {NEAR, FAR}


def test_one_that_another_replica_had_has_to_stay(cloud: LocalCloud, losses: Losses) -> None:
    refuse(cloud, HERE)
    write = acknowledged(cloud)
    go_on(cloud, 10.0)

    lose(cloud, HERE)

    assert not losses.took(write)
    assert excused(losses, write) >= {NEAR, FAR}


def test_one_that_came_to_one_replica_and_not_to_another_has_to_stay(
    cloud: LocalCloud, losses: Losses
) -> None:
    refuse(cloud, HERE)
    pause(cloud, HERE, FAR)
    write = acknowledged(cloud)
    go_on(cloud, 10.0)

    lose(cloud, HERE)

    assert not losses.took(write)


def test_the_failover_brings_it_to_the_other_though_no_ledger_has_it() -> None:
    with LocalCloud() as cloud:
        cloud.start()
        go_on(cloud, 30.0)  # every Region has voted
        refuse(cloud, HERE)
        pause(cloud, HERE, FAR)
        write = acknowledged(cloud)
        go_on(cloud, 2.0)
        far = MessageStore(cloud.client("dynamodb", FAR), cloud.table("data"))
        assert far.get(write.id) is None

        Strikes(cloud, (Fault("region-lost", HERE, float(cloud.kernel.env.now), 600.0),))

        assert until(cloud, lambda: far.get(write.id) is not None, within_s=500.0)


def test_so_does_a_return_that_is_backed_out_as_its_region_is_lost_on_probation() -> None:
    with LocalCloud() as cloud:
        cloud.start()
        go_on(cloud, 30.0)
        strike(cloud, "health-errors", 120.0)
        assert until(cloud, lambda: states(cloud)[HERE] == "PROBATION", within_s=900.0)
        refuse(cloud, HERE)
        pause(cloud, HERE, FAR)
        write = acknowledged(cloud)
        go_on(cloud, 2.0)
        far = MessageStore(cloud.client("dynamodb", FAR), cloud.table("data"))
        assert far.get(write.id) is None

        strike(cloud, "region-lost", 3600.0)

        assert until(cloud, lambda: far.get(write.id) is not None, within_s=500.0)
        assert states(cloud)[HERE] == "DRAINED"


def strike(cloud: LocalCloud, kind: str, for_s: float) -> None:
    """A fault of the Region begins now."""
    Strikes(cloud, (Fault(kind, HERE, float(cloud.kernel.env.now), for_s),))


def test_one_that_another_regions_bus_had_has_to_stay_and_to_be_entered_there(
    cloud: LocalCloud, losses: Losses
) -> None:
    pause(cloud, HERE)
    cloud.network.cut.add(frozenset((HERE, FAR)))
    write = acknowledged(cloud)
    go_on(cloud, 10.0)

    lose(cloud, HERE)

    assert not losses.took(write)
    assert excused(losses, write) & {NEAR, FAR} == {FAR}


def test_an_event_that_a_bus_had_and_that_is_not_entered_yet_counts_as_let_out(
    cloud: LocalCloud, losses: Losses
) -> None:
    def crashes(function: Function) -> str | None:
        return "Runtime.HandlerError" if function.name.endswith("-ledger") else None

    cloud.lambdas.crashes.append(crashes)
    pause(cloud, HERE)
    write = acknowledged(cloud)
    go_on(cloud, 10.0)

    lose(cloud, HERE)

    assert not losses.took(write)
    assert excused(losses, write) & {NEAR, FAR} == set()


def test_what_had_come_to_the_lost_regions_ledger_is_excused_there_alone(
    cloud: LocalCloud, losses: Losses
) -> None:
    write = acknowledged(cloud, NEAR)
    go_on(cloud, 10.0)

    lose(cloud, HERE)

    assert not losses.took(write)
    assert excused(losses, write) == {HERE}


def test_what_comes_to_its_ledger_later_is_not(cloud: LocalCloud, losses: Losses) -> None:
    lose(cloud, HERE)

    write = acknowledged(cloud, NEAR)
    go_on(cloud, 10.0)

    assert excused(losses, write) == set()


def test_the_new_region_is_held_to_what_it_says_itself(cloud: LocalCloud, losses: Losses) -> None:
    write = acknowledged(cloud)
    lose(cloud, HERE)

    again = replace(write, at_s=float(cloud.kernel.env.now))

    assert losses.took(write)
    assert not losses.took(again)
    assert excused(losses, again) == set()


def test_a_write_of_the_same_words_that_another_region_took_is_held_to(
    cloud: LocalCloud, losses: Losses
) -> None:
    write = acknowledged(cloud)
    lose(cloud, HERE)

    elsewhere = acknowledged(cloud, NEAR)

    assert (elsewhere.id, elsewhere.text) == (write.id, write.text)
    assert not losses.took(elsewhere)


def test_a_world_tells_how_many_writes_went_with_a_region() -> None:
    kinds = ["region-lost", "replication-paused", "bus-down"]
    world = plan(3, kinds)
    assert {fault.kind for fault in world.faults} == set(kinds)

    result = run_plan(world)

    assert result.ok
    assert result.lost_with_region > 0
