"""Service integrations on moto's services: under our interpreter as under moto's."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import boto3
import pytest
import simpy
from botocore.exceptions import ClientError
from moto import mock_aws

from localcloud.asl import TaskRequest
from localcloud.asl.integrations import SdkPlan, plan, shape_error, shape_result
from tests.asl.motos import run_motos
from tests.asl.ours import Bench, machine

REGION = "eu-west-2"
KEY = {"pk": {"S": "1"}}
ITEM = {**KEY, "n": {"N": "5"}}


class MotoRunner:
    """Does Tasks by plain boto3 on moto's services."""

    def run(self, task: TaskRequest) -> Generator[simpy.Event, Any, Any]:
        called = plan(task.resource, task.arguments)
        return self._call(called)
        yield

    def _call(self, called: SdkPlan) -> Any:
        client: Any = boto3.session.Session(region_name=REGION).client(called.service)  # type: ignore[call-overload]  # a name known only here
        method = client.meta.method_to_api_mapping
        name = next(python for python, api in method.items() if api == called.operation)
        try:
            output = getattr(client, name)(**called.params)
        except ClientError as error:
            told = error.response
            raise shape_error(
                called,
                told["Error"]["Code"],
                told["Error"]["Message"],
                status=told["ResponseMetadata"]["HTTPStatusCode"],
                request_id=told["ResponseMetadata"].get("RequestId"),
            ) from error
        return shape_result(called, output)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto's services with one table, one queue and one topic."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with mock_aws():
        boto3.client("dynamodb", REGION).create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("sqs", REGION).create_queue(QueueName="q")
        boto3.client("sns", REGION).create_topic(Name="topic")
        yield


def _do(resource: str, arguments: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}
    return machine({"A": state})


OPTIMIZED, SDK = "arn:aws:states:::", "arn:aws:states:::aws-sdk:"
ONLY_NEW = {"TableName": "t", "Item": ITEM, "ConditionExpression": "attribute_not_exists(pk)"}
FIND = {"TableName": "t", "Key": KEY}
QUERY = {
    "TableName": "t",
    "KeyConditionExpression": "pk = :pk",
    "ExpressionAttributeValues": {":pk": {"S": "1"}},
}
UPDATE = {
    **FIND,
    "UpdateExpression": "SET n = :n",
    "ExpressionAttributeValues": {":n": {"N": "6"}},
    "ReturnValues": "ALL_NEW",
}


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("resource", "arguments"),
    [
        (f"{OPTIMIZED}dynamodb:getItem", FIND),
        (f"{OPTIMIZED}dynamodb:putItem", {"TableName": "t", "Item": ITEM}),
        (f"{OPTIMIZED}dynamodb:updateItem", UPDATE),
        (f"{OPTIMIZED}dynamodb:deleteItem", {**FIND, "ReturnValues": "ALL_OLD"}),
        (f"{SDK}dynamodb:getItem", FIND),
        (f"{SDK}dynamodb:updateItem", UPDATE),
        (f"{SDK}dynamodb:query", QUERY),
        (f"{SDK}sns:listTopics", {}),
    ],
)
def test_a_call_gives_what_it_gives_under_moto(resource: str, arguments: Any) -> None:
    table = boto3.client("dynamodb", REGION)
    definition = _do(resource, arguments)

    table.put_item(TableName="t", Item=ITEM)
    ours = _finish(definition)
    table.put_item(TableName="t", Item=ITEM)
    motos = run_motos(definition, {}, {})

    assert (ours.status, ours.cause) == ("SUCCEEDED", None)
    assert ours.output == motos.output


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(("resource", "name"), [(OPTIMIZED, "BOOL"), (SDK, "Bool")])
def test_the_sdk_integration_writes_an_items_types_in_pascal_case(resource: str, name: str) -> None:
    # As AWS does (https://github.com/aws/aws-sdk-js/issues/4294), and moto does not.
    item = {**KEY, "on": {"BOOL": True}}
    boto3.client("dynamodb", REGION).put_item(TableName="t", Item=item)

    execution = _finish(_do(f"{resource}dynamodb:getItem", FIND))

    assert execution.output["Item"]["on"] == {name: True}


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("resource", "arguments", "error"),
    [
        (f"{OPTIMIZED}dynamodb:putItem", ONLY_NEW, "DynamoDB.ConditionalCheckFailedException"),
        (f"{SDK}dynamodb:putItem", ONLY_NEW, "DynamoDb.ConditionalCheckFailedException"),
        (
            f"{SDK}dynamodb:getItem",
            {"TableName": "none", "Key": KEY},
            "DynamoDb.ResourceNotFoundException",
        ),
    ],
)
def test_an_error_has_the_name_it_has_under_moto(resource: str, arguments: Any, error: str) -> None:
    boto3.client("dynamodb", REGION).put_item(TableName="t", Item=ITEM)
    definition = _do(resource, arguments)

    ours, motos = _finish(definition), run_motos(definition, {}, {})

    assert ours.error == motos.error == error


def _finish(definition: dict[str, Any]) -> Any:
    bench = Bench()
    bench.world.runner = MotoRunner()
    return bench.finish(definition)
