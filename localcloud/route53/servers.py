"""The authoritative servers' copy of the hosted zones, which follows the API's after a while."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.route53.limits import RECORDS_TO_DNS_S
from localcloud.route53.ports import Steps, World
from localcloud.route53.records import Records, in_zone, normal, zones


@dataclass(frozen=True)
class ServedZone:
    """A hosted zone as the name servers have it: its origin and its record sets."""

    origin: str
    records: tuple[Records, ...]


class ServedZones:
    """What the name servers know of one account's zones."""

    def __init__(self, world: World, account: str) -> None:
        self._world, self._account = world, account
        self._chance = world.fork("record changes")
        self._served: dict[str, ServedZone] = {}
        self._numbers = itertools.count(1)
        self._newest: dict[str, int] = {}

    def publish(self, zone_id: str) -> None:
        """Serve a zone as the API has it at this moment."""
        zone = zones(self._account)[zone_id]
        self._served[zone_id] = ServedZone(normal(zone.name), in_zone(zone))

    def publish_later(self, zone_id: str) -> Steps[None]:
        """Serve what the API has at this moment, once it has travelled to every server."""
        zone = zones(self._account)[zone_id]
        served = ServedZone(normal(zone.name), in_zone(zone))
        number = next(self._numbers)
        yield self._world.env.timeout(self._chance.uniform(*RECORDS_TO_DNS_S))
        # A later change holds this one too, and may have arrived first.
        if zone_id in self._served and self._newest.get(zone_id, 0) < number:
            self._newest[zone_id] = number
            self._served[zone_id] = served

    def withdraw(self, zone_id: str) -> None:
        """A zone is deleted."""
        self._served.pop(zone_id, None)

    def zone_of(self, name: str) -> ServedZone | None:
        """The zone that is authoritative for a name: the longest origin wins."""
        wanted = normal(name)
        fitting = [
            zone
            for zone in self._served.values()
            if wanted == zone.origin or wanted.endswith(f".{zone.origin}")
        ]
        return max(fitting, key=lambda zone: len(zone.origin), default=None)

    @property
    def served(self) -> Mapping[str, ServedZone]:
        """Every zone, by its id."""
        return self._served
