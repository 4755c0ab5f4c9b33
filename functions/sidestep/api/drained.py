"""`GET /drained/{region}`: is that Region drained? This Region answers as its warden.

The other Region's traffic hangs on the answer, by an *inverted* endpoint check:

| this route           | the endpoint check is | inverted | the other Region        |
|----------------------|-----------------------|----------|-------------------------|
| 200                  | healthy               | unhealthy| out                     |
| 404 (no, or too old) | unhealthy             | healthy  | as its other checks say |
| 503 (cannot tell)    | unhealthy             | healthy  | as its other checks say |
| silent, or erring    | unhealthy             | healthy  | as its other checks say |
| 3xx                  | healthy               | unhealthy| out: never answered     |

So only a positive, recent answer takes a Region out, and a warden that is broken, slow,
throttled or gone changes nothing. 404 and 503 are one to Route 53; they are told apart
for people and logs. The rule never to invert the check of a live endpoint holds: that
is about a Region's own /health, whose death would turn its record healthy; here the one
that dies is the warden.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from sidestep.api.answers import answer, error, unavailable
from sidestep.api.cold_start import tells_cold_start
from sidestep.api.kept import Kept
from sidestep.aws import telemetry
from sidestep.aws.clients import client
from sidestep.aws.regional import Mark, RegionalTable
from sidestep.aws.settings import Settings
from sidestep.core.errors import SidestepError

FRESH_MS = 15 * 60_000
"""A mark counts this long after its holder last confirmed it. A holder that is alive confirms
it every few minutes; a mark that nobody stands by any more must not keep a healthy Region out."""
KEPT_MS = 1000

settings = Settings.from_environment()
logger, tracer = telemetry.logger(), telemetry.tracer()
app = APIGatewayHttpResolver()
# As /health: Route 53 waits 2 s for a status.
marks = RegionalTable(
    client("dynamodb", settings.region, connect_timeout=0.5, read_timeout=0.5, attempts=1),
    settings.regional_table,
)
kept: Kept[Mark | None] = Kept(lambda _: KEPT_MS)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@tells_cold_start
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """200 only while the Region is known to be drained; 404 when not, 503 when unknown."""
    return app.resolve(event, context)


@app.get("/drained/<region>")
def drained(region: str) -> Response[str]:
    """What the mark says, if somebody still stands by it."""
    if region not in settings.regions:
        return error(404, "unknown_region", f"{region} is not a guarded Region", "region")
    now = int(time.time() * 1000)
    try:
        mark = kept.get(region, now, lambda: marks.mark(region))
    except SidestepError as failure:
        logger.error("mark not read", region=region, error=str(failure))
        return unavailable(f"whether {region} is drained cannot be read now")
    if mark is None or not mark.drained:
        return error(404, "not_drained", f"{region} is not drained")
    if abs(now - mark.confirmed_at) > FRESH_MS:
        logger.warning("stale mark ignored", region=region, incident=mark.incident)
        return error(404, "stale_mark", f"nobody has confirmed lately that {region} is drained")
    return answer(200, {"drained": True, **_told(mark)})


def _told(mark: Mark) -> dict[str, Any]:
    return {
        "region": mark.region,
        "incident": mark.incident,
        "token": mark.token,
        "confirmed_at": mark.confirmed_at,
    }
