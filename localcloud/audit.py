"""What became of every acknowledged write, by looking into the replicas themselves.

The promise is to clients: what they were told is stored must be readable in every Region in
the end, as they wrote it. No word of the workflows' is taken for it. Of two bodies that were
both acknowledged under one key, by Regions that did not know of each other's yet, one is left,
the same one everywhere; the other one is in the write ledger alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.clients import AckedWrite
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.tables import plain


@dataclass(frozen=True)
class Audit:
    """Acknowledged writes, by what the replicas hold. Ids; a write is in at most one list."""

    lost: tuple[str, ...]
    """In no replica."""
    missing: Mapping[str, tuple[str, ...]]
    """Region → writes that some replica holds and this Region's does not."""
    altered: tuple[str, ...]
    """Held somewhere with another author or text than was acknowledged, or not everywhere with
    the same."""
    repaired: int
    """Acknowledged writes that recovery put back from the ledger."""

    @property
    def not_everywhere(self) -> int:
        """Acknowledged writes that a reader of some Region does not find, or finds altered."""
        missing = {id_ for ids in self.missing.values() for id_ in ids}
        return len(set(self.lost) | set(self.altered) | missing)


def audit(
    dynamodb: DynamoDb, table: str, regions: Iterable[str], acknowledged: Iterable[AckedWrite]
) -> Audit:
    """Look for every acknowledged write in every Region's replica, now."""
    where = tuple(regions)
    lost, altered = [], []
    missing: dict[str, list[str]] = {region: [] for region in where}
    repaired = 0
    bodies: dict[str, set[tuple[Any, Any]]] = {}
    for write in acknowledged:
        bodies.setdefault(write.id, set()).add((write.author, write.text))
    for id_, told in bodies.items():
        found = {region: held(dynamodb, table, region, id_) for region in where}
        there = {region: item for region, item in found.items() if item is not None}
        if not there:
            lost.append(id_)
            continue
        repaired += any("repaired_at" in item for item in there.values())
        stored = {(item["author"], item["text"]) for item in there.values()}
        if not stored <= told or len(stored) > 1:
            altered.append(id_)
            continue
        for region in where:
            if region not in there:
                missing[region].append(id_)
    absent = {region: tuple(ids) for region, ids in missing.items() if ids}
    return Audit(tuple(lost), absent, tuple(altered), repaired)


def unreplicated(
    dynamodb: DynamoDb,
    table: str,
    region: str,
    others: Iterable[str],
    acknowledged: Iterable[AckedWrite],
) -> int:
    """Writes acknowledged by a Region that none of the others holds: at risk if it is lost."""
    survivors = tuple(others)
    return sum(
        write.region == region
        and all(held(dynamodb, table, other, write.id) is None for other in survivors)
        for write in acknowledged
    )


def held(dynamodb: DynamoDb, table: str, region: str, id_: str) -> dict[str, Any] | None:
    """The message of that id in a Region's replica; None where it is not."""
    found = dynamodb.table(region, table).find((("S", f"message#{id_}"), ("S", "message")))
    return plain(found) if found is not None else None
