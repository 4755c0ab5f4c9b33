"""Global tables with multi-Region eventual consistency (MREC): lag, last writer wins, pause.

Replication is item by item, with no order between items. The write with the newest time
stamp wins; a losing write leaves no trace that a client could read. Conditions were judged on
the copy that took the write: nothing here looks back.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from moto.dynamodb.models.dynamo_type import Item

from localcloud.calls.endpoint import ACCOUNT, ApiCall
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.links import Link, ReplicationControl
from localcloud.services.metrics import MetricId, MetricStore, dimensions
from localcloud.services.tables import Change, Key


@dataclass(frozen=True, order=True)
class Stamp:
    """When and where a write was accepted: its rank among the writes of its item.

    The Region breaks a tie between Regions, the number one within a Region.
    """

    at: float
    region: str
    number: int


@dataclass(frozen=True)
class Write:
    """One accepted write on its way: the whole item, or None for a delete (the tombstone)."""

    key: Key
    item: Mapping[str, Any] | None
    stamp: Stamp


class EventualTable:
    """One MREC global table."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        dynamodb: DynamoDb,
        metrics: MetricStore,
        control: ReplicationControl,
        name: str,
        regions: list[str],
    ) -> None:
        self.name = name
        self._kernel, self._network, self._dynamodb = kernel, network, dynamodb
        self._metrics, self._control = metrics, control
        self._regions = list(regions)
        self._chance = kernel.fork(f"replication/{name}")
        self._numbers = itertools.count(1)
        self._stamps: dict[str, dict[Key, Stamp]] = {region: {} for region in regions}
        self._held: dict[Link, dict[Key, Write]] = {}
        self._travelling: dict[Link, int] = {}

    # -- what the DynamoDB service asks --------------------------------------------------------

    def replicas(self) -> list[str]:
        """The Regions that hold the data."""
        return self._regions

    def describe(self) -> Mapping[str, Any]:
        """Replicas and consistency mode, as DescribeTable gives them."""
        return {
            "GlobalTableVersion": "2019.11.21",
            "MultiRegionConsistency": "EVENTUAL",
            "Replicas": [
                {
                    "RegionName": region,
                    "ReplicaStatus": "ACTIVE",
                    "ReplicaArn": f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{self.name}",
                }
                for region in self._regions
            ],
        }

    def before(self, call: ApiCall, write: bool) -> None:
        """Nothing: every replica serves alone, from its own copy."""

    def written(self, region: str, changes: list[Change]) -> None:
        """Send these writes on to every other replica."""
        for change in changes:
            stamp = Stamp(self._kernel.now, region, next(self._numbers))
            self._stamps[region][change.key] = stamp
            write = Write(change.key, image(change), stamp)
            for target in self._regions:
                if target != region:
                    self._send(write, Link(self.name, region, target))

    def lose(self, region: str) -> None:
        """Nothing is in this Region's replica any more, nor on its way from it."""
        self._dynamodb.table(region, self.name).empty()
        self._stamps[region].clear()
        for link, held in list(self._held.items()):
            if link.source == region:
                held.clear()  # its release finds nothing and ends
                del self._held[link]

    def add(self, region: str) -> None:
        """Fill a new, empty replica from all others, as if they had never delivered any of it.

        DynamoDB fills a replica that is added to a table with data, which "might take a few minutes
        for an empty table, or up to several hours for large tables"
        (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-globaltable.html).
        What a stamp has no item for was deleted.
        """
        for source in self._regions:
            table = self._dynamodb.table(source, self.name)
            for key, stamp in self._stamps[source].items() if source != region else ():
                found = table.find(key)
                item = image_of(found) if found is not None else None
                self._hold(Write(key, item, stamp), Link(self.name, source, region))

    # -- what a drill may ask ------------------------------------------------------------------

    def unreplicated(self, source: str, target: str) -> int:
        """Writes of `source` that have not come to `target` yet: the truth, not a metric."""
        link = Link(self.name, source, target)
        return self._travelling.get(link, 0) + len(self._held.get(link, ()))

    # -- on the way ----------------------------------------------------------------------------

    def _send(self, write: Write, link: Link) -> None:
        factor = math.exp(self._chance.gauss(0.0, modelled.REPLICATION_SPREAD))
        lag = modelled.REPLICATION_BASE_S * factor + self._control.extra_s(link)
        lag += self._network.round_trip_s(link.source, link.target) / 2
        self._travelling[link] = self._travelling.get(link, 0) + 1
        arrival = self._kernel.env.timeout(lag)
        assert arrival.callbacks is not None
        life = self._network.lives[link.source]
        arrival.callbacks.append(partial(self._arrive, write, link, life))

    def _arrive(self, write: Write, link: Link, life: int, _: Any) -> None:
        self._travelling[link] -= 1
        if self._network.lives[link.source] != life:
            return  # its source was lost before it had come
        if not self._is_open(link) or self._held.get(link):
            self._hold(write, link)
        else:
            self._apply(write, link)

    def _is_open(self, link: Link) -> bool:
        return not self._control.is_paused(link) and self._network.reachable(
            link.source, link.target
        )

    def _hold(self, write: Write, link: Link) -> None:
        held = self._held.setdefault(link, {})
        if not held:
            self._kernel.log(
                "replication.held", table=link.table, source=link.source, target=link.target
            )
            self._kernel.process(self._release(link))
        older = held.get(write.key)
        if older is None or older.stamp < write.stamp:
            held[write.key] = write

    def _release(self, link: Link) -> Steps[None]:
        """Deliver what was held once the link is open again, oldest first, as fast as it can."""
        held, delivered = self._held[link], 0
        batch = int(modelled.REPLICATION_BACKLOG_PER_S * modelled.REPLICATION_RECHECK_S)
        while held:
            yield self._kernel.env.timeout(modelled.REPLICATION_RECHECK_S)
            if not self._is_open(link):
                continue
            for write in sorted(held.values(), key=lambda write: write.stamp)[:batch]:
                del held[write.key]
                self._apply(write, link)
                delivered += 1
        self._kernel.log(
            "replication.resumed",
            table=link.table,
            source=link.source,
            target=link.target,
            items=delivered,
        )

    def _apply(self, write: Write, link: Link) -> None:
        now = self._kernel.now
        # Published in the source Region only: it cannot be read when that Region is down.
        metric = MetricId(
            link.source,
            "AWS/DynamoDB",
            "ReplicationLatency",
            dimensions(TableName=self.name, ReceivingRegion=link.target),
        )
        self._metrics.record(metric, (now - write.stamp.at) * 1000, now, "Milliseconds")
        here = self._stamps[link.target]
        present = here.get(write.key)
        if present is not None and present >= write.stamp:
            # The simulation's own note: on AWS nobody is told.
            self._kernel.log(
                "replication.superseded",
                table=self.name,
                source=link.source,
                target=link.target,
                key=[value for _, value in write.key],
            )
            return
        here[write.key] = write.stamp
        self._dynamodb.table(link.target, self.name).store(write.key, write.item)
        self._dynamodb.flush(link.target, self.name, replicated=True)


_SETS = frozenset({"SS", "NS", "BS"})


def image(change: Change) -> Mapping[str, Any] | None:
    """The item a change left behind, as plain DynamoDB JSON of its own; None for a delete."""
    return image_of(change.new) if change.new is not None else None


def image_of(item: Item) -> Mapping[str, Any]:
    """An item as plain DynamoDB JSON of its own."""
    attributes: Mapping[str, Any] = item.to_json()["Attributes"]
    return {
        name: {kind: list(value) if kind in _SETS else value for kind, value in typed.items()}
        for name, typed in attributes.items()
    }
