"""What a Task's Resource means as an AWS API call, and what comes back of it. Pure.

A runner makes a `plan`, calls botocore's service and operation with its params, and gives
the answer to `shape_result` or `shape_error`. For the `.sync` patterns it then waits for the
job and gives what DescribeExecution says to `shape_job`.
https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.asl.errors import TASK_FAILED, StatesError
from localcloud.asl.expressions import to_json
from localcloud.asl.resources import Kind, Pattern, Resource
from localcloud.asl.services import (
    OPTIMIZED_SERVICES,
    client_name,
    error_shape,
    exception_name,
    find_operation,
    operation,
)
from localcloud.asl.values import text_of, to_params, to_result

_TEXTS = {
    "lambda": frozenset({"Payload"}),
    "events": frozenset({"Detail"}),
    "sns": frozenset({"Message"}),
    "sqs": frozenset({"MessageBody"}),
    "states": frozenset({"input"}),
}
"""Members that an optimized integration takes as any JSON and sends as JSON text."""

_PREFIXES = {
    "lambda": ("Lambda", "AWSLambdaException"),
    "dynamodb": ("DynamoDB", "AmazonDynamoDBException"),
    "events": ("EventBridge", "AmazonEventBridgeException"),
    "sns": ("SNS", "AmazonSNSException"),
    "sqs": ("SQS", "AmazonSQSException"),
    "states": ("StepFunctions", "AWSStepFunctionsException"),
}
"""Errors of optimized integrations: their prefix, and the name of one the model lacks (the
AWS SDK for Java 1.x names its exceptions so; error-handling page, examples)."""


@dataclass(frozen=True)
class SdkPlan:
    """One AWS API call: botocore's service and operation names and parameters."""

    resource: Resource
    service: str
    operation: str
    params: Mapping[str, Any]

    @property
    def pattern(self) -> Pattern:
        """What the Task waits for after the call."""
        return self.resource.pattern


def check(resource: Resource) -> None:
    """Raises ValueError when there is no such service or action, with its name."""
    _model(resource)


def plan(
    resource: Resource, arguments: Any, *, execution_arn: str = "", state_machine_arn: str = ""
) -> SdkPlan:
    """The call that a Task's arguments ask for.

    Raises StatesError (States.Runtime) for arguments that the operation does not take.
    """
    called = _model(resource)
    service = called.service_model.service_name
    if resource.kind is Kind.FUNCTION:
        params: dict[str, Any] = {
            "FunctionName": resource.arn,
            "Payload": to_json(arguments).encode(),
        }
    else:
        optimized = resource.kind is Kind.OPTIMIZED
        texts = _TEXTS.get(resource.service, frozenset()) if optimized else frozenset()
        params = to_params(called.input_shape, arguments, texts)
        if optimized and resource.service == "events":
            _sign_events(params, state_machine_arn, execution_arn)
    return SdkPlan(resource, service, called.name, params)


def _sign_events(params: dict[str, Any], *arns: str) -> None:
    """Events carry the ARNs of their machine and execution (connect-eventbridge.html)."""
    for entry in params["Entries"]:
        entry["Resources"] = [*entry.get("Resources", []), *(arn for arn in arns if arn)]


def shape_result(plan: SdkPlan, output: Mapping[str, Any]) -> Any:
    """The Task's result of a call that was answered without error.

    Raises StatesError for answers that the integration counts as failures: a Lambda function's
    error, an event that was not taken.
    """
    resource, called = plan.resource, _model(plan.resource)
    if resource.kind is Kind.AWS_SDK:
        return to_result(called.output_shape, output, rename=True)
    if resource.service == "lambda":
        return _function_result(resource, called, output)
    own_words = resource.service in OPTIMIZED_SERVICES
    result = to_result(called.output_shape, output, rename=own_words, millis=own_words)
    if resource.service == "events" and result.get("FailedEntryCount", 0):
        raise StatesError("EventBridge.FailedEntry", to_json(result))
    return result


def _function_result(resource: Resource, called: Any, output: Mapping[str, Any]) -> Any:
    text = text_of(output["Payload"]) if "Payload" in output else ""
    if output.get("FunctionError"):
        raise _function_error(text)
    payload = json.loads(text) if text else None
    if resource.kind is Kind.FUNCTION:
        return payload
    rest = {key: value for key, value in output.items() if key != "Payload"}
    return {**to_result(called.output_shape, rest, rename=False), "Payload": payload}


def _function_error(payload: str) -> StatesError:
    """A function's own error goes by its type (concepts-error-handling.html, Lambda errors)."""
    try:
        told = json.loads(payload)
    except json.JSONDecodeError:
        told = None
    if isinstance(told, dict) and isinstance(told.get("errorType"), str) and told["errorType"]:
        return StatesError(told["errorType"], payload)
    return StatesError(
        "Lambda.Unknown",
        "The cause could not be determined because Lambda did not return an error type. "
        f"Returned payload: {payload}",
    )


def shape_job(plan: SdkPlan, described: Mapping[str, Any]) -> Any:
    """The result of a `.sync` Task whose execution has ended, from DescribeExecution's output.

    `.sync:2` has the input and output as JSON, `.sync` as text (connect-stepfunctions.html).
    Raises StatesError (States.TaskFailed) unless it succeeded.
    """
    shape = operation(plan.service, "describeExecution").output_shape
    result = to_result(shape, described, rename=True, millis=True)
    if plan.pattern is Pattern.SYNC_2:
        for member in ("Input", "Output"):
            if isinstance(result.get(member), str):
                result[member] = json.loads(result[member])
    if described["status"] != "SUCCEEDED":
        raise StatesError(TASK_FAILED, to_json(result))
    return result


def shape_error(
    plan: SdkPlan, code: str, message: str, *, status: int = 400, request_id: str | None = None
) -> StatesError:
    """The error a Task has when the service refuses its call with an error code."""
    called = _model(plan.resource)
    shape = error_shape(called, code)
    facts = [f"Status Code: {status}", *([f"Request ID: {request_id}"] if request_id else [])]
    if plan.resource.kind is Kind.AWS_SDK:
        prefix = client_name(plan.service)
        name = exception_name(shape) if shape else f"{prefix}Exception"
        return StatesError(
            f"{prefix}.{name}", f"{message} ({', '.join([f'Service: {prefix}', *facts])})"
        )
    prefix, unmodelled = _PREFIXES[plan.resource.service]
    name = exception_name(shape) if shape else unmodelled
    words = "; ".join([f"Service: {prefix}", *facts, f"Error Code: {code}"])
    return StatesError(f"{prefix}.{name}", f"{message} ({words})")


def unreachable(plan: SdkPlan, message: str) -> StatesError:
    """The error a Task has when the service's endpoint does not answer (SdkClientException)."""
    sdk = plan.resource.kind is Kind.AWS_SDK
    prefix = client_name(plan.service) if sdk else _PREFIXES[plan.resource.service][0]
    return StatesError(f"{prefix}.SdkClientException", message)


def _model(resource: Resource) -> Any:
    if resource.kind is Kind.AWS_SDK:
        return find_operation(resource.service, resource.action)
    service = OPTIMIZED_SERVICES.get(resource.service, resource.service)
    return operation(service, resource.action)
