"""Step: look at one Region from outside: its /health, and what clients get."""

from __future__ import annotations

from typing import Any

from sidestep.aws.endpoint_probe import EndpointProbe
from sidestep.aws.settings import Settings

settings = Settings.from_environment()
probe = EndpointProbe()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """`{"region", "closer", "canaries"}` → what the Region answered, or that it did not,
    and when it was asked.

    Canaries go to the others: it is their quorum that moves a Region. Of two Regions each
    has to agree about itself, so there each sends some to itself as well; as does everybody
    where there is doubt (`closer`), since that needs samples, and one whose Region is out
    (`canaries`).
    """
    region = str(event["region"])
    closer = bool(event.get("closer", False))
    asked = closer or bool(event.get("canaries", False))
    wanted = asked or region != settings.region or len(settings.regions) == 2
    return probe.look(region, settings.host(region), wanted, closer)
