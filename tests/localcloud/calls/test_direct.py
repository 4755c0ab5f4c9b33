"""Calls that skip HTTP: the same answers, errors and retries at the same times as by HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.calls.endpoint import Caller, Endpoint, current_caller
from localcloud.calls.wire import AwsError
from localcloud.faults.on_calls import CallFault
from localcloud.kernel import Kernel
from localcloud.network.reach import Network

REGION, TABLE = "eu-west-2", "things"
KEY = {"pk": {"S": "a"}}
THROTTLED = AwsError("ThrottlingException", "Throughput exceeds the current capacity.")
BROKEN = AwsError("InternalServerError", "Internal server error", 500)


@contextmanager
def world(direct: bool) -> Iterator[tuple[Endpoint, Any]]:
    """An endpoint and a client of a table with one item."""
    with Kernel(seed=3) as kernel:
        endpoint = Endpoint(kernel, Network())
        endpoint.direct = direct
        endpoint.open()
        try:
            retries: Any = {"mode": "standard", "total_max_attempts": 2}
            config = Config(connect_timeout=1, read_timeout=2, retries=retries)
            client: Any = boto3.client("dynamodb", REGION, config=config)
            client.create_table(
                TableName=TABLE,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            )
            client.put_item(TableName=TABLE, Item=KEY | {"n": {"N": "1"}, "b": {"B": b"\x00"}})
            yield endpoint, client
        finally:
            endpoint.close()


def met(endpoint: Endpoint, act: Callable[[], Any]) -> tuple[Any, float]:
    """What a handler meets that makes a call, and how many simulated seconds it takes."""

    def carry_out() -> Any:
        current_caller.set(Caller(REGION, None, "handler"))
        try:
            answer = act()
        except (ClientError, BotoCoreError) as error:
            response = getattr(error, "response", None) or {}
            told = {k: v for k, v in response.items() if k != "ResponseMetadata"}
            return type(error).__name__, str(error), told
        meta = answer.pop("ResponseMetadata")
        return answer, meta["HTTPStatusCode"], meta["RetryAttempts"]

    kernel = endpoint.kernel
    began = float(kernel.env.now)
    answer = kernel.run(until=kernel.process(kernel.call(carry_out)))
    return answer, float(kernel.env.now) - began


CALLS: dict[str, Callable[[Any], Any]] = {
    "an item": lambda c: c.get_item(TableName=TABLE, Key=KEY),
    "no item": lambda c: c.get_item(TableName=TABLE, Key={"pk": {"S": "z"}}),
    "a write": lambda c: c.put_item(TableName=TABLE, Item=KEY | {"l": {"L": [{"BOOL": True}]}}),
    "a query": lambda c: c.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
    ),
    "an update": lambda c: c.update_item(
        TableName=TABLE,
        Key=KEY,
        UpdateExpression="SET n = n + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    ),
    "a condition that does not hold": lambda c: c.put_item(
        TableName=TABLE,
        Item=KEY,
        ConditionExpression="attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    ),
    "no table": lambda c: c.get_item(TableName="other", Key=KEY),
    "what is no parameter": lambda c: c.get_item(TableName=TABLE, Schlüssel=KEY),
    "what no item can be": lambda c: c.get_item(TableName=TABLE, Key={"pk": {"S": 1}}),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_comes_to_the_same(call: str) -> None:
    seen = []
    for direct in (True, False):
        with world(direct) as (endpoint, client):
            seen.append(met(endpoint, lambda client=client: CALLS[call](client)))

    assert seen[0] == seen[1]


FAULTS: dict[str, CallFault] = {
    "throttled": CallFault(error=THROTTLED),
    "broken": CallFault(error=BROKEN),
    "broken in half of the calls": CallFault(error=BROKEN, share=0.5),
    "lost on the way": CallFault(lose_request=True),
    "the answer lost": CallFault(lose_response=True),
    "late": CallFault(delay_s=1.5),
    "too late": CallFault(delay_s=5.0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_tried_again_as_often_and_as_long(fault: str) -> None:
    seen = []
    for direct in (True, False):
        with world(direct) as (endpoint, client):
            endpoint.faults.add(FAULTS[fault])

            def get(client: Any = client) -> Any:
                return client.get_item(TableName=TABLE, Key=KEY)

            # Often enough to use up what a client has left for retries.
            seen.append([met(endpoint, get) for _ in range(130)])

    assert seen[0] == seen[1]


def test_an_answer_is_the_callers_own() -> None:
    with world(direct=True) as (_, client):
        client.put_item(TableName=TABLE, Item=KEY | {"deep": {"M": {"l": {"L": [{"S": "x"}]}}}})
        first = client.get_item(TableName=TABLE, Key=KEY)["Item"]
        first["deep"]["M"]["l"]["L"].append({"S": "mine"})

        again = client.get_item(TableName=TABLE, Key=KEY)["Item"]

    assert again["deep"] == {"M": {"l": {"L": [{"S": "x"}]}}}


def test_what_was_put_is_not_changed_by_who_put_it() -> None:
    with world(direct=True) as (_, client):
        item: dict[str, Any] = KEY | {"l": {"L": [{"S": "x"}]}}
        client.put_item(TableName=TABLE, Item=item)
        item["l"]["L"].append({"S": "later"})

        kept = client.get_item(TableName=TABLE, Key=KEY)["Item"]

    assert kept["l"] == {"L": [{"S": "x"}]}
