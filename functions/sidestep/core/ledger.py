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


def plan_repair(
    entries: Iterable[Message],
    held: Mapping[str, Message],
    elsewhere: Mapping[str, Message] | None = None,
) -> RepairPlan:
    """Put back what `held` lacks or has in an older version; never over a newer version.

    `elsewhere` is the newest that other replicas hold: what is put here reaches them as the
    last write and wins, so a newer one there, which has not arrived here yet, counts as well.

    A conflict is a newer item under the same id with another body: somebody's acknowledged
    write was overwritten by last writer wins. It is kept as it is, and listed.
    """
    known = list(entries)
    others = elsewhere or {}
    conflicts = {
        entry.id
        for entry in known
        for found in (held.get(entry.id), others.get(entry.id))
        if found is not None and found.version >= entry.version and found.digest != entry.digest
    }
    put = [
        entry
        for entry in missing(known, held)
        if entry.id not in others or not _yields(entry, others[entry.id])
    ]
    return RepairPlan(tuple(put), tuple(sorted(conflicts)))


def goes_on(due: int, at_once: int, put: int) -> bool:
    """Whether a further round of repair is due: one put `at_once` at most of the writes that were
    `due`, and `put` so many back. None is no progress, and rounds without progress must end."""
    return due > at_once and put > 0


def newest(replicas: Iterable[Mapping[str, Message]]) -> dict[str, Message]:
    """The newest of each id among what several replicas hold."""
    found: dict[str, Message] = {}
    for held in replicas:
        for message in held.values():
            if message.id not in found or found[message.id].version < message.version:
                found[message.id] = message
    return found


def _yields(entry: Message, to: Message) -> bool:
    """Whether putting `entry` back would overwrite another write that is as new or newer."""
    return to.version > entry.version or (to.version == entry.version and to.digest != entry.digest)
