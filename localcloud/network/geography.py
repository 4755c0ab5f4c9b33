"""Where Regions are and how long a packet takes between them (modelled, not measured)."""

from __future__ import annotations

import math
from functools import cache

# Latitude and longitude of the city that AWS's own list of Regions names
# (https://aws.amazon.com/about-aws/global-infrastructure/regions_az/). A place, not a data centre.
PLACES: dict[str, tuple[float, float]] = {
    "us-east-1": (38.9, -77.5),
    "us-east-2": (40.0, -83.0),
    "us-west-1": (37.4, -121.9),
    "us-west-2": (45.8, -119.7),
    "ca-central-1": (45.5, -73.6),
    "sa-east-1": (-23.5, -46.6),
    "eu-west-1": (53.3, -6.3),
    "eu-west-2": (51.5, -0.1),
    "eu-west-3": (48.9, 2.4),
    "eu-central-1": (50.1, 8.7),
    "eu-north-1": (59.3, 18.1),
    "eu-south-1": (45.5, 9.2),
    "ap-south-1": (19.1, 72.9),
    "ap-southeast-1": (1.4, 103.8),
    "ap-southeast-2": (-33.9, 151.2),
    "ap-northeast-1": (35.7, 139.7),
    "ap-northeast-2": (37.6, 127.0),
    "ap-northeast-3": (34.7, 135.5),
    "me-south-1": (26.1, 50.6),
    "af-south-1": (-33.9, 18.4),
}

_EARTH_RADIUS_KM = 6371.0
_FIBRE_KM_PER_MS = 200.0  # light in glass: two thirds of its speed in a vacuum
_DETOUR = 1.5  # modelled: cables do not follow great circles
_LAST_MILE_MS = 2.0  # modelled: what even the shortest round trip costs


def distance_km(a: str, b: str) -> float:
    """Great-circle distance between two Regions, in kilometres. KeyError for an unknown one."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(math.radians, PLACES[p])) for p in (a, b))
    h = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(h))


@cache
def round_trip_s(a: str, b: str) -> float:
    """Modelled round-trip time between two places, in seconds."""
    return (2 * distance_km(a, b) / _FIBRE_KM_PER_MS * _DETOUR + _LAST_MILE_MS) / 1000
