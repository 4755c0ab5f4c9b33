"""Record sets: how the API writes them, and what the DNS servers have of them, a little later.

The sets live in moto's hosted zones, so that moto answers ListResourceRecordSets; changing
them is ours, for moto neither keeps a batch together nor tells records by their whole key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.route53.models import FakeZone, RecordSet, route53_backends

from localcloud.calls.wire import AwsError

PARTITION = "aws"
"""moto keeps Route 53 by partition, not by Region."""
_SUPPORTED = frozenset(
    {
        "Name",
        "Type",
        "TTL",
        "ResourceRecords",
        "AliasTarget",
        "SetIdentifier",
        "Region",
        "Weight",
        "Failover",
        "HealthCheckId",
    }
)
_POLICIES = ("Region", "Weight", "Failover")


@dataclass(frozen=True)
class Alias:
    """Where an alias record points, and whether it inherits that target's health."""

    target: str
    evaluate_health: bool


@dataclass(frozen=True)
class Records:
    """A resource record set. Names are lower case, without their final dot; `ttl` in seconds."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    ttl: int = 0
    alias: Alias | None = None
    set_identifier: str | None = None
    region: str | None = None
    weight: int | None = None
    failover: str | None = None
    health_check_id: str | None = None

    @property
    def policy(self) -> str:
        """How one of several is chosen: latency, weighted, failover or simple."""
        if self.region is not None:
            return "latency"
        if self.weight is not None:
            return "weighted"
        return "failover" if self.failover is not None else "simple"


def zones(account: str) -> Mapping[str, FakeZone]:
    """Every hosted zone, by its id."""
    found: Mapping[str, FakeZone] = route53_backends[account][PARTITION].zones
    return found


def in_zone(zone: FakeZone) -> tuple[Records, ...]:
    """The record sets of a zone, as the API has them."""
    return tuple(_read(kept) for kept in zone.rrsets)


def normal(name: str) -> str:
    """A domain name as records are compared by."""
    return name.rstrip(".").lower()


def change(zone: FakeZone, changes: Iterable[Mapping[str, Any]]) -> None:
    """Apply a batch whole or not at all. Raises AwsError InvalidChangeBatch, NotImplemented."""
    kept = {_key(_read(one)): one for one in zone.rrsets}
    for each in changes:
        action, given = str(each["Action"]), dict(each["ResourceRecordSet"])
        wanted = _checked(zone, given)
        key = _key(wanted)
        there = kept.get(key)
        if action == "CREATE" and there is not None:
            raise _batch(f"Tried to create {_words(wanted)} but it already exists")
        if action == "DELETE":
            if there is None:
                raise _batch(f"Tried to delete {_words(wanted)} but it was not found")
            if _read(there) != wanted:
                raise _batch(
                    f"Tried to delete {_words(wanted)} but the values provided do not match"
                )
            del kept[key]
            continue
        _check_group(wanted, (_read(one) for other, one in kept.items() if other != key))
        kept[key] = RecordSet(_plain(given))
    zone.rrsets = list(kept.values())


def _checked(zone: FakeZone, given: Mapping[str, Any]) -> Records:
    foreign = sorted(set(given) - _SUPPORTED)
    if foreign:
        raise AwsError("NotImplemented", f"the local cloud has no records with {foreign[0]}", 501)
    records = _read(RecordSet(_plain(given)))
    if "*" in records.name:
        raise AwsError("NotImplemented", "the local cloud has no wildcard records", 501)
    origin = normal(zone.name)
    if records.name != origin and not records.name.endswith(f".{origin}"):
        raise _batch(f"RRSet with DNS name {records.name}. is not permitted in zone {origin}.")
    if (records.alias is None) == (not records.values):
        raise _batch(f"{_words(records)} must have either AliasTarget or ResourceRecords")
    policies = [name for name in _POLICIES if given.get(name) is not None]
    if len(policies) > 1:
        raise _batch(f"{_words(records)} has both {policies[0]} and {policies[1]}")
    if bool(policies) != (records.set_identifier is not None):
        raise _batch(f"{_words(records)}: SetIdentifier goes with Region, Weight or Failover")
    return records


def _check_group(wanted: Records, others: Iterable[Records]) -> None:
    """Record sets of one name and type follow one policy, and a simple one stands alone."""
    for other in others:
        if (other.name, other.type) == (wanted.name, wanted.type) and other.policy != wanted.policy:
            raise _batch(
                f"{_words(wanted)} is {wanted.policy}, but others of its name and type "
                f"are {other.policy}"
            )


def _read(kept: RecordSet) -> Records:
    alias = kept.alias_target
    return Records(
        name=normal(kept.name),
        type=str(kept.type),
        # moto keeps values bare, except those of the SOA that it makes itself.
        values=tuple(v["Value"] if isinstance(v, dict) else v for v in kept.records or ()),
        ttl=int(kept.ttl or 0),
        alias=Alias(normal(alias["DNSName"]), _true(alias["EvaluateTargetHealth"]))
        if alias
        else None,
        set_identifier=kept.set_identifier,
        region=kept.region,
        weight=int(kept.weight) if kept.weight is not None else None,
        failover=kept.failover,
        health_check_id=kept.health_check_id,
    )


def _key(records: Records) -> tuple[str, str, str | None]:
    return records.name, records.type, records.set_identifier


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """A ResourceRecordSet as moto keeps one: values bare, the name with its final dot."""
    plain = {**given, "Name": f"{normal(given['Name'])}."}
    if given.get("ResourceRecords"):
        plain["ResourceRecords"] = [record["Value"] for record in given["ResourceRecords"]]
    return plain


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _words(records: Records) -> str:
    words = f"resource record set [name='{records.name}.', type='{records.type}'"
    if records.set_identifier is not None:
        words += f", set identifier='{records.set_identifier}'"
    return words + "]"


def _batch(message: str) -> AwsError:
    return AwsError("InvalidChangeBatch", f"[{message}]", 400)
