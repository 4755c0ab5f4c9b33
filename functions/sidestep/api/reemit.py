"""Emits again what the bus did not take: the queue UnsentEvents, in batches.

Each event that the bus refuses again goes back to the queue by itself; the others are done.
When the whole batch fails, Powertools raises, so that it shows as a failed invocation.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.aws import telemetry
from sidestep.aws.bus import MessageBus, event_in
from sidestep.aws.clients import client
from sidestep.aws.settings import Settings
from sidestep.core.errors import SidestepError

settings = Settings.from_environment()
logger, tracer, metrics = telemetry.logger(), telemetry.tracer(), telemetry.metrics()
processor = BatchProcessor(event_type=EventType.SQS)
# One attempt each, 3.4 s at most: the queue is the retry, and a batch of ten has to fit.
bus = MessageBus(client("events", settings.region, attempts=1), settings.bus)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The partial batch response: the messages that have to be delivered again."""
    return dict(
        process_partial_response(
            event=event, record_handler=emit_again, processor=processor, context=context
        )
    )


def emit_again(record: SQSRecord) -> None:
    """Emit one queued event."""
    try:
        bus.emit(event_in(record.body))
    except SidestepError as failure:
        logger.warning("still unsent", message_id=record.message_id, error=str(failure))
        metrics.add_metric("EventsReemitted", "Count", 0)
        raise
    metrics.add_metric("EventsReemitted", "Count", 1)
