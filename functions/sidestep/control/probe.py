"""Step: look at one Region's public /health, as a client would."""

from __future__ import annotations

from typing import Any

from sidestep.aws.endpoint_probe import EndpointProbe
from sidestep.aws.settings import Settings

settings = Settings.from_environment()
probe = EndpointProbe()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"region"}` → what the Region answered, or that it did not."""
    region = str(event["region"])
    return probe.look(region, settings.host(region))
