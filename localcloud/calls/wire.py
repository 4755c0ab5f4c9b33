"""AWS's wire protocols, both ways, on moto's parsers and serializers.

A call from our own process arrives with its parameters; a call from the stock AWS
CLI arrives as HTTP. Here HTTP becomes (service, operation, parameters), and an
output or an error becomes an HTTP answer in the protocol that was asked in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.datastructures import Headers, MultiDict

# The credential scope's signing name where it is not botocore's service name
# (botocore service models, metadata.signingName / endpointPrefix).
SIGNING_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions", "email": "ses"}


class AwsError(Exception):
    """An error that a service answers with: its code, message and HTTP status."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class HttpResponse:
    """What goes back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class WireRequest:
    """An HTTP request as it arrived: `url` with scheme, host, path and query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class UnknownCallError(Exception):
    """The request names no operation that botocore's models know."""


_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


def service_and_region(headers: Mapping[str, str]) -> tuple[str, str]:
    """Service and Region from the Signature Version 4 credential scope. Raises UnknownCallError."""
    found = _SCOPE.search(headers.get("Authorization", ""))
    if not found:
        raise UnknownCallError(
            "the request is not signed: no credential scope to tell its service by"
        )
    service, region = found["service"], found["region"]
    target = headers.get("X-Amz-Target", "")
    if target.startswith("DynamoDBStreams_"):
        return "dynamodbstreams", region
    if service == "apigateway":
        return "apigatewayv2", region
    return SIGNING_NAMES.get(service, service), region


def operation_and_params(service: str, request: WireRequest) -> tuple[str, dict[str, Any]]:
    """The operation's name and its parameters as the botocore model names them."""
    model = get_service_model(service)
    parts = urlsplit(request.url)
    values = MultiDict(
        (k, v) for k, vs in parse_qs(parts.query, keep_blank_values=True).items() for v in vs
    )
    form = request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    if form:
        for key, many in parse_qs(request.body.decode(), keep_blank_values=True).items():
            for value in many:
                values.add(key, value)
    target = request.headers.get("X-Amz-Target")
    labels: dict[str, str] = {}
    if target:
        operation = target.rsplit(".", 1)[-1]
    elif "Action" in values:
        operation = str(values["Action"])
    else:
        operation, labels = _route(service, request.method, parts.path, values)
    if operation not in model.operation_names:
        raise UnknownCallError(f"{service} has no operation {operation!r}")
    protocol = determine_request_protocol(model, request.headers.get("Content-Type"))
    parser = PROTOCOL_PARSERS[protocol](model.operation_model(operation))
    parsed = parser.parse(
        {
            "method": request.method,
            "values": values,
            "headers": Headers(list(request.headers.items())),
            "body": request.body,
            "url_path": parts.path,
            "url_params": labels,
        }
    )
    return operation, {key: value for key, value in parsed.items() if value is not None}


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], frozenset[str], str]]:
    """(method, path pattern, query names that must be there, operation), most literal first."""
    model = get_service_model(service)
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", pattern)
        wanted = frozenset(part.partition("=")[0] for part in query.split("&") if part)
        routes.append((http["method"], re.compile(pattern.rstrip("/") + "/?$"), wanted, name))
    return sorted(routes, key=lambda route: (-len(route[2]), route[1].pattern.count("(")))


def _route(
    service: str, method: str, path: str, values: MultiDict[str, str]
) -> tuple[str, dict[str, str]]:
    for verb, pattern, wanted, name in _routes(service):
        found = pattern.match(path) if verb == method and wanted <= set(values) else None
        if found:
            return name, {key: unquote(value) for key, value in found.groupdict().items()}
    raise UnknownCallError(f"{service} has no operation for {method} {path}")


def protocol_of(service: str, headers: Mapping[str, str]) -> str:
    """The protocol a request is written in, by its content type."""
    return _protocol(service, headers.get("Content-Type"))


@cache
def _protocol(service: str, content_type: str | None) -> str:
    return str(determine_request_protocol(get_service_model(service), content_type))


def serialize(service: str, operation: str, protocol: str, output: Any) -> HttpResponse:
    """An operation's output as its HTTP answer."""
    model = get_service_model(service).operation_model(operation)
    made = get_serializer_class(service, protocol)(operation_model=model).serialize(output)
    body = made["body"]
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    headers = {str(key): str(value) for key, value in made["headers"].items()}
    return HttpResponse(made["status_code"], headers, raw)


def serialize_error(protocol: str, error: AwsError) -> HttpResponse:
    """An error as its HTTP answer: JSON protocols name it in `__type`, XML ones in `Code`."""
    fault = "Sender" if error.status < 500 else "Receiver"
    if "json" in protocol:
        body = json.dumps(
            {"__type": error.code, "message": error.message, "Message": error.message}
        )
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-ErrorType": error.code,
            # Query-compatible services: the SDK reads the code from here.
            "x-amzn-query-error": f"{error.code};{fault}",
        }
    else:
        body = (
            f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error>"
            "<RequestId>local</RequestId></ErrorResponse>"
        )
        headers = {"Content-Type": "text/xml"}
    return HttpResponse(error.status, headers, body.encode())
