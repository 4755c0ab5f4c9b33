"""Which IAM actions an API call needs, on which resources: a table."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.iam.actions import UnknownActionError, required
from localcloud.iam.policy import Needed

DYNAMODB = "arn:aws:dynamodb:eu-west-2:123456789012"
DATA = f"{DYNAMODB}:table/data"


def keys(_region: str, table: str, index: str | None) -> str | None:
    """Two tables with partition keys of different names, one with an index."""
    return {("data", None): "pk", ("data", "history"): "day", ("orders", None): "order"}.get(
        (table, index)
    )


def needs(service: str, operation: str, **params: Any) -> list[Needed]:
    return required(service, operation, params, "eu-west-2", keys)


def leading(*values: str) -> dict[str, tuple[str, ...]]:
    return {"dynamodb:LeadingKeys": values}


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem", "DeleteItem"])
def test_an_item_operation_needs_its_table_and_tells_the_partition_key(operation: str) -> None:
    key = {"pk": {"S": "probe"}, "sk": {"S": "eu-west-2"}}

    assert needs("dynamodb", operation, TableName="data", Key=key) == [
        Needed(f"dynamodb:{operation}", DATA, leading("probe"))
    ]


def test_the_partition_key_is_the_tables_own_whatever_its_name() -> None:
    item = {"pk": {"S": "not this"}, "order": {"N": "7"}}

    assert needs("dynamodb", "PutItem", TableName="orders", Item=item) == [
        Needed("dynamodb:PutItem", f"{DYNAMODB}:table/orders", leading("7"))
    ]


def test_a_table_may_be_named_by_its_arn() -> None:
    key = {"pk": {"S": "probe"}}

    assert needs("dynamodb", "GetItem", TableName=DATA, Key=key) == [
        Needed("dynamodb:GetItem", DATA, leading("probe"))
    ]


@pytest.mark.parametrize(
    "condition",
    ["pk = :p AND begins_with(sk, :s)", "sk > :s AND #key = :p", "#key=:p"],
)
def test_a_query_tells_the_partition_key_it_asks_for(condition: str) -> None:
    assert needs(
        "dynamodb",
        "Query",
        TableName="data",
        KeyConditionExpression=condition,
        ExpressionAttributeNames={"#key": "pk"},
        ExpressionAttributeValues={":p": {"S": "heartbeat"}, ":s": {"S": "e"}},
    ) == [Needed("dynamodb:Query", DATA, leading("heartbeat"))]


def test_a_query_of_an_index_needs_the_index_and_tells_the_indexs_key() -> None:
    assert needs(
        "dynamodb",
        "Query",
        TableName="data",
        IndexName="history",
        KeyConditionExpression="day = :d",
        ExpressionAttributeValues={":d": {"S": "2026-11-23"}},
    ) == [Needed("dynamodb:Query", f"{DATA}/index/history", leading("2026-11-23"))]


def test_a_scan_tells_no_partition_key() -> None:
    assert needs("dynamodb", "Scan", TableName="data") == [Needed("dynamodb:Scan", DATA)]


def test_batches_need_each_table_once_and_tell_all_its_keys() -> None:
    both = [{"pk": {"S": "b"}}, {"pk": {"S": "a"}}, {"pk": {"S": "a"}}]
    writes = [{"PutRequest": {"Item": both[0]}}, {"DeleteRequest": {"Key": both[1]}}]

    assert needs("dynamodb", "BatchGetItem", RequestItems={"data": {"Keys": both}}) == [
        Needed("dynamodb:BatchGetItem", DATA, leading("a", "b"))
    ]
    assert needs("dynamodb", "BatchWriteItem", RequestItems={"data": writes}) == [
        Needed("dynamodb:BatchWriteItem", DATA, leading("a", "b"))
    ]


def test_a_transaction_needs_the_action_of_each_part() -> None:
    parts = [
        {"Put": {"TableName": "data", "Item": {"pk": {"S": "a"}}}},
        {"ConditionCheck": {"TableName": "data", "Key": {"pk": {"S": "b"}}}},
    ]

    assert needs("dynamodb", "TransactWriteItems", TransactItems=parts) == [
        Needed("dynamodb:PutItem", DATA, leading("a")),
        Needed("dynamodb:ConditionCheckItem", DATA, leading("b")),
    ]


def test_a_stream_is_known_by_its_arn_or_by_its_iterator() -> None:
    stream = f"{DATA}/stream/2026-11-23T00:00:00.000"

    assert needs("dynamodbstreams", "DescribeStream", StreamArn=stream) == [
        Needed("dynamodb:DescribeStream", stream)
    ]
    assert needs("dynamodbstreams", "GetRecords", ShardIterator=f"{stream}|1|abc") == [
        Needed("dynamodb:GetRecords", stream)
    ]


def test_put_events_needs_the_bus_of_every_entry() -> None:
    other = "arn:aws:events:us-east-1:123456789012:event-bus/demo"
    entries = [
        {"Source": "sidestep.api", "DetailType": "MessageWritten", "EventBusName": "demo"},
        {"EventBusName": other},
        {},
    ]

    assert needs("events", "PutEvents", Entries=entries) == [
        Needed(
            "events:PutEvents",
            "arn:aws:events:eu-west-2:123456789012:event-bus/demo",
            {"events:source": ("sidestep.api",), "events:detail-type": ("MessageWritten",)},
        ),
        Needed("events:PutEvents", other),
        Needed("events:PutEvents", "arn:aws:events:eu-west-2:123456789012:event-bus/default"),
    ]


MACHINE = "arn:aws:states:eu-west-2:123456789012:stateMachine:drill"
EXECUTION = "arn:aws:states:eu-west-2:123456789012:execution:drill:one"
FUNCTION = "arn:aws:lambda:eu-west-2:123456789012:function:vote"
QUEUE_URL = "https://sqs.eu-west-2.amazonaws.com/123456789012/unsent"
TOPIC = "arn:aws:sns:eu-west-2:123456789012:alerts"


@pytest.mark.parametrize(
    ("service", "operation", "params", "action", "resource"),
    [
        ("stepfunctions", "StartExecution", {"stateMachineArn": MACHINE}, "states", MACHINE),
        ("stepfunctions", "DescribeExecution", {"executionArn": EXECUTION}, "states", EXECUTION),
        ("stepfunctions", "SendTaskSuccess", {"taskToken": "t"}, "states", "*"),
        ("sns", "Publish", {"TopicArn": TOPIC}, "sns", TOPIC),
        ("route53", "UpdateHealthCheck", {"HealthCheckId": "a"}, "route53",
         "arn:aws:route53:::healthcheck/a"),
        ("route53", "ListResourceRecordSets", {"HostedZoneId": "/hostedzone/Z1"}, "route53",
         "arn:aws:route53:::hostedzone/Z1"),
        ("cloudwatch", "GetMetricData", {}, "cloudwatch", "*"),
        ("cloudwatch", "DescribeAlarms", {}, "cloudwatch",
         "arn:aws:cloudwatch:eu-west-2:123456789012:alarm:*"),
        ("cloudwatch", "DescribeAlarms", {"AlarmTypes": ["CompositeAlarm"]}, "cloudwatch", "*"),
    ],
)  # fmt: skip
def test_an_operation_needs_the_action_of_its_name_on_its_resource(
    service: str, operation: str, params: dict[str, Any], action: str, resource: str
) -> None:
    assert needs(service, operation, **params) == [Needed(f"{action}:{operation}", resource)]


@pytest.mark.parametrize(
    ("name", "qualifier", "resource"),
    [
        ("vote", {}, FUNCTION),
        (FUNCTION, {}, FUNCTION),
        ("vote", {"Qualifier": "live"}, f"{FUNCTION}:live"),
    ],
)
def test_invoke_needs_invoke_function(name: str, qualifier: dict[str, str], resource: str) -> None:
    assert needs("lambda", "Invoke", FunctionName=name, **qualifier) == [
        Needed("lambda:InvokeFunction", resource)
    ]


@pytest.mark.parametrize("operation", ["SendMessage", "SendMessageBatch"])
def test_sqs_has_no_actions_for_batches(operation: str) -> None:
    assert needs("sqs", operation, QueueUrl=QUEUE_URL) == [
        Needed("sqs:SendMessage", "arn:aws:sqs:eu-west-2:123456789012:unsent")
    ]


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("s3", "GetObject", {}),
        ("dynamodb", "ExecuteStatement", {}),
        ("dynamodb", "Query", {"TableName": "data", "KeyConditions": {}}),
        ("sns", "Publish", {"PhoneNumber": "+100"}),
    ],
)
def test_what_is_not_written_down_is_an_error_that_says_what_to_teach(
    service: str, operation: str, params: dict[str, Any]
) -> None:
    with pytest.raises(UnknownActionError, match=r"teach localcloud\.iam\.actions"):
        needs(service, operation, **params)
