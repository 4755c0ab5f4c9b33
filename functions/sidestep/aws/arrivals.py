"""What the data table's stream shows of other Regions: items that replication brought here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidestep.aws.items import from_attributes


@dataclass(frozen=True)
class Arrival:
    """An item written in `source` at `written_at` that was here by `arrived_at` (epoch ms)."""

    source: str
    written_at: int
    arrived_at: int

    @property
    def lag_ms(self) -> int:
        """How long replication took, at most. A clock behind the source's counts as 0."""
        return max(0, self.arrived_at - self.written_at)


def arrival(record: Mapping[str, Any], here: str, now_ms: int) -> Arrival | None:
    """The arrival that a stream record tells of; None for anything else.

    Nothing else are: deletions (by TTL too), this Region's own items, probe items, and
    messages put back from the ledger, whose age is that of the incident.

    The stream says to the second when the item arrived, rounded down (AWS/DynamoDB Streams,
    StreamRecord.ApproximateCreationDateTime), so it was here by the end of that second, and
    certainly by now. A stream that is read late does not lengthen the lag.
    """
    image = record.get("dynamodb", {}).get("NewImage")
    if not image or record.get("eventName") == "REMOVE":
        return None
    told = _origin(from_attributes(image))
    if told is None or told[0] == here:
        return None
    created = record["dynamodb"].get("ApproximateCreationDateTime")
    by = now_ms if created is None else min(now_ms, (math.floor(created) + 1) * 1000)
    return Arrival(told[0], told[1], by)


def _origin(item: Mapping[str, Any]) -> tuple[str, int] | None:
    """Where and when an item was written; None where that says nothing about replication."""
    if item["pk"] == "heartbeat":
        return str(item["sk"]), int(item["at"])
    if item["sk"] == "message" and "repaired_at" not in item:
        return str(item["region"]), int(item["written_at"])
    return None
