"""The operator's calls while a template is deployed: botocore's requests, without its clients.

A client takes botocore milliseconds to make, and a deployment needs one for every service in
every Region; each of its calls walks hooks that change nothing here. The same serialisers
write the request, the endpoint carries it as it carries every call, and the same parsers read
the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model

from localcloud.calls.endpoint import (
    GLOBAL_HOME,
    GLOBAL_SERVICES,
    OPERATOR,
    ApiCall,
    host_of,
    open_endpoint,
)
from localcloud.calls.shortcuts import SCOPE
from localcloud.calls.wire import WireRequest


class Operator:
    """Like a boto3 client of a service in a Region, for plain operations alone."""

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = GLOBAL_HOME if service in GLOBAL_SERVICES else region

    def __getattr__(self, method: str) -> Callable[..., Mapping[str, Any]]:
        operation = _operations(self._service).get(method)
        if operation is None:
            raise AttributeError(f"{self._service} has no operation {method}")
        return lambda **params: self._call(operation, params)

    def _call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """An operation's output. Raises ParamValidationError and ClientError."""
        serializer, parser = _protocol(self._service)
        model = get_service_model(self._service).operation_model(operation)
        written = serializer.serialize_to_request(params, model)
        host = host_of(self._service, self._region)
        prepare_request_dict(written, endpoint_url=f"https://{host}", context={})
        request = create_request_object(written).prepare()
        headers = {
            key: value.decode() if isinstance(value, bytes) else str(value)
            for key, value in request.headers.items()
        }
        headers["Authorization"] = SCOPE.format(region=self._region, service=self._service)
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        call = ApiCall(self._service, operation, self._region, params, OPERATOR)
        answer = open_endpoint().carry(
            call, WireRequest(request.method, request.url, headers, bytes(body))
        )
        response = {
            "status_code": answer.status,
            "headers": HeadersDict(answer.headers),
            "body": answer.body,
            "context": {"operation_name": operation},
        }
        output: dict[str, Any] = parser.parse(response, model.output_shape)
        if answer.status >= 300:
            raise ClientError(output, operation)  # type: ignore[arg-type]  # stubs want a TypedDict
        return output


@cache
def _operations(service: str) -> Mapping[str, str]:
    """A client's methods and what they call."""
    return {xform_name(name): name for name in get_service_model(service).operation_names}


@cache
def _protocol(service: str) -> tuple[Any, Any]:
    """How a service's requests are written, parameters checked, and its answers read."""
    protocol = get_service_model(service).resolved_protocol
    return create_serializer(protocol, include_validation=True), create_parser(protocol)
