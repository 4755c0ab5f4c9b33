"""HTTP answers of the API: JSON, never cached, errors in one shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

RETRY_AFTER_S = 2
"""What a 503 asks of a client: longer than a throttle's usual blip, short beside a failover."""


class BadRequest(Exception):  # noqa: N818  # named as HTTP names it
    """The client's request cannot be served as it is: `status` 4xx, `code` for programs."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field


def answer(
    status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response[str]:
    """A JSON answer."""
    return Response(
        status_code=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
        body=json.dumps(body, ensure_ascii=False),
    )


def error(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """`{"error": {"code", "message", "field"?}}`: `field` names what in the request is wrong."""
    told = {"code": code, "message": message} | ({"field": field} if field else {})
    return answer(status, {"error": told}, headers)


def bad_request(wrong: BadRequest) -> Response[str]:
    """The 4xx that a BadRequest is."""
    return error(wrong.status, wrong.code, wrong.message, wrong.field)


def unavailable(message: str) -> Response[str]:
    """503, with the time after which to try again."""
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return error(503, "unavailable", message, headers=headers)
