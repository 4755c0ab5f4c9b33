"""Strongly consistent global tables: a majority or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from localcloud.services import modelled
from tests.localcloud.services.world import OHIO, OREGON, VIRGINIA, World, item

REGIONS = (VIRGINIA, OHIO, OREGON)


def put_if_absent(world: World, region: str, holder: str) -> Any:
    """Claim the item `lock`, as a handler in a Region."""
    return world.client("dynamodb", region).put_item(
        TableName="coord",
        Item=item("lock", holder=holder),
        ConditionExpression="attribute_not_exists(pk)",
    )


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica without the majority refuses."""
    monkeypatch.setattr(modelled, "MINORITY_HANGS_SHARE", 0.0)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica without the majority keeps its callers waiting."""
    monkeypatch.setattr(modelled, "MINORITY_HANGS_SHARE", 1.0)


def test_a_consistent_read_anywhere_sees_a_write_as_soon_as_it_is_acknowledged(
    world: World,
) -> None:
    world.strong("coord", *REGIONS)
    world.put(VIRGINIA, "coord", "a", text="new")
    for region in REGIONS:
        assert world.get(region, "coord", "a", consistent=True)["text"] == "new"


def test_an_eventually_consistent_read_may_be_stale(world: World) -> None:
    world.strong("coord", *REGIONS)
    world.put(VIRGINIA, "coord", "a")
    world.run(0.01)
    assert world.get(OREGON, "coord", "a") is None
    world.run(2)
    assert world.get(OREGON, "coord", "a") is not None


def test_a_judge_sees_what_was_acknowledged_last_whichever_replica_trails(world: World) -> None:
    table, key = world.strong("coord", *REGIONS), (("S", "a"), ("S", "s"))
    assert table.newest(key) is None
    for region in (VIRGINIA, OREGON, OHIO):
        world.put(region, "coord", "a", text=f"by {region}")
        expected = {"pk": "a", "sk": "s", "text": f"by {region}"}
        assert (table.newest(key), table.newest_of("a")) == (expected, [expected])
    world.client("dynamodb", OREGON).delete_item(TableName="coord", Key=item("a"))
    assert (table.newest(key), table.newest_of("a")) == (None, [])


def test_a_condition_is_judged_on_the_newest_version_wherever_it_was_written(
    world: World,
) -> None:
    world.strong("coord", *REGIONS)
    put_if_absent(world, VIRGINIA, "virginia")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        put_if_absent(world, OREGON, "oregon")


def test_two_of_three_regions_go_on_when_one_is_lost(world: World) -> None:
    world.strong("coord", *REGIONS)
    world.put(VIRGINIA, "coord", "a", text="before")
    world.network.down.add(VIRGINIA)
    world.put(OHIO, "coord", "b", text="during")
    assert world.get(OREGON, "coord", "a", consistent=True)["text"] == "before"
    assert world.get(OREGON, "coord", "b", consistent=True)["text"] == "during"


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize("consistent", [True, False])
def test_a_region_cut_off_from_both_others_serves_stale_reads_and_nothing_else(
    world: World, consistent: bool
) -> None:
    world.strong("coord", *REGIONS)
    world.put(OREGON, "coord", "a", text="old")
    world.run(2)
    world.network.isolated.add(OREGON)
    world.put(OHIO, "coord", "a", text="new")
    with pytest.raises(ClientError, match="InternalServerError"):
        world.put(OREGON, "coord", "b")
    if consistent:
        with pytest.raises(ClientError, match="InternalServerError"):
            world.get(OREGON, "coord", "a", consistent=True)
    else:
        world.run(60)
        assert world.get(OREGON, "coord", "a")["text"] == "old"
        world.network.isolated.clear()
        world.run(5)
        assert world.get(OREGON, "coord", "a")["text"] == "new"


@pytest.mark.usefixtures("hanging")
def test_a_region_cut_off_may_keep_its_callers_waiting_until_they_give_up(world: World) -> None:
    world.strong("coord", *REGIONS)
    world.network.isolated.add(OREGON)
    took: list[float] = []

    def write() -> None:
        began = world.kernel.now
        with pytest.raises(ReadTimeoutError):
            world.put(OREGON, "coord", "a")
        took.append(world.kernel.now - began)

    world.in_region(OREGON, write)

    assert took == [pytest.approx(60, abs=0.1)]  # botocore's own read time-out
    assert world.get(OHIO, "coord", "a", consistent=True) is None


@pytest.mark.usefixtures("hanging")
def test_who_still_waits_when_the_majority_is_back_is_answered(world: World) -> None:
    world.strong("coord", *REGIONS)
    world.network.isolated.add(OREGON)
    writing = world.start_in(OREGON, lambda: world.put(OREGON, "coord", "a"))
    world.run(10)
    assert not writing.triggered

    world.network.isolated.discard(OREGON)
    world.run(1)

    assert writing.triggered
    assert world.get(OHIO, "coord", "a", consistent=True) is not None


def outcomes(times: int, world: World) -> list[bool]:
    """Of so many outages of Oregon's, one after the other, whether each refused two callers."""
    world.strong("coord", *REGIONS)
    refused = []
    for _ in range(times):
        world.network.isolated.add(OREGON)
        seen = []
        for pk in ("a", "b"):
            try:
                world.put(OREGON, "coord", pk)
            except (ClientError, ReadTimeoutError) as error:
                seen.append(isinstance(error, ClientError))
        assert seen[0] == seen[1]
        refused.append(seen[0])
        world.network.isolated.discard(OREGON)
        world.put(OREGON, "coord", "c")
    return refused


