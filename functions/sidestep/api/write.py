"""`POST /messages`: accept a message. What a 2xx promises is in accept.py.

`POST /canary` is for observers: the same function, code and table, and nothing that stays.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.api.accept import Accepted, KeyReused, accept
from sidestep.api.answers import BadRequest, answer, bad_request, error, unavailable
from sidestep.api.cold_start import tells_cold_start
from sidestep.api.requests import message_asked
from sidestep.aws import telemetry
from sidestep.aws.bus import MessageBus, UnsentEvents
from sidestep.aws.clients import client
from sidestep.aws.messages import MessageStore
from sidestep.aws.probe_item import ProbeItem
from sidestep.aws.settings import Settings
from sidestep.core.errors import SidestepError, Throttled
from sidestep.core.messages import NewMessage

COUNTS = ("Writes", "WriteRejections", "WriteErrors", "WriteThrottles", "EventsUnsent")
"""Metrics of this function. Each message is one of the first three."""

settings = Settings.from_environment("SIDESTEP_UNSENT_QUEUE_URL")
logger, tracer, metrics = telemetry.logger(), telemetry.tracer(), telemetry.metrics()
app = APIGatewayHttpResolver()
# Together at most 7 + 3.4 + 3.4 s (clients.longest_call_s), within the function's time-out of 15 s.
# One attempt each for bus and queue: the queue is the bus's second chance, the client the queue's.
# An event that is told twice is one to the ledger.
messages = MessageStore(client("dynamodb", settings.region), settings.data_table)
bus = MessageBus(client("events", settings.region, attempts=1), settings.bus)
# One attempt, 1.7 s at most: what the SDK's retries would hide is what a canary is for.
canary_table = client(
    "dynamodb", settings.region, connect_timeout=0.5, read_timeout=1.0, attempts=1
)
canary_item = ProbeItem(canary_table, settings.data_table, "canary", settings.region)
unsent = UnsentEvents(client("sqs", settings.region, attempts=1), settings.unsent_queue_url)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
@tells_cold_start
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """201 stored, 200 seen before, 409 key reused, 4xx, or 503 with Retry-After."""
    return app.resolve(event, context)


@app.post("/messages")
def write() -> Response[str]:
    """Store the message and have it told, or say why not."""
    started = time.time()
    try:
        # Before any AWS call: the resolver keeps the current event by class, not by instance.
        accepted = _accept(message_asked(app.current_event), int(started * 1000))
    except BadRequest as wrong:
        return _counted(bad_request(wrong), "WriteRejections")
    except KeyReused as reused:
        refusal = error(409, "key_reused", str(reused), "Idempotency-Key")
        return _counted(refusal, "WriteRejections")
    except SidestepError as failure:
        logger.error("write not acknowledged", error=str(failure), kind=type(failure).__name__)
        sorry = unavailable("not stored for certain: send it again with the same Idempotency-Key")
        throttled = ["WriteThrottles"] if isinstance(failure, Throttled) else []
        return _counted(sorry, "WriteErrors", *throttled)
    finally:
        metrics.add_metric("WriteLatency", "Milliseconds", (time.time() - started) * 1000)
    return _acknowledged(accepted)


@app.post("/canary")
def canary() -> Response[str]:
    """Write an item where messages are: 200, or 503 as a client would get."""
    at = int(time.time() * 1000)
    stored = True
    try:
        canary_item.write(at)
    except SidestepError as failure:
        logger.warning("canary not stored", error=str(failure), kind=type(failure).__name__)
        stored = False
    metrics.add_metric("CanaryErrors", "Count", int(not stored))
    if not stored:
        return unavailable("a message could not be stored now")
    return answer(200, {"served_by": settings.region, "at": at})


def _accept(new: NewMessage, now_ms: int) -> Accepted:
    return accept(
        new,
        application=settings.application,
        region=settings.region,
        now_ms=now_ms,
        messages=messages,
        bus=bus,
        unsent=unsent,
    )


def _acknowledged(accepted: Accepted) -> Response[str]:
    body = {"message": accepted.message.to_dict(), "served_by": settings.region}
    answered = answer(200 if accepted.seen_before else 201, body)
    if not accepted.unsent:
        return _counted(answered, "Writes")
    logger.warning("event queued: the bus did not take it", error=accepted.unsent)
    return _counted(answered, "Writes", "EventsUnsent")


def _counted(answered: Response[str], *names: str) -> Response[str]:
    """Count the request, with zeros for what it was not, so that rates and sums have no gaps."""
    for name in COUNTS:
        metrics.add_metric(name, "Count", int(name in names))
    return answered
