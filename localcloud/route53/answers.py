"""What Route 53's name servers answer: which of a name's records, for whom, by whose health.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from localcloud.network.geography import round_trip_s
from localcloud.route53.limits import ALIAS_TTL_S
from localcloud.route53.ports import World
from localcloud.route53.records import Records, normal
from localcloud.route53.servers import ServedZone

NOERROR, NXDOMAIN, REFUSED = 0, 3, 5
"""DNS response codes (RFC 1035, 4.1.1)."""
MAX_ALIASES = 8
"""Aliases of aliases that are followed; a circle ends here."""


@dataclass(frozen=True)
class Answer:
    """An authoritative answer. `records` are of type `type`, to be kept for `ttl` seconds.

    `set_identifier` names the chosen record, None for a simple one; `fail_open` says that
    it was chosen although unhealthy, because all are. `origin` is the zone, None when we
    are not authoritative; `negative_ttl` is how long an answer without records is kept.
    """

    rcode: int
    type: str = "A"
    records: tuple[str, ...] = ()
    ttl: int = 0
    set_identifier: str | None = None
    fail_open: bool = False
    origin: str | None = None
    negative_ttl: int = 0


class Service(Protocol):
    """What the answers hang on: what `localcloud.route53.service.Route53` is."""

    @property
    def served(self) -> Zones:
        """The zones as the name servers have them."""

    def healthy(self, check_id: str) -> bool:
        """Whether DNS holds a health check to be healthy."""


class Zones(Protocol):
    """Zones by the names in them."""

    def zone_of(self, name: str) -> ServedZone | None:
        """The zone that is authoritative for a name."""


class Answers:
    """Answers for every hosted zone.

    `address_of` gives the address behind an alias out of the zone (an API Gateway Regional
    domain name), None where there is nothing; such a target always counts as healthy.
    `round_trip_s(near, region)` ranks latency records.
    """

    def __init__(
        self,
        world: World,
        service: Service,
        address_of: Callable[[str], str | None],
        round_trip_s: Callable[[str, str], float] = round_trip_s,
    ) -> None:
        self._service, self._address_of = service, address_of
        self._round_trip_s = round_trip_s
        self._chance = world.fork("weighted answers")

    def answer(self, name: str, kind: str, near: str) -> Answer:
        """The answer to a question for `kind` records, asked from near a Region."""
        zone, wanted = self._service.served.zone_of(name), normal(name)
        if zone is None:
            return Answer(REFUSED, kind)
        negative = _negative_ttl(zone)
        there = [r for r in zone.records if r.name == wanted]
        if not there:
            # A name between others' (b.zone, of a.b.zone) is there without records of its own.
            between = any(r.name.endswith(f".{wanted}") for r in zone.records)
            rcode = NOERROR if between else NXDOMAIN
            return Answer(rcode, kind, origin=zone.origin, negative_ttl=negative)
        group = [r for r in there if r.type == kind] or [r for r in there if r.type == "CNAME"]
        if not group:
            return Answer(NOERROR, kind, origin=zone.origin, negative_ttl=negative)
        chosen, fail_open = self._choose(zone, group, near, MAX_ALIASES)
        values, ttl = self._values(zone, chosen, near, MAX_ALIASES)
        return Answer(
            NOERROR,
            chosen.type,
            values,
            ttl,
            chosen.set_identifier,
            fail_open,
            zone.origin,
            negative,
        )

    # -- choosing ----------------------------------------------------------------------------

    def _choose(
        self, zone: ServedZone, group: Sequence[Records], near: str, depth: int
    ) -> tuple[Records, bool]:
        """The record to answer with, and whether all were unhealthy, so that all count again."""
        healthy = [record for record in group if self._healthy(zone, record, depth)]
        eligible = healthy or list(group)
        policy = eligible[0].policy
        if policy == "latency":
            chosen = min(
                eligible, key=lambda r: (self._round_trip_s(near, str(r.region)), str(r.region))
            )
        elif policy == "weighted":
            chosen = by_weight(eligible, self._chance)
        elif policy == "failover":
            chosen = min(eligible, key=lambda r: r.failover != "PRIMARY")
        else:
            chosen = eligible[0]
        return chosen, not healthy

    def _healthy(self, zone: ServedZone, record: Records, depth: int) -> bool:
        """A record without a health check is always healthy."""
        check = record.health_check_id
        if check is not None and not self._service.healthy(check):
            return False
        if record.alias is None or not record.alias.evaluate_health:
            return True
        targets = _targets(zone, record, depth)
        # An alias out of the zone: API Gateway's names always report themselves healthy.
        return not targets or any(self._healthy(zone, r, depth - 1) for r in targets)

    def _values(
        self, zone: ServedZone, record: Records, near: str, depth: int
    ) -> tuple[tuple[str, ...], int]:
        """A record's values and TTL; an alias has its target's."""
        if record.alias is None:
            return record.values, record.ttl
        targets = _targets(zone, record, depth)
        if targets:
            chosen, _ = self._choose(zone, targets, near, depth - 1)
            return self._values(zone, chosen, near, depth - 1)
        address = self._address_of(record.alias.target)
        return ((address,) if address is not None else ()), ALIAS_TTL_S


def by_weight(records: Sequence[Records], chance: random.Random) -> Records:
    """One of weighted records, by its share of their weights.

    A weight of 0 counts only when there is no other; all 0 are chosen from evenly.
    """
    weights = [record.weight or 0 for record in records]
    if not any(weights):
        return chance.choice(list(records))
    return chance.choices(records, weights)[0]


def _targets(zone: ServedZone, record: Records, depth: int) -> list[Records]:
    """The records of the same zone that an alias points at."""
    alias = record.alias
    if alias is None or depth == 0:
        return []
    return [r for r in zone.records if r.name == alias.target and r.type == record.type]


def _negative_ttl(zone: ServedZone) -> int:
    """The lesser of the SOA record's TTL and its last field (RFC 2308, 5)."""
    for record in zone.records:
        if record.type == "SOA":
            return min(record.ttl, int(record.values[0].split()[-1]))
    return 0
