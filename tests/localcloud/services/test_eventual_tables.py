"""Global tables, eventually consistent: what replication promises, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.services.links import Disturbance
from localcloud.services.metrics import MetricId, dimensions
from tests.localcloud.services.world import LONDON, OREGON, VIRGINIA, World, item

REGIONS = (LONDON, VIRGINIA, OREGON)


def test_a_write_is_seen_in_another_region_after_its_lag_and_not_before(world: World) -> None:
    world.eventual("t", *REGIONS)
    world.put(LONDON, "t", "a", text="hello")
    assert world.get(LONDON, "t", "a") is not None
    assert world.get(VIRGINIA, "t", "a") is None
    world.run(5)
    assert world.get(VIRGINIA, "t", "a") == {"pk": "a", "sk": "s", "text": "hello"}
    assert world.get(OREGON, "t", "a") == {"pk": "a", "sk": "s", "text": "hello"}


def test_items_do_not_arrive_in_the_order_they_were_written(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    arrived: list[str] = []
    world.dynamodb.on_change.append(
        lambda region, _, changes: arrived.extend(
            change.key[0][1] for change in changes if region == VIRGINIA
        )
    )
    written = [f"{n:03}" for n in range(50)]
    for pk in written:
        world.put(LONDON, "t", pk)
        world.run(0.01)
    world.run(5)
    assert sorted(arrived) == written
    assert arrived != written


def test_the_last_writer_wins_everywhere(world: World) -> None:
    world.eventual("t", *REGIONS)
    world.put(LONDON, "t", "a", text="first")
    world.run(0.01)
    world.put(OREGON, "t", "a", text="last")
    world.run(5)
    assert [world.get(r, "t", "a")["text"] for r in REGIONS] == ["last"] * 3


def test_writes_of_the_same_moment_end_the_same_everywhere(world: World) -> None:
    world.eventual("t", *REGIONS)
    for region in REGIONS:
        world.put(region, "t", "a", text=region)
    world.run(5)
    assert {world.get(region, "t", "a")["text"] for region in REGIONS} == {OREGON}


def test_a_write_that_loses_leaves_no_trace_a_client_could_read(world: World) -> None:
    table = world.eventual("t", LONDON, VIRGINIA)
    world.put(LONDON, "t", "a", text="loses")
    world.run(0.001)
    world.put(VIRGINIA, "t", "a", text="wins")
    world.run(5)
    assert world.get(VIRGINIA, "t", "a") == {"pk": "a", "sk": "s", "text": "wins"}
    assert len(world.dynamodb.table(VIRGINIA, "t").shard.items) == 1
    assert table.unreplicated(LONDON, VIRGINIA) == 0
    assert [e["kind"] for e in world.kernel.history] == ["replication.superseded"]


def test_a_condition_is_judged_on_the_local_copy_only(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    for region in (LONDON, VIRGINIA):
        world.client("dynamodb", region).put_item(
            TableName="t",
            Item=item("lock", holder=region),
            ConditionExpression="attribute_not_exists(pk)",
        )
    assert world.get(LONDON, "t", "lock")["holder"] == LONDON
    assert world.get(VIRGINIA, "t", "lock")["holder"] == VIRGINIA


def test_a_consistent_read_does_not_see_another_regions_write(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    world.put(LONDON, "t", "a")
    assert world.get(VIRGINIA, "t", "a", consistent=True) is None


def test_a_delete_is_replicated_and_beats_an_older_write_that_arrives_after_it(
    world: World,
) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    late = world.services.replication.disturb(Disturbance(source=LONDON, paused=False, extra_s=60))
    world.put(LONDON, "t", "a", text="old")
    world.services.replication.relieve(late)
    world.run(1)
    world.client("dynamodb", LONDON).delete_item(TableName="t", Key=item("a"))
    world.run(10)
    assert world.get(VIRGINIA, "t", "a") is None
    world.run(120)
    assert world.get(VIRGINIA, "t", "a") is None


def test_updates_batches_and_transactions_are_replicated_too(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    client = world.client("dynamodb", LONDON)
    client.update_item(
        TableName="t",
        Key=item("updated"),
        UpdateExpression="SET #t = :t",
        ExpressionAttributeNames={"#t": "text"},
        ExpressionAttributeValues={":t": {"S": "new"}},
    )
    client.batch_write_item(RequestItems={"t": [{"PutRequest": {"Item": item("batch")}}]})
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": item("both")}}])
    world.run(5)
    assert world.get(VIRGINIA, "t", "updated")["text"] == "new"
    assert world.get(VIRGINIA, "t", "batch") is not None
    assert world.get(VIRGINIA, "t", "both") is not None


def test_a_cancelled_transaction_is_not_replicated(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    world.put(LONDON, "t", "taken")
    world.run(5)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        world.client("dynamodb", LONDON).transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "t", "Item": item("first")}},
                {
                    "Put": {
                        "TableName": "t",
                        "Item": item("taken"),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                },
            ]
        )
    world.put(LONDON, "t", "after")
    world.run(5)
    assert world.get(VIRGINIA, "t", "after") is not None
    assert world.get(VIRGINIA, "t", "first") is None
    assert world.get(LONDON, "t", "first") is None


def test_paused_replication_holds_writes_and_delivers_the_newest_of_each_item(
    world: World,
) -> None:
    table = world.eventual("t", *REGIONS)
    paused = world.services.replication.disturb(Disturbance(region=LONDON))
    for text in ("1", "2", "3"):
        world.put(LONDON, "t", "a", text=text)
        world.run(10)
    world.put(VIRGINIA, "t", "b", text="elsewhere")
    world.run(10)
    assert world.get(VIRGINIA, "t", "a") is None
    assert world.get(OREGON, "t", "b") is not None
    assert table.unreplicated(LONDON, VIRGINIA) == 1
    world.services.replication.relieve(paused)
    world.run(5)
    assert world.get(VIRGINIA, "t", "a")["text"] == "3"
    assert world.get(LONDON, "t", "b") is not None
    assert len(world.dynamodb.table(VIRGINIA, "t").shard.items) == 2


def test_a_write_held_in_a_lost_region_is_suppressed_by_a_newer_one(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    world.put(LONDON, "t", "a", text="held")
    world.put(LONDON, "t", "b", text="held")
    world.network.down.add(LONDON)
    world.run(60)
    assert world.get(VIRGINIA, "t", "b") is None
    world.put(VIRGINIA, "t", "a", text="newer")
    world.run(60)
    world.network.down.discard(LONDON)
    world.run(10)
    assert world.get(VIRGINIA, "t", "b")["text"] == "held"
    assert [world.get(region, "t", "a")["text"] for region in (LONDON, VIRGINIA)] == ["newer"] * 2


def test_replication_latency_is_published_in_the_source_region_only(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    world.put(LONDON, "t", "a")
    world.run(5)
    where = dimensions(TableName="t", ReceivingRegion=VIRGINIA)
    name = ("AWS/DynamoDB", "ReplicationLatency", where)
    start = int(world.kernel.start.timestamp())
    here = world.metrics.sample(MetricId(LONDON, *name), start, 60)
    assert here.count == 1
    assert 50 < here.values[0] < 5000
    assert world.metrics.find(VIRGINIA) == []


def test_each_change_is_in_each_regions_stream_once(world: World) -> None:
    world.eventual("t", *REGIONS)
    world.client("dynamodb", LONDON).update_item(
        TableName="t",
        Key=item("a"),
        UpdateExpression="SET x = :x",
        ExpressionAttributeValues={":x": {"N": "1"}},
    )
    world.run(5)
    for region in REGIONS:
        [record] = records(world, region)
        assert record["eventName"] == "INSERT"
        assert record["awsRegion"] == region
        assert record["dynamodb"]["NewImage"]["x"] == {"N": "1"}


def test_a_write_that_changes_nothing_is_not_in_the_stream(world: World) -> None:
    world.eventual("t", LONDON)
    for _ in range(2):
        world.put(LONDON, "t", "a", text="same")
    assert len(records(world, LONDON)) == 1


def records(world: World, region: str) -> list[Any]:
    """What the DynamoDB Streams API has."""
    streams = world.client("dynamodbstreams", region)
    [stream] = streams.list_streams()["Streams"]
    [shard] = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"],
        ShardId=shard["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    found: list[Any] = streams.get_records(ShardIterator=iterator)["Records"]
    return found


def test_describe_table_names_the_replicas(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    table = world.client("dynamodb", LONDON).describe_table(TableName="t")["Table"]
    assert [r["RegionName"] for r in table["Replicas"]] == [LONDON, VIRGINIA]
    assert table["MultiRegionConsistency"] == "EVENTUAL"


def test_partiql_is_refused_by_name(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    with pytest.raises(ClientError, match="PartiQL"):
        world.client("dynamodb", LONDON).execute_statement(Statement="SELECT * FROM t")
