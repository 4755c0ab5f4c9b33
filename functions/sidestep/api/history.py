"""`GET /history`: messages of every Region, newest first, as this Region's replica holds them.

`GET /canary` is for observers: the same function and query, and a route of its own, so that
metrics of clients' routes count clients alone.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.api.answers import BadRequest, answer, bad_request, unavailable
from sidestep.api.cold_start import tells_cold_start
from sidestep.api.pages import page
from sidestep.api.requests import page_asked
from sidestep.aws import telemetry
from sidestep.aws.clients import client
from sidestep.aws.messages import MessageStore
from sidestep.aws.settings import Settings
from sidestep.core.errors import SidestepError
from sidestep.core.messages import Cursor, encode_cursor

settings = Settings.from_environment()
logger, tracer = telemetry.logger(), telemetry.tracer()
app = APIGatewayHttpResolver()
# One attempt: a page may take seven queries (pages.DAYS_A_PAGE), 11.7 s at the very most.
dynamodb = client("dynamodb", settings.region, connect_timeout=0.5, read_timeout=1.0, attempts=1)
messages = MessageStore(dynamodb, settings.data_table)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@tells_cold_start
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """200 with a page, 4xx, or 503 with Retry-After."""
    return app.resolve(event, context)


@app.get("/history")
def history() -> Response[str]:
    """One page; each message says where it was written, the page says who answered."""
    try:
        limit, cursor = page_asked(app.current_event)  # before any AWS call, as in write.py
    except BadRequest as wrong:
        return bad_request(wrong)
    return _page(limit, cursor)


@app.get("/canary")
def canary() -> Response[str]:
    """A page of one message: 200, or 503 as a client would get."""
    return _page(1, None)


def _page(limit: int, cursor: Cursor | None) -> Response[str]:
    try:
        found = page(messages, cursor, limit, int(time.time() * 1000))
    except SidestepError as failure:
        logger.error("history not read", error=str(failure), kind=type(failure).__name__)
        return unavailable("history cannot be read now")
    items = [message.to_dict() for message in found.messages]
    going_on = encode_cursor(found.cursor) if found.cursor else None
    return answer(200, {"served_by": settings.region, "items": items, "cursor": going_on})
