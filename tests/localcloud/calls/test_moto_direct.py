"""The short way to moto's DynamoDB answers what the ordinary way answers, byte for byte of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from moto.core.models import botocore_stubber

from localcloud.calls import moto_direct
from localcloud.calls.endpoint import ACCOUNT, Endpoint
from localcloud.kernel import Kernel
from localcloud.network.reach import Network

REGION, TABLE = "eu-west-2", "things"
ITEM = {"pk": {"S": "a"}, "sk": {"N": "1"}, "deep": {"M": {"l": {"L": [{"BOOL": True}]}}}}
KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
IF_NEW = {"ConditionExpression": "attribute_not_exists(pk)"}

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("GetItem", {"Key": KEY}),
    ("GetItem", {"Key": {**KEY, "sk": {"N": "2"}}}),
    ("GetItem", {"Key": {"pk": {"S": "a"}}}),
    ("PutItem", {"Item": ITEM, "ReturnValues": "ALL_OLD"}),
    ("PutItem", {"Item": ITEM, **IF_NEW}),
    (
        "PutItem",
        {"Item": ITEM, **IF_NEW, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
    ),
    ("PutItem", {"Item": {"pk": {"S": "no sort key"}}}),
    (
        "UpdateItem",
        {
            "Key": KEY,
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "2"}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    ("UpdateItem", {"Key": KEY, "UpdateExpression": "NONSENSE"}),
    (
        "Query",
        {
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": {"S": "a"}},
            "Limit": 1,
        },
    ),
    ("Scan", {}),
    ("PutItem", {"Item": {**ITEM, "big": {"S": "x" * 380_000}}}),
    ("PutItem", {"Item": {**ITEM, "big": {"S": "x" * 420_000}}}),
    ("PutItem", {"Item": {**ITEM, "a": {"S": "x" * 210_000}, "b": {"S": "y" * 210_000}}}),
    ("DeleteItem", {"Key": KEY, "ReturnValues": "ALL_OLD"}),
]


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A client, and a table with one item."""
    with Kernel() as kernel:
        endpoint = Endpoint(kernel, Network())
        endpoint.open()
        client = boto3.client("dynamodb", REGION)
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
        )
        client.put_item(TableName=TABLE, Item=ITEM)
        yield client
        endpoint.close()


def by_http(operation: str, params: dict[str, Any]) -> tuple[int, Any]:
    """The answer of moto's own dispatcher, before botocore reads it."""
    request = AWSPreparedRequest(
        "POST",
        f"https://dynamodb.{REGION}.amazonaws.com/",
        {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
        },
        json.dumps(params).encode(),
        False,
    )
    answered: Any = botocore_stubber.process_request(request)
    return int(answered[0]), json.loads(answered[2])


@pytest.mark.parametrize(("operation", "params"), CALLS)
def test_both_ways_to_moto_give_the_same_answer(
    dynamodb: Any, operation: str, params: dict[str, Any]
) -> None:
    given = {"TableName": TABLE, **params}

    short = moto_direct.answer(ACCOUNT, REGION, operation, given)
    dynamodb.put_item(TableName=TABLE, Item=ITEM)  # as it was
    status, body = by_http(operation, given)

    assert (short.status, json.loads(short.body)) == (status, body)


def test_an_item_may_weigh_400_kb_and_no_more(dynamodb: Any) -> None:
    def put(*sizes: int) -> None:
        item = {f"part-{n}": {"S": "x" * size} for n, size in enumerate(sizes)}
        dynamodb.put_item(TableName=TABLE, Item={**KEY, **item})

    put(380_000)
    put(*[19_000] * 20)
    for sizes in ([420_000], [21_000] * 20):
        with pytest.raises(dynamodb.exceptions.ClientError, match="Item size has exceeded"):
            put(*sizes)


def test_binary_values_come_back_as_they_were_put(dynamodb: Any) -> None:
    nested = {"M": {"deep": {"L": [{"B": b"\x00\xff"}]}}}
    dynamodb.put_item(TableName=TABLE, Item={**KEY, "raw": {"B": b"\x01"}, "nested": nested})

    item = dynamodb.get_item(TableName=TABLE, Key=KEY)["Item"]

    assert (item["raw"], item["nested"]) == ({"B": b"\x01"}, nested)
