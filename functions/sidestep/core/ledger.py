"""Which acknowledged writes a lost Region kept to itself, and what putting them back means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sidestep.core.messages import Message

MAX_KEYS = 100
"""Keys named in an incident; the count is always whole."""


@dataclass(frozen=True)
class AtRisk:
    """Acknowledged writes of a Region that the surviving replica does not hold.

    `unread` are the Regions whose ledger could not be read: then more may be at risk than
    counted.
    """

    count: int = 0
    keys: tuple[str, ...] = ()
    oldest_ms: int | None = None
    unread: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> AtRisk:
        """As an earlier invocation told it."""
        return cls(int(told["count"]), tuple(told["keys"]), told["oldest_ms"], _names(told))

    def plus(self, later: AtRisk) -> AtRisk:
        """This and what a later stretch of the ledger adds."""
        return AtRisk(
            self.count + later.count,
            (*self.keys, *later.keys)[:MAX_KEYS],
            later.oldest_ms if self.oldest_ms is None else self.oldest_ms,
            _both(self.unread, later.unread),
        )


@dataclass(frozen=True)
class Repaired:
    """What came of repairing. `unread` are the Regions whose ledger or replica could not be
    read: then more may be missing, or a newer write may be there."""

    repaired: int = 0
    conflicts: tuple[str, ...] = ()
    """The first MAX_KEYS of the `conflicting`."""
    conflicting: int = 0
    lost: int = 0
    """Missing even so."""
    unread: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Repaired:
        """As an earlier invocation told it."""
        return cls(
            int(told["repaired"]),
            tuple(told["conflicts"]),
            int(told["conflicting"]),
            int(told["lost"]),
            _names(told),
        )

    def plus(self, later: Repaired) -> Repaired:
        """This and what a later stretch of the ledger adds."""
        return Repaired(
            self.repaired + later.repaired,
            (*self.conflicts, *later.conflicts)[:MAX_KEYS],
            self.conflicting + later.conflicting,
            self.lost + later.lost,
            _both(self.unread, later.unread),
        )


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


def place(at_ms: int) -> str:
    """Where an instant (epoch ms) is in a ledger: before every write of that millisecond."""
    return f"{at_ms:013d}"


def at_risk(
    entries: Iterable[Message], held: Mapping[str, Message], unread: Iterable[str] = ()
) -> AtRisk:
    """What would be lost if the Region never came back."""
    lacking = missing(entries, held)
    return AtRisk(
        count=len(lacking),
        keys=tuple(entry.id for entry in lacking[:MAX_KEYS]),
        oldest_ms=lacking[0].written_at if lacking else None,
        unread=tuple(unread),
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


def newest(replicas: Iterable[Mapping[str, Message]]) -> dict[str, Message]:
    """The newest of each id among what several replicas hold."""
    found: dict[str, Message] = {}
    for held in replicas:
        for message in held.values():
            if message.id not in found or found[message.id].version < message.version:
                found[message.id] = message
    return found


def _names(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(told["unread"])


def _both(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others}))


def _yields(entry: Message, to: Message) -> bool:
    """Whether putting `entry` back would overwrite another write that is as new or newer."""
    return to.version > entry.version or (to.version == entry.version and to.digest != entry.digest)
