"""moto's DynamoDB, asked without HTTP in between: the same code answers, several times as fast.

On the ordinary way moto parses the request, guesses at the spelling of every member of its
answer and serialises it shape by shape. A call of our own process has its parameters already,
and DynamoDB's answers are plain JSON. Errors go the ordinary way: they are rare, and their
members matter. A test holds both ways to the same bytes.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.core.exceptions import HTTPException, ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.dynamodb.responses import DynamoHandler

from localcloud.calls.wire import HttpResponse

OPERATIONS = frozenset(
    {
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
    }
)
_CONTENT = "application/x-amz-json-1.0"


def ask(
    account: str, region: str, operation: str, params: Mapping[str, Any]
) -> dict[str, Any] | HttpResponse:
    """An item operation's output, the caller's own to keep; an error as DynamoDB sends it."""
    handler = _handler(account, region, operation, _own(dict(params)))
    try:
        result: Any = getattr(handler, camelcase_to_underscores(operation))().result
    except ServiceException as refused:
        status, _, body = handler.serialized(ActionResult(refused))
        return HttpResponse(int(status), {"Content-Type": _CONTENT}, _bytes(body))
    except HTTPException as refused:
        return HttpResponse(
            int(refused.code or 400), {"Content-Type": _CONTENT}, _bytes(refused.description)
        )
    known = _members(operation)
    return {name: value for name, value in result.items() if name in known and value is not None}


def answer(account: str, region: str, operation: str, params: Mapping[str, Any]) -> HttpResponse:
    """The same, errors or not, as DynamoDB sends it."""
    asked = ask(account, region, operation, params)
    if isinstance(asked, HttpResponse):
        return asked
    return HttpResponse(
        200, {"Content-Type": _CONTENT}, json.dumps(asked, default=_base64).encode()
    )


def _own(value: Any) -> Any:
    """A copy of plain data: what is inside cannot be changed but dictionaries and lists."""
    kind = type(value)
    if kind is dict:
        return {key: _own(one) for key, one in value.items()}
    if kind is list:
        return [_own(one) for one in value]
    if kind in (str, bool, bytes, int):
        return value
    return [_own(one) for one in value] if kind in (tuple, set) else copy.deepcopy(value)


def _handler(account: str, region: str, operation: str, params: dict[str, Any]) -> Any:
    """moto's request object, as its own dispatcher leaves it before the action runs."""
    handler: Any = DynamoHandler()
    handler.body = handler.params = params
    handler.region, handler.current_account = region, account
    handler.uri_match, handler.querystring = {}, {}
    handler.headers = {"Content-Type": _CONTENT, "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    handler.response_headers = {}
    return handler


@cache
def _members(operation: str) -> frozenset[str]:
    return frozenset(get_service_model("dynamodb").operation_model(operation).output_shape.members)


def _base64(value: bytes) -> str:
    """A binary attribute as the JSON protocol carries it."""
    return base64.b64encode(value).decode()


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")
