"""Service integrations as words: a Task's arguments to a call, and an answer to a result.

Expectations are from the developer guide's pages on service integrations and error names.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.response import StreamingBody

from localcloud.asl import StatesError
from localcloud.asl.integrations import (
    SdkPlan,
    plan,
    shape_error,
    shape_job,
    shape_result,
    unreachable,
)
from localcloud.asl.resources import parse_resource

FUNCTION = "arn:aws:lambda:eu-west-2:123456789012:function:f"
OPTIMIZED, SDK = "arn:aws:states:::", "arn:aws:states:::aws-sdk:"
KEY = {"pk": {"S": "1"}}
FIND = {"TableName": "t", "Key": KEY}


def _plan(resource: str, arguments: Any) -> SdkPlan:
    return plan(
        parse_resource(resource), arguments, execution_arn="arn:e", state_machine_arn="arn:m"
    )


@pytest.mark.parametrize(
    ("resource", "arguments", "service", "operation", "params"),
    [
        (
            f"{SDK}sfn:startExecution",
            {"StateMachineArn": "a", "Name": "n", "Input": "{}"},
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": "a", "name": "n", "input": "{}"},
        ),
        (
            f"{SDK}route53:updateHealthCheck",
            {"HealthCheckId": "h", "HealthThreshold": 1, "HealthCheckVersion": 4},
            "route53",
            "UpdateHealthCheck",
            {"HealthCheckId": "h", "HealthThreshold": 1, "HealthCheckVersion": 4},
        ),
        (
            f"{SDK}cloudwatch:describeAlarms",
            {"AlarmNames": ["a"]},
            "cloudwatch",
            "DescribeAlarms",
            {"AlarmNames": ["a"]},
        ),
        (
            f"{SDK}dynamodb:putItem",
            {"TableName": "t", "Item": {"pk": {"S": "1"}, "on": {"Bool": True}}},
            "dynamodb",
            "PutItem",
            {"TableName": "t", "Item": {"pk": {"S": "1"}, "on": {"BOOL": True}}},
        ),
        (
            f"{OPTIMIZED}states:startExecution.sync:2",
            {"StateMachineArn": "a", "Input": {"x": 1}},
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": "a", "input": '{"x":1}'},
        ),
        (
            f"{OPTIMIZED}lambda:invoke",
            {"FunctionName": "f", "Payload": {"x": 1}},
            "lambda",
            "Invoke",
            {"FunctionName": "f", "Payload": b'{"x":1}'},
        ),
        (FUNCTION, {"x": 1}, "lambda", "Invoke", {"FunctionName": FUNCTION, "Payload": b'{"x":1}'}),
        (
            f"{OPTIMIZED}sns:publish",
            {"TopicArn": "t", "Message": {"x": 1}},
            "sns",
            "Publish",
            {"TopicArn": "t", "Message": '{"x":1}'},
        ),
        (
            f"{OPTIMIZED}sqs:sendMessage.waitForTaskToken",
            {"QueueUrl": "q", "MessageBody": {"token": "t"}},
            "sqs",
            "SendMessage",
            {"QueueUrl": "q", "MessageBody": '{"token":"t"}'},
        ),
        (
            f"{OPTIMIZED}events:putEvents",
            {"Entries": [{"Source": "s", "DetailType": "d", "Detail": {"x": 1}}]},
            "events",
            "PutEvents",
            {
                "Entries": [
                    {
                        "Source": "s",
                        "DetailType": "d",
                        "Detail": '{"x":1}',
                        "Resources": ["arn:m", "arn:e"],
                    }
                ]
            },
        ),
    ],
)
def test_arguments_become_the_services_parameters(
    resource: str, arguments: Any, service: str, operation: str, params: Any
) -> None:
    called = _plan(resource, arguments)

    assert (called.service, called.operation, called.params) == (service, operation, params)


@pytest.mark.parametrize(
    ("resource", "arguments", "words"),
    [
        (f"{SDK}dynamodb:getItem", {"TableName": "t", "Key": KEY, "Kye": 1}, "'Kye'"),
        (f"{SDK}sfn:startExecution", {"stateMachineArn": "a"}, "'stateMachineArn'"),
        (
            f"{SDK}sfn:startExecution",
            {"StateMachineArn": "a", "Input": {}},
            "'Input' must be a STR",
        ),
        (f"{SDK}sfn:startExecution", {}, "stateMachineArn"),
        (f"{SDK}route53:getHealthCheck", "h", "must be an object"),
        (f"{OPTIMIZED}sqs:sendMessage", {"QueueUrl": "q"}, "MessageBody"),
    ],
)
def test_arguments_the_service_does_not_take_are_refused_by_name(
    resource: str, arguments: Any, words: str
) -> None:
    with pytest.raises(StatesError) as refused:
        _plan(resource, arguments)

    assert refused.value.name == "States.Runtime"
    assert words in (refused.value.cause or "")


# -- from answers to results -----------------------------------------------------------------


def _body(text: str) -> StreamingBody:
    return StreamingBody(BytesIO(text.encode()), len(text))


INVOKE = _plan(f"{OPTIMIZED}lambda:invoke", {"FunctionName": "f"})
START = {
    "executionArn": "arn:e",
    "startDate": datetime(2026, 1, 1, tzinfo=UTC),
    "ResponseMetadata": {},
}


def test_an_invocation_gives_its_payload_as_json() -> None:
    answer = {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": _body('{"n":1}')}

    assert shape_result(INVOKE, answer) == {
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
        "Payload": {"n": 1},
    }


def test_a_function_called_by_its_arn_gives_only_its_payload() -> None:
    answer = {"StatusCode": 200, "Payload": _body('{"n":1}')}

    assert shape_result(_plan(FUNCTION, {}), answer) == {"n": 1}


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ('{"errorType": "LeaseLost", "errorMessage": "gone"}', "LeaseLost"),
        ('{"errorMessage": "Task timed out after 3.00 seconds"}', "Lambda.Unknown"),
        ("Runtime exited", "Lambda.Unknown"),
    ],
)
@pytest.mark.parametrize("resource", [f"{OPTIMIZED}lambda:invoke", FUNCTION])
def test_a_functions_error_goes_by_its_type(resource: str, payload: str, name: str) -> None:
    answer = {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _body(payload)}

    with pytest.raises(StatesError) as failed:
        shape_result(_plan(resource, {"FunctionName": "f"}), answer)

    assert failed.value.name == name
    assert payload in (failed.value.cause or "")


def test_the_sdk_integration_leaves_a_functions_error_to_the_author() -> None:
    answer = {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _body("{}")}
    called = _plan(f"{SDK}lambda:invoke", {"FunctionName": "f"})

    assert shape_result(called, answer) == {
        "StatusCode": 200,
        "FunctionError": "Unhandled",
        "Payload": "{}",
    }


def test_the_sdk_integration_writes_pascal_case_and_iso_time() -> None:
    called = _plan(f"{SDK}sfn:startExecution", {"StateMachineArn": "a"})

    assert shape_result(called, START) == {
        "ExecutionArn": "arn:e",
        "StartDate": "2026-01-01T00:00:00.000Z",
    }


def test_an_event_that_was_not_taken_fails_the_task() -> None:
    called = _plan(f"{OPTIMIZED}events:putEvents", {"Entries": [{"Source": "s"}]})
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    with pytest.raises(StatesError) as failed:
        shape_result(called, answer)

    assert failed.value.name == "EventBridge.FailedEntry"
    assert json.loads(failed.value.cause or "") == answer


@pytest.mark.parametrize(("pattern", "output"), [("sync", '{"x":1}'), ("sync:2", {"x": 1})])
def test_a_nested_execution_gives_its_output(pattern: str, output: Any) -> None:
    called = _plan(f"{OPTIMIZED}states:startExecution.{pattern}", {"StateMachineArn": "a"})
    described = {**START, "status": "SUCCEEDED", "output": '{"x":1}', "name": "n"}

    result = shape_job(called, described)

    assert (result["Output"], result["Name"], result["Status"]) == (output, "n", "SUCCEEDED")


def test_a_nested_execution_that_failed_fails_the_task() -> None:
    called = _plan(f"{OPTIMIZED}states:startExecution.sync:2", {"StateMachineArn": "a"})
    described = {**START, "status": "FAILED", "error": "Boom", "cause": "c"}

    with pytest.raises(StatesError) as failed:
        shape_job(called, described)

    assert failed.value.name == "States.TaskFailed"
    assert json.loads(failed.value.cause or "")["Error"] == "Boom"


@pytest.mark.parametrize(
    ("resource", "arguments", "code", "name"),
    [
        (
            f"{SDK}sfn:startExecution",
            {"StateMachineArn": "a"},
            "ExecutionAlreadyExists",
            "Sfn.ExecutionAlreadyExistsException",
        ),
        (
            f"{OPTIMIZED}states:startExecution",
            {"StateMachineArn": "a"},
            "ExecutionAlreadyExists",
            "StepFunctions.ExecutionAlreadyExistsException",
        ),
        (
            f"{SDK}route53:updateHealthCheck",
            {"HealthCheckId": "h"},
            "HealthCheckVersionMismatch",
            "Route53.HealthCheckVersionMismatchException",
        ),
        (
            f"{SDK}route53:updateHealthCheck",
            {"HealthCheckId": "h"},
            "Throttling",
            "Route53.Route53Exception",
        ),
        (
            f"{SDK}dynamodb:getItem",
            FIND,
            "AccessDeniedException",
            "DynamoDb.DynamoDbException",
        ),
        (
            f"{OPTIMIZED}dynamodb:getItem",
            FIND,
            "ValidationException",
            "DynamoDB.AmazonDynamoDBException",
        ),
        (
            f"{OPTIMIZED}lambda:invoke",
            {"FunctionName": "f"},
            "TooManyRequestsException",
            "Lambda.TooManyRequestsException",
        ),
        (FUNCTION, {}, "AccessDeniedException", "Lambda.AWSLambdaException"),
        (
            f"{OPTIMIZED}sns:publish",
            {"TopicArn": "t", "Message": "m"},
            "NotFound",
            "SNS.NotFoundException",
        ),
    ],
)
def test_a_refused_call_has_step_functions_name_for_the_error(
    resource: str, arguments: Any, code: str, name: str
) -> None:
    error = shape_error(_plan(resource, arguments), code, "no", status=400, request_id="r")

    assert error.name == name
    assert (error.cause or "").startswith("no (Service: ")


def test_a_service_out_of_reach_is_the_sdk_clients_error() -> None:
    sdk = _plan(f"{SDK}dynamodb:getItem", FIND)

    assert unreachable(sdk, "timed out").name == "DynamoDb.SdkClientException"
    assert unreachable(INVOKE, "timed out").name == "Lambda.SdkClientException"
