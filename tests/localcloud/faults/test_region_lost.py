"""A Region that is lost for good: what had not left it is gone, and a new one is filled anew."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from localcloud.cloud import LocalCloud
from localcloud.compute.frontdoor import HttpAnswer
from localcloud.faults.strikes import Strikes
from localcloud.scenario import Fault
from localcloud.services.eventbridge import BusFault
from localcloud.services.links import Disturbance
from tests.loop.world import THE_ALARM_RULE, THE_SCHEDULE, go_on, world_without

HERE, NEAR, FAR = REGIONS = ("eu-west-2", "us-east-1", "us-west-2")
GONE_S = 20.0


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with world_without(THE_SCHEDULE, THE_ALARM_RULE) as made:
        yield made


def write(cloud: LocalCloud, region: str, key: str) -> str:
    """A client's write, acknowledged; its id."""
    body = json.dumps({"author": "ada", "text": key}).encode()
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    answer: HttpAnswer = cloud.kernel.finish(
        cloud.door.request(region, cloud.topology.domain, "POST", "/messages", headers, body)
    )
    assert answer.status == 201
    return str(json.loads(answer.body)["message"]["id"])


def lose(cloud: LocalCloud, region: str, then_s: float = 10.0) -> None:
    """It is lost, a new one is in its place, and some time passes."""
    Strikes(cloud, (Fault("region-lost", region, float(cloud.kernel.env.now), GONE_S),))
    go_on(cloud, GONE_S + then_s)


def hold(cloud: LocalCloud, id_: str) -> set[str]:
    """The Regions whose replica has the message."""
    key = (("S", f"message#{id_}"), ("S", "message"))
    tables = {r: cloud.services.dynamodb.table(r, cloud.table("data")) for r in REGIONS}
    return {region for region, table in tables.items() if table.find(key) is not None}


def ledger(cloud: LocalCloud, region: str) -> int:
    """How many entries the Region's ledger has."""
    items = cloud.services.dynamodb.table(region, cloud.table("regional")).all_items()
    return sum(str(item.hash_key.value).startswith("ledger#") for item in items)


def messages(cloud: LocalCloud, region: str, queue: str) -> int:
    arn = cloud.stacks[region].resources[queue].attributes["Arn"]
    return len(cloud.services.queues.queue(arn)._messages)


def test_a_write_that_had_left_it_is_in_the_new_regions_replica(cloud: LocalCloud) -> None:
    its_own, anothers = write(cloud, HERE, "mine"), write(cloud, NEAR, "yours")
    go_on(cloud, 10.0)

    lose(cloud, HERE)

    assert hold(cloud, its_own) == hold(cloud, anothers) == set(REGIONS)


def test_a_write_that_was_on_its_way_never_comes(cloud: LocalCloud) -> None:
    id_ = write(cloud, HERE, "mine")
    before = hold(cloud, id_)

    lose(cloud, HERE, then_s=60.0)

    assert before == {HERE}
    assert hold(cloud, id_) == set()


def test_a_write_that_was_held_up_never_comes_though_replication_works_again(
    cloud: LocalCloud,
) -> None:
    paused = cloud.services.replication.disturb(
        Disturbance(table=cloud.table("data"), source=HERE, target=FAR)
    )
    id_ = write(cloud, HERE, "mine")
    go_on(cloud, 10.0)

    cloud.lose_region(HERE)
    cloud.services.replication.relieve(paused)
    go_on(cloud, 60.0)

    assert hold(cloud, id_) == {NEAR}


def test_what_others_write_while_it_is_gone_comes_and_what_it_writes_later_goes(
    cloud: LocalCloud,
) -> None:
    Strikes(cloud, (Fault("region-lost", HERE, float(cloud.kernel.env.now), GONE_S),))
    go_on(cloud, 5.0)
    meanwhile = write(cloud, NEAR, "meanwhile")
    go_on(cloud, GONE_S + 10.0)
    later = write(cloud, HERE, "later")
    go_on(cloud, 10.0)

    assert hold(cloud, meanwhile) == hold(cloud, later) == set(REGIONS)


def test_nothing_fills_a_replica_that_no_replication_reaches(cloud: LocalCloud) -> None:
    id_ = write(cloud, NEAR, "yours")
    go_on(cloud, 10.0)
    paused = cloud.services.replication.disturb(Disturbance(table=cloud.table("data"), region=HERE))

    lose(cloud, HERE)
    meanwhile = hold(cloud, id_)
    cloud.services.replication.relieve(paused)
    go_on(cloud, 10.0)

    assert meanwhile == {NEAR, FAR}
    assert hold(cloud, id_) == set(REGIONS)


def test_its_ledger_is_gone_and_others_keep_theirs(cloud: LocalCloud) -> None:
    for region in (HERE, NEAR):
        write(cloud, region, f"of {region}")
    go_on(cloud, 30.0)
    before = ledger(cloud, HERE), ledger(cloud, NEAR)

    lose(cloud, HERE)

    assert before == (1, 1)
    assert (ledger(cloud, HERE), ledger(cloud, NEAR)) == (0, 1)


def test_its_unsent_events_are_gone_with_its_queue(cloud: LocalCloud) -> None:
    refuses = cloud.services.events.add_fault(BusFault(HERE, 1.0))
    write(cloud, HERE, "mine")
    before = messages(cloud, HERE, "UnsentEvents")

    lose(cloud, HERE)
    cloud.services.events.remove_fault(refuses)
    go_on(cloud, 800.0)

    assert before == 1
    assert (ledger(cloud, NEAR), ledger(cloud, FAR)) == (0, 0)


def test_what_its_bus_had_not_delivered_never_leaves(cloud: LocalCloud) -> None:
    cloud.network.cut.add(frozenset((HERE, NEAR)))
    write(cloud, HERE, "mine")
    go_on(cloud, 10.0)

    lose(cloud, HERE, then_s=0.0)
    cloud.network.cut.discard(frozenset((HERE, NEAR)))
    go_on(cloud, 900.0)

    assert (ledger(cloud, NEAR), ledger(cloud, FAR)) == (0, 1)
    assert messages(cloud, HERE, "DeadLetters") == 0


def test_an_event_that_waits_for_it_elsewhere_comes_when_it_is_there_anew(
    cloud: LocalCloud,
) -> None:
    Strikes(cloud, (Fault("region-lost", HERE, float(cloud.kernel.env.now), GONE_S),))
    go_on(cloud, 5.0)
    write(cloud, NEAR, "yours")

    go_on(cloud, 200.0)

    assert ledger(cloud, HERE) == 1


def test_its_executions_have_ended(cloud: LocalCloud) -> None:
    machine = cloud.machine(HERE, "observe")
    execution = cloud.stepfunctions.start(machine, {})

    lose(cloud, HERE)

    assert execution.status == "ABORTED"


def test_the_coordination_tables_replica_there_is_whole(cloud: LocalCloud) -> None:
    cloud.kernel.finish(cloud.kernel.call(cloud.pause, 600.0))

    lose(cloud, HERE)

    key = (("S", f"app#{cloud.topology.application}"), ("S", "control"))
    assert cloud.services.dynamodb.table(HERE, cloud.table("coordination")).find(key) is not None
