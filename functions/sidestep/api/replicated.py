"""Measures replication lag by what arrives: the data table's stream in this Region."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.aws import telemetry
from sidestep.aws.arrivals import arrival
from sidestep.aws.settings import Settings

settings = Settings.from_environment()
logger, tracer = telemetry.logger(), telemetry.tracer()


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, int]:
    """Publish ReplicationLag of every item that came from another Region, by source."""
    now = int(time.time() * 1000)
    lags: dict[str, list[int]] = {}
    for record in event["Records"]:
        came = arrival(record, settings.region, now)
        if came is not None:
            lags.setdefault(came.source, []).append(came.lag_ms)
    for source, measured in sorted(lags.items()):
        metrics = telemetry.metrics(source=source)
        for lag in measured:
            metrics.add_metric("ReplicationLag", "Milliseconds", lag)
        if metrics.metric_set:  # Powertools flushes by itself at each hundredth value
            metrics.flush_metrics()
    return {source: max(measured) for source, measured in lags.items()}
