"""Keeps the write ledger: what other Regions acknowledged, told by their events."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.aws import telemetry
from sidestep.aws.bus import MessageWritten
from sidestep.aws.clients import client
from sidestep.aws.regional import RegionalTable
from sidestep.aws.settings import Settings
from sidestep.core.errors import InvalidInput

settings = Settings.from_environment()
logger, tracer, metrics = telemetry.logger(), telemetry.tracer(), telemetry.metrics()
ledger = RegionalTable(client("dynamodb", settings.region), settings.regional_table)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@event_source(data_class=EventBridgeEvent)
def handler(event: EventBridgeEvent, _: LambdaContext) -> dict[str, Any]:
    """Enter one event, once. An error makes Lambda try again, and then the dead-letter queue."""
    written = MessageWritten.from_detail(event.detail)
    if written.application != settings.application:
        raise InvalidInput(f"an event of the application {written.application!r} on our bus")
    if written.message.region == settings.region:
        logger.warning("own event ignored: the rule should have kept it", id=written.message.id)
        return {"entered": False}
    entered = ledger.enter(written.message, int(time.time() * 1000))
    metrics.add_metric("LedgerEntries", "Count", int(entered))
    metrics.flush_metrics()
    return {"entered": entered}
