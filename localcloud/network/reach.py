"""Who can reach whom: Regions, the links between them, and what is down at this moment."""

from __future__ import annotations

from collections import Counter

from localcloud.faults.overlapping import Overlapping
from localcloud.network.geography import PLACES, round_trip_s


class Network:
    """Reachability and round-trip times between places.

    A place is a Region's name; clients and health checkers are *outside*, near a
    Region: `outside("eu-west-2")`. A Region can fail whole (`down`), be cut off from
    the other Regions while clients still reach it (`isolated`), be unreachable for
    clients only (`dark`), or lose a single link.
    """

    def __init__(self) -> None:
        self.down = Overlapping[str]()
        self.isolated = Overlapping[str]()
        self.dark = Overlapping[str]()
        self.cut = Overlapping[frozenset[str]]()
        self.lives = Counter[str]()
        """Region → which life of it this is: another one when it is lost for good, and another
        when it is there anew. What was begun in an earlier life is gone."""
        self.slow: dict[str, float] = {}
        """Extra seconds on every round trip to and from a Region."""

    def reachable(self, source: str, target: str) -> bool:
        """Whether a packet from `source` comes to `target`, and its answer back."""
        here, there = near(source), near(target)
        if target in self.down or source in self.down:
            return False
        if is_outside(source):
            return there not in self.dark
        if here == there:
            return True
        if here in self.isolated or there in self.isolated:
            return False
        return frozenset((here, there)) not in self.cut

    def round_trip_s(self, source: str, target: str) -> float:
        """Seconds for a packet there and back."""
        here, there = near(source), near(target)
        extra = self.slow.get(here, 0.0) + (self.slow.get(there, 0.0) if there != here else 0.0)
        return round_trip_s(here, there) + extra


def outside(region: str) -> str:
    """The place of a client or checker near `region`, outside AWS's own network."""
    if region not in PLACES:
        raise ValueError(
            f"no place called {region!r}: add it to localcloud.network.geography.PLACES"
        )
    return f"near {region}"


def is_outside(place: str) -> bool:
    """Whether a place is outside any Region."""
    return place.startswith("near ")


def near(place: str) -> str:
    """The Region that a place is in or near."""
    return place.removeprefix("near ")
