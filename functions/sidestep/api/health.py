"""`GET /health`: can this Region take a write and give it back? It asks no other Region.

Answers within 2 s whatever happens, since Route 53 waits no longer for a status: at most
three calls of one attempt, each 0.3 s to connect and 0.3 s to answer, and 0.05 s to find that
a kept connection was closed (clients.CLOSED_SHARE).
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.api.answers import answer
from sidestep.api.checks import Report, examine
from sidestep.api.cold_start import tells_cold_start
from sidestep.api.kept import Kept
from sidestep.aws import telemetry
from sidestep.aws.clients import client
from sidestep.aws.probe_item import ProbeItem
from sidestep.aws.regional import RegionalTable
from sidestep.aws.settings import Settings

KEPT_MS = 5000
"""Half of a health checker's interval: about a dozen checkers cost a table write each 5 s."""
UNHEALTHY_KEPT_MS = 1000
"""A blip must not look longer than it was, so that an observer's next look does not see it."""

settings = Settings.from_environment()
logger, tracer, metrics = telemetry.logger(), telemetry.tracer(), telemetry.metrics()
app = APIGatewayHttpResolver()
dynamodb = client("dynamodb", settings.region, connect_timeout=0.3, read_timeout=0.3, attempts=1)
probe = ProbeItem(dynamodb, settings.data_table, "probe", settings.region)
faults = RegionalTable(dynamodb, settings.regional_table)
reports: Kept[Report] = Kept(lambda report: KEPT_MS if report.healthy else UNHEALTHY_KEPT_MS)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@tells_cold_start
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """200 when every check passes, else 503; both say what was found."""
    return app.resolve(event, context)


@app.get("/health")
def health() -> Response[str]:
    """The report of now, or of a few seconds ago."""
    report = reports.get("health", _now_ms(), _examine)
    body = {
        "status": "healthy" if report.healthy else "unhealthy",
        "region": settings.region,
        "checks": {name: check.to_dict() for name, check in report.checks.items()},
        "at": report.at,
    }
    return answer(200 if report.healthy else 503, body)


def _examine() -> Report:
    report = examine(probe, faults, _now_ms)
    for name, check in report.checks.items():
        if check.why:
            logger.warning("health check", check=name, ok=check.ok, why=check.why)
    metrics.add_metric("Healthy", "Count", int(report.healthy))
    metrics.flush_metrics()  # here, not at the handler's end: a kept report is not a new reading
    return report


def _now_ms() -> int:
    return int(time.time() * 1000)
