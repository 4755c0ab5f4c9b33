"""Queues and streams as Lambda event sources; topics; time to live; tables that fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.calls.endpoint import ACCOUNT, ApiCall
from localcloud.calls.wire import AwsError
from localcloud.services import MetricId, QueueSource, StreamSource, TableFault, dimensions
from tests.localcloud.services.world import LONDON, VIRGINIA, World, item


def make_queue(world: World, name: str, **attributes: str) -> str:
    world.client("sqs", LONDON).create_queue(QueueName=name, Attributes=attributes)
    return f"arn:aws:sqs:{LONDON}:{ACCOUNT}:{name}"


def url(world: World, name: str) -> str:
    return str(world.client("sqs", LONDON).get_queue_url(QueueName=name)["QueueUrl"])


def send(world: World, name: str, *bodies: str) -> None:
    for body in bodies:
        world.client("sqs", LONDON).send_message(QueueUrl=url(world, name), MessageBody=body)


def bodies(world: World, function: str) -> list[list[str]]:
    return [[r["body"] for r in p["Records"]] for p in world.lambdas.payloads(function)]


def flat(batches: list[list[str]]) -> list[str]:
    return [one for batch in batches for one in batch]


# -- queues ----------------------------------------------------------------------------------


def test_messages_reach_the_function_in_batches_and_are_deleted(world: World) -> None:
    arn = make_queue(world, "unsent", VisibilityTimeout="30")
    send(world, "unsent", *"abcdefghijkl")
    world.lambdas.add(LONDON, "reemit")
    world.services.queue_sources.add(QueueSource(arn, "reemit"))
    world.run(5)
    assert sorted(flat(bodies(world, "reemit"))) == list("abcdefghijkl")
    assert max(map(len, bodies(world, "reemit"))) == 10
    record = world.lambdas.payloads("reemit")[0]["Records"][0]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert world.services.queues.queue(arn)._messages == []


def test_only_the_messages_reported_as_failed_come_back_after_the_visibility_time_out(
    world: World,
) -> None:
    def partly(payload: Any) -> Any:
        bad = [r["messageId"] for r in payload["Records"] if r["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": found} for found in bad]}

    arn = make_queue(world, "unsent", VisibilityTimeout="30")
    world.lambdas.add(LONDON, "reemit", partly)
    world.services.queue_sources.add(QueueSource(arn, "reemit", partial_failures=True))
    send(world, "unsent", "good", "bad")
    world.run(29)
    assert flat(bodies(world, "reemit")).count("bad") == 1
    world.run(5)
    assert flat(bodies(world, "reemit")).count("bad") == 2
    assert flat(bodies(world, "reemit")).count("good") == 1


def test_a_report_of_an_unknown_message_fails_the_whole_batch(world: World) -> None:
    arn = make_queue(world, "unsent", VisibilityTimeout="30")
    answer = {"batchItemFailures": [{"itemIdentifier": "nonsense"}]}
    world.lambdas.add(LONDON, "reemit", lambda _: answer)
    world.services.queue_sources.add(QueueSource(arn, "reemit", partial_failures=True))
    send(world, "unsent", "a")
    world.run(40)
    assert len(bodies(world, "reemit")) == 2


def test_a_message_that_always_fails_ends_in_the_dead_letter_queue(world: World) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError

    dead = make_queue(world, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 3})
    arn = make_queue(world, "unsent", VisibilityTimeout="10", RedrivePolicy=redrive)
    world.lambdas.add(LONDON, "reemit", broken)
    world.services.queue_sources.add(QueueSource(arn, "reemit"))
    send(world, "unsent", "poison")
    world.run(120)
    assert len(bodies(world, "reemit")) == 3
    assert [message.body for message in world.services.queues.queue(dead).messages] == ["poison"]


def test_a_queue_source_needs_the_functions_role_to_receive(world: World) -> None:
    def deny(call: ApiCall) -> None:
        if call.caller.role_arn and call.operation == "DeleteMessage":
            raise AwsError("AccessDenied", "no")

    arn = make_queue(world, "unsent")
    world.lambdas.add(LONDON, "reemit")
    world.endpoint.authorize = deny
    with pytest.raises(AwsError, match="AccessDenied"):
        world.services.queue_sources.add(QueueSource(arn, "reemit"))


def test_a_long_poll_waits_in_simulated_time_and_ends_when_a_message_comes(world: World) -> None:
    make_queue(world, "q")
    address = url(world, "q")
    client = world.client("sqs", LONDON)

    def poll() -> tuple[float, int]:
        found = client.receive_message(QueueUrl=address, WaitTimeSeconds=20)
        return float(world.kernel.env.now), len(found.get("Messages", []))

    waiting = world.start_in(LONDON, poll)
    world.run(5)
    send(world, "q", "x")
    at, count = world.kernel.run(until=waiting)
    assert 5 <= at < 6
    assert count == 1
    began = world.kernel.env.now
    ended, count = world.in_region(LONDON, poll)
    assert ended - began >= 20
    assert count == 0


# -- streams ---------------------------------------------------------------------------------


def written(world: World, function: str = "replicated") -> list[list[str]]:
    """The keys in each batch that the function got."""
    return [
        [r["dynamodb"]["Keys"]["pk"]["S"] for r in p["Records"]]
        for p in world.lambdas.payloads(function)
    ]


def test_a_change_reaches_the_function_as_dynamodb_json(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    world.lambdas.add(LONDON, "replicated")
    world.services.stream_sources.add(StreamSource(LONDON, "t", "replicated"))
    world.put(LONDON, "t", "a", text="old")
    world.put(LONDON, "t", "a", text="new")
    world.run(2)
    records = [r for p in world.lambdas.payloads("replicated") for r in p["Records"]]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY"]
    changed = records[1]
    assert changed["eventSource"] == "aws:dynamodb"
    assert changed["awsRegion"] == LONDON
    assert f":dynamodb:{LONDON}:{ACCOUNT}:table/t/stream/" in changed["eventSourceARN"]
    assert changed["dynamodb"]["OldImage"]["text"] == {"S": "old"}
    assert changed["dynamodb"]["NewImage"]["text"] == {"S": "new"}
    assert changed["dynamodb"]["ApproximateCreationDateTime"] == world.kernel.start.timestamp()
    json.dumps(records)


def test_a_function_in_each_region_hears_a_change_once_per_region(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    for region in (LONDON, VIRGINIA):
        world.lambdas.add(region, f"replicated-{region}")
        source = StreamSource(region, "t", f"replicated-{region}")
        world.services.stream_sources.add(source)
    world.put(LONDON, "t", "a")
    world.run(10)
    for region in (LONDON, VIRGINIA):
        assert ["a"] in written(world, f"replicated-{region}")


def test_a_batch_is_delivered_again_now_and_then(world: World) -> None:
    world.eventual("t", LONDON)
    world.lambdas.add(LONDON, "replicated")
    world.services.stream_sources.add(StreamSource(LONDON, "t", "replicated", batch_size=1))
    expected = [f"{n:03}" for n in range(400)]
    for pk in expected:
        world.put(LONDON, "t", pk)
    world.run(600)
    seen = flat(written(world))
    assert list(dict.fromkeys(seen)) == expected
    assert len(seen) > len(expected)


def poison(payload: Any) -> None:
    """Fail on every batch that has the item `bad`."""
    if any(r["dynamodb"]["Keys"]["pk"]["S"] == "bad" for r in payload["Records"]):
        raise RuntimeError


def test_a_poisoned_batch_holds_up_what_comes_after_it(world: World) -> None:
    world.eventual("t", LONDON)
    world.lambdas.add(LONDON, "replicated", poison)
    world.services.stream_sources.add(StreamSource(LONDON, "t", "replicated"))
    world.put(LONDON, "t", "bad")
    world.run(2)
    world.put(LONDON, "t", "good")
    world.run(600)
    assert ["bad"] in written(world)
    assert "good" not in flat(written(world))


def test_bisecting_saves_the_good_items_and_reports_where_the_bad_one_was(world: World) -> None:
    world.eventual("t", LONDON)
    failed = make_queue(world, "failed")
    world.lambdas.add(LONDON, "replicated", poison)
    source = StreamSource(
        LONDON,
        "t",
        "replicated",
        maximum_retries=1,
        bisect=True,
        on_failure_queue_arn=failed,
    )
    for pk in ("a", "b", "bad", "c"):
        world.put(LONDON, "t", pk)
    world.services.stream_sources.add(StreamSource(**{**source.__dict__, "from_start": True}))
    world.run(120)
    taken = [batch for batch in written(world) if "bad" not in batch]
    assert sorted(flat(taken)) == ["a", "b", "c"]
    [message] = world.services.queues.queue(failed).messages
    told = json.loads(message.body)
    assert told["DDBStreamBatchInfo"]["batchSize"] == 1
    assert "bad" not in message.body


def test_latest_starts_at_what_is_written_from_now_on(world: World) -> None:
    world.eventual("t", LONDON)
    world.put(LONDON, "t", "before")
    world.lambdas.add(LONDON, "replicated")
    world.services.stream_sources.add(StreamSource(LONDON, "t", "replicated"))
    world.put(LONDON, "t", "after")
    world.run(5)
    assert set(flat(written(world))) == {"after"}


def test_a_filter_lets_only_matching_records_through(world: World) -> None:
    world.eventual("t", LONDON)
    world.lambdas.add(LONDON, "replicated")
    pattern = json.dumps({"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "heart"}]}}}})
    world.services.stream_sources.add(StreamSource(LONDON, "t", "replicated", filters=(pattern,)))
    world.put(LONDON, "t", "heartbeat")
    world.put(LONDON, "t", "message")
    world.run(5)
    assert set(flat(written(world))) == {"heartbeat"}


# -- time to live ----------------------------------------------------------------------------


def test_an_expired_item_goes_late_and_the_stream_says_who_deleted_it(world: World) -> None:
    world.eventual("t", LONDON)
    client = world.client("dynamodb", LONDON)
    specification = {"Enabled": True, "AttributeName": "expires_at"}
    client.update_time_to_live(TableName="t", TimeToLiveSpecification=specification)
    expires = {"N": str(int(world.kernel.now) + 10)}
    client.put_item(TableName="t", Item={**item("a"), "expires_at": expires})
    world.run(30)
    assert world.get(LONDON, "t", "a") is not None
    world.run(3 * 3600)
    assert world.get(LONDON, "t", "a") is None
    last = world.dynamodb.table(LONDON, "t").shard.items[-1].to_json()
    assert last["eventName"] == "REMOVE"
    assert last["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"


# -- faults of a table -----------------------------------------------------------------------


def outcomes(world: World, times: int) -> list[str]:
    """What each of many puts came to."""
    found = []
    for n in range(times):
        try:
            world.put(LONDON, "t", f"{n}")
            found.append("stored")
        except ClientError as error:
            found.append(error.response["Error"]["Code"])
    return found


def test_a_share_of_writes_fails_while_reads_work(world: World) -> None:
    world.eventual("t", LONDON)
    world.put(LONDON, "t", "there")
    fault = world.services.table_faults.add(TableFault(LONDON, "t", failing_writes=0.3))
    seen = outcomes(world, 200)
    assert 30 < seen.count("InternalServerError") < 90
    assert world.get(LONDON, "t", "there") is not None
    world.services.table_faults.remove(fault)
    assert set(outcomes(world, 20)) == {"stored"}


def test_a_throttled_table_says_so_in_its_metrics(world: World) -> None:
    world.eventual("t", LONDON, VIRGINIA)
    world.services.table_faults.add(TableFault(LONDON, throttled_writes=1.0))
    assert set(outcomes(world, 5)) == {"ThrottlingException"}
    where = dimensions(TableName="t")
    metric = MetricId(LONDON, "AWS/DynamoDB", "WriteThrottleEvents", where)
    start = int(world.kernel.start.timestamp())
    assert world.metrics.sample(metric, start, 60).statistic("Sum") == 5
    world.put(VIRGINIA, "t", "elsewhere")


# -- topics ----------------------------------------------------------------------------------


def test_a_topic_delivers_to_queues_and_functions_that_let_it_in(world: World) -> None:
    sns = world.client("sns", LONDON)
    topic = sns.create_topic(Name="news")["TopicArn"]
    open_policy = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
    }
    inside = make_queue(world, "inside", Policy=json.dumps(open_policy))
    outside = make_queue(world, "outside")
    function = world.lambdas.add(LONDON, "reader")
    world.services.policies.add_permission(
        function, "sns.amazonaws.com", "lambda:InvokeFunction", topic
    )
    for protocol, endpoint in (("sqs", inside), ("sqs", outside), ("lambda", function)):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    sns.publish(TopicArn=topic, Subject="s", Message="hello")
    world.run(5)
    [message] = world.services.queues.queue(inside).messages
    assert json.loads(message.body)["Message"] == "hello"
    assert world.services.queues.queue(outside).messages == []
    assert world.lambdas.payloads("reader")[0]["Records"][0]["Sns"]["Subject"] == "s"


def test_a_protocol_that_is_not_delivered_is_refused_by_name(world: World) -> None:
    sns = world.client("sns", LONDON)
    topic = sns.create_topic(Name="news")["TopicArn"]
    with pytest.raises(ClientError, match="https"):
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://example.com")