def test_it_is_one_or_the_other_for_a_whole_outage_and_another_for_the_next(world: World) -> None:
    assert set(outcomes(12, world)) == {True, False}


@pytest.mark.usefixtures("refusing")
def test_a_majority_lost_while_a_write_asks_for_it_refuses_the_write(world: World) -> None:
    world.strong("coord", *REGIONS)
    outcome: list[str] = []

    def write() -> None:
        try:
            world.put(VIRGINIA, "coord", "a")
        except ClientError as error:
            outcome.append(error.response["Error"]["Code"])

    world.start_in(VIRGINIA, write)
    world.run(0.006)
    world.network.isolated.add(VIRGINIA)
    world.run(1)
    assert outcome == ["InternalServerError"]


def test_two_replicas_and_a_witness_survive_the_loss_of_either_replica(world: World) -> None:
    world.strong("coord", VIRGINIA, OHIO, witness=OREGON)
    world.put(VIRGINIA, "coord", "a")
    world.network.down.add(VIRGINIA)
    assert world.get(OHIO, "coord", "a", consistent=True) is not None
    world.put(OHIO, "coord", "b")


def test_a_write_costs_a_round_trip_to_the_nearest_other_region(world: World) -> None:
    world.strong("coord", *REGIONS)
    before = world.kernel.env.now
    world.in_region(VIRGINIA, lambda: world.put(VIRGINIA, "coord", "a"))
    assert world.kernel.env.now - before > world.network.round_trip_s(VIRGINIA, OHIO)


def test_overlapping_writes_from_two_regions_sometimes_conflict_and_a_retry_succeeds(
    world: World,
) -> None:
    world.strong("coord", *REGIONS)
    outcomes: list[str] = []

    def write(region: str, pk: str) -> None:
        try:
            world.put(region, "coord", pk, holder=region)
            outcomes.append("stored")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    for n in range(40):
        for region in (VIRGINIA, OREGON):
            world.start_in(region, lambda region=region, n=n: write(region, f"{n}"))
        world.run(5)
    conflicts = outcomes.count("ReplicatedWriteConflictException")
    assert 0 < conflicts < 40
    assert outcomes.count("stored") == 80 - conflicts
    write(VIRGINIA, "0")
    assert outcomes[-1] == "stored"


def test_only_one_of_two_claims_at_the_same_moment_succeeds(world: World) -> None:
    world.strong("coord", *REGIONS)
    held: list[str] = []

    def claim(region: str) -> None:
        try:
            put_if_absent(world, region, region)
            held.append(region)
        except ClientError:
            pass

    for region in REGIONS:
        world.start_in(region, lambda region=region: claim(region))
    world.run(5)
    assert len(held) == 1


@pytest.mark.parametrize("operation", ["transact_write_items", "update_time_to_live"])
def test_transactions_and_time_to_live_are_refused(world: World, operation: str) -> None:
    world.strong("coord", *REGIONS)
    arguments: dict[str, Any] = {
        "transact_write_items": {
            "TransactItems": [{"Put": {"TableName": "coord", "Item": item("a")}}]
        },
        "update_time_to_live": {
            "TableName": "coord",
            "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "at"},
        },
    }
    with pytest.raises(ClientError, match="strong consistency"):
        getattr(world.client("dynamodb", VIRGINIA), operation)(**arguments[operation])


@pytest.mark.parametrize(
    ("regions", "why"),
    [
        ((VIRGINIA, OREGON), "three"),
        ((VIRGINIA, OREGON, "eu-west-1"), "one set"),
    ],
)
def test_the_regions_must_be_three_of_one_set(
    world: World, regions: tuple[str, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        world.strong("coord", *regions)


def test_local_secondary_indexes_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="local secondary"):
        world.strong(
            "coord",
            *REGIONS,
            AttributeDefinitions=[{"AttributeName": "x", "AttributeType": "S"}],
            LocalSecondaryIndexes=[
                {
                    "IndexName": "by-x",
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "x", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
