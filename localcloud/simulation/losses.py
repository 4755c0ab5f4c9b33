"""What goes with a Region that is lost for good: measured in the moment of the loss.

A write leaves its Region by two paths: the replica of any other Region, and the bus of any other
Region, which enters it in that one's ledger. What had left by neither is lost, and nobody can be
held to it. What had left by either has to be everywhere in the end, as every other write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from localcloud.clients import AckedWrite
from localcloud.cloud import LocalCloud
from localcloud.services.tables import plain
from localcloud.simulation.ledgers import Told, event_in, told_of

LOST = "region-lost"


@dataclass(frozen=True)
class Loss:
    """One Region, lost for good."""

    region: str
    gone: frozenset[Told]
    """What its replica held, and no other Region's replica and no other Region's bus had yet."""
    arrived: Mapping[str, frozenset[Told]]
    """Region → the events that its bus had taken by then."""
    back_s: float | None = None
    """When a new Region was in its place: what that one acknowledges is no more excused."""

    def answered(self, write: AckedWrite) -> bool:
        """Whether the lost Region answered it: an answer may come just after the loss."""
        before = self.back_s is None or write.at_s < self.back_s
        return write.region == self.region and before

    def took(self, write: AckedWrite) -> bool:
        """Whether this acknowledged write went with the Region."""
        return self.answered(write) and told_of(write) in self.gone

    def excuses(self, write: AckedWrite, ledger: str) -> bool:
        """Whether that Region's ledger need not have this write any more.

        The lost Region's own lost what had come to it, and what it had promised to itself; others
        never get what it had not forwarded to their bus.
        """
        if write.region == self.region:
            return self.answered(write) and (ledger == self.region or not self._came(write, ledger))
        return ledger == self.region and self._came(write, ledger)

    def _came(self, write: AckedWrite, ledger: str) -> bool:
        return told_of(write) in self.arrived[ledger]


class Losses:
    """Watches a world for Regions that are lost for good."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._losses: list[Loss] = []
        self._arrived: dict[str, set[Told]] = defaultdict(set)
        cloud.services.events.on_arrival.append(self._arrives)
        # Heard as the fault strikes, before anything is gone.
        cloud.kernel.subscribe(self._hear)

    def took(self, write: AckedWrite) -> bool:
        """Whether an acknowledged write went with a Region."""
        return any(loss.took(write) for loss in self._losses)

    def excuses(self, write: AckedWrite, ledger: str) -> bool:
        """Whether a loss is why a Region's ledger lacks a write."""
        return any(loss.excuses(write, ledger) for loss in self._losses)

    def _arrives(self, region: str, _: str, event: Mapping[str, Any]) -> None:
        told = event_in(event)
        if told is not None:
            self._arrived[region].add(told)

    def _hear(self, event: Mapping[str, Any]) -> None:
        if event.get("what") != LOST:
            return
        if event["kind"] == "fault":
            self._lost(event["region"])
        elif event["kind"] == "fault_over":
            self._losses = [
                replace(loss, back_s=float(event["t"]))
                if loss.region == event["region"] and loss.back_s is None
                else loss
                for loss in self._losses
            ]

    def _lost(self, region: str) -> None:
        regions = self._cloud.topology.regions
        others = [other for other in regions if other != region]
        out = {told for other in others for told in self._held(other)}
        out |= {told for other in others for told in self._arrived[other]}
        arrived = {where: frozenset(self._arrived[where]) for where in regions}
        self._losses.append(Loss(region, frozenset(self._held(region)) - out, arrived))
        self._arrived[region].clear()

    def _held(self, region: str) -> Iterator[Told]:
        """The messages in a Region's replica."""
        table = self._cloud.services.dynamodb.table(region, self._cloud.table("data"))
        for found in table.all_items():
            item = plain(found)
            if item["sk"] == "message":
                yield item["id"], item["author"], item["text"]
