"""AWS services as Step Functions names them, found in botocore's models.

A Task says `aws-sdk:sfn:startExecution` and `StateMachineArn`; botocore says
`stepfunctions`, `StartExecution` and `stateMachineArn`. The words on the Task's side are
those of the AWS SDK for Java 2.x
(https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html).
"""

from __future__ import annotations

import functools
import re
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

OPTIMIZED_SERVICES = {"states": "stepfunctions"}
"""Optimized integrations whose ARN names the service otherwise than botocore."""


def pascal(name: str) -> str:
    """A model's name as the AWS SDK for Java 2.x writes it: `KMSMasterKeyID` → `KmsMasterKeyId`.

    Words end where case or digits change; each is written with one capital. (software.amazon
    .awssdk.codegen, DefaultNamingStrategy.)
    """
    words = re.sub(r"[^A-Za-z0-9]+", " ", name)
    words = re.sub(r"(?<=[a-z])(?=[A-Z][A-Za-z0-9])", " ", words)
    words = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", words)
    words = re.sub(r"(\d)([A-Za-z])", r"\1 \2", words)
    return "".join(word[0].upper() + word[1:].lower() for word in words.split())


def exception_name(shape: str) -> str:
    """An error shape's class in the AWS SDK for Java 2.x: always `…Exception`."""
    base = pascal(shape.removesuffix("Fault"))
    return base if base.endswith("Exception") else f"{base}Exception"


@functools.cache
def client_name(service: str) -> str:
    """The prefix of a service's errors: `DynamoDb`, `Sfn`, `Route53`; `service` is botocore's."""
    return pascal(_model(service).service_id)


def find_operation(sdk_service: str, action: str) -> Any:
    """The model of an `aws-sdk:` action. Raises ValueError when there is none, with its name."""
    service = _services().get(sdk_service)
    if service is None:
        raise ValueError(f"The AWS SDK integration has no service '{sdk_service}'")
    return operation(service, action)


def operation(service: str, action: str) -> Any:
    """The model of botocore's service's operation for a lowerCamel action name."""
    for name in _model(service).operation_names:
        if name[0].lower() + name[1:] == action:
            return _model(service).operation_model(name)
    raise ValueError(f"The service '{service}' has no action '{action}'")


def error_shape(called: OperationModel, code: str) -> str | None:
    """The name of the modelled error with this code, or None."""
    for shape in called.error_shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return str(shape.name)
    return None


@functools.cache
def _model(service: str) -> Any:
    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@functools.cache
def _loader() -> Any:
    return Loader()


_RENAMED = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costexplorer": "ce",
    "databasemigrationservice": "dms",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}
"""Services that the AWS SDK for Java calls by another name than botocore."""


@functools.cache
def _services() -> dict[str, str]:
    """The AWS SDK's names of services → botocore's: without hyphens, and the renamed ones."""
    known = _loader().list_available_services("service-2")
    alike = {name.replace("-", ""): name for name in known if name not in _RENAMED.values()}
    return alike | _RENAMED
