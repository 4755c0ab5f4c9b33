"""Which acknowledged writes a lost Region kept to itself, and what putting them back means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sidestep.core.messages import Message

MAX_KEYS = 100
"""Keys named in an incident; the count is always whole."""


@dataclass(frozen=True)
class AtRisk:
    """Acknowledged writes of a Region that the surviving replica does not hold.

    `complete` is False when a surviving Region's ledger could not be read: then more may be
    at risk than counted.
    """

    count: int
    keys: tuple[str, ...]
    oldest_ms: int | None
    complete: bool


@dataclass(frozen=True)
class RepairPlan:
    """What to do for each ledger entry: put it back, or keep and list a conflict."""

    put: tuple[Message, ...]
    conflicts: tuple[str, ...]


def missing(entries: Iterable[Message], held: Mapping[str, Message]) -> list[Message]:
    """Entries that the replica lacks, or holds in an older version. Oldest first, each id once."""
    newest: dict[str, Message] = {}
    for entry in entries:
        known = newest.get(entry.id)
        if known is None or entry.version > known.version:
            newest[entry.id] = entry
    lacking = [
        entry
        for entry in newest.values()
        if entry.id not in held or held[entry.id].version < entry.version
    ]
    return sorted(lacking, key=lambda entry: (entry.written_at, entry.id))


def at_risk(entries: Iterable[Message], held: Mapping[str, Message], complete: bool) -> AtRisk:
    """What would be lost if the Region never came back."""
    lacking = missing(entries, held)
    return AtRisk(
        count=len(lacking),
        keys=tuple(entry.id for entry in lacking[:MAX_KEYS]),
        oldest_ms=lacking[0].written_at if lacking else None,
        complete=complete,
    )


def plan_repair(entries: Iterable[Message], held: Mapping[str, Message]) -> RepairPlan:
    """Put back what is missing or older; never over a newer version.

    A conflict is a newer item under the same id with another body: somebody's acknowledged
    write was overwritten by last writer wins. It is kept as it is, and listed.
    """
    known = list(entries)
    conflicts = {
        entry.id
        for entry in known
        if entry.id in held
        and held[entry.id].version >= entry.version
        and held[entry.id].digest != entry.digest
    }
    return RepairPlan(tuple(missing(known, held)), tuple(sorted(conflicts)))
