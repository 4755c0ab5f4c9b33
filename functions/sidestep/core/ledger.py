"""Which acknowledged writes a lost Region kept to itself, and what putting them back means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidestep.core.messages import Message

MAX_KEYS = 100
"""Keys named in an incident; the count is always whole."""


@dataclass(frozen=True)
class AtRisk:
    """Acknowledged writes of a Region that some surviving replica does not hold.

    `unread` are the Regions whose ledger or replica could not be read: then more may be at risk
    than counted.
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

    put: tuple[tuple[str, Message], ...]
    """Each with the Region whose replica it is put into."""
    conflicts: tuple[str, ...]


def missing(entries: Iterable[Message], held: Mapping[str, Message]) -> list[Message]:
    """Entries under whose id the replica holds nothing. Oldest first, each id once.

    Where it holds another body or version there is nothing to put: that is a conflict, or none
    (`plan_repair`).
    """
    newest: dict[str, Message] = {}
    for entry in entries:
        known = newest.get(entry.id)
        if known is None or entry.version > known.version:
            newest[entry.id] = entry
    lacking = [entry for entry in newest.values() if entry.id not in held]
    return sorted(lacking, key=lambda entry: (entry.written_at, entry.id))


def place(at_ms: int) -> str:
    """Where an instant (epoch ms) is in a ledger: before every write of that millisecond."""
    return f"{at_ms:013d}"


def instant(place: str) -> int:
    """The instant (epoch ms) of a place, or of a write by its `history_sk`."""
    return int(place.partition("#")[0])


def at_risk(
    entries: Sequence[Message],
    replicas: Iterable[Mapping[str, Message]],
    unread: Iterable[str] = (),
) -> AtRisk:
    """What some replica would never get if the Region never came back."""
    lacked = {entry.id: entry for held in replicas for entry in missing(entries, held)}
    lacking = sorted(lacked.values(), key=lambda entry: (entry.written_at, entry.id))
    return AtRisk(
        count=len(lacking),
        keys=tuple(entry.id for entry in lacking[:MAX_KEYS]),
        oldest_ms=lacking[0].written_at if lacking else None,
        unread=tuple(unread),
    )


def plan_repair(
    entries: Sequence[Message],
    replicas: Mapping[str, Mapping[str, Message]],
    others: Iterable[Mapping[str, Message]] = (),
) -> RepairPlan:
    """Put back what one of `replicas` (by Region, the preferred one first) holds nothing of.

    One put is enough for all that lack a write: a replica sends on what is put into it, wherever
    it came from, to every other
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html).
    It would win there, as the last write. So a write under whose id anything else is held is not
    put: not in `replicas`, and not in `others`, where nothing has to be put.

    A conflict is an item under the same id with another body: two bodies were acknowledged under
    one key, by Regions that did not know of each other's yet, and one was or will be overwritten
    by last writer wins. Both stay as they are, and the id is listed. Which is the newer one is not
    asked: `version` is by the writing Region's clock, last writer wins by AWS's.
    """
    seen = [*replicas.values(), *others]
    conflicts = {
        entry.id
        for entry in entries
        for held in seen
        if entry.id in held and held[entry.id].digest != entry.digest
    }
    put = []
    for entry in missing(entries, {}):
        lacks = [region for region, held in replicas.items() if entry.id not in held]
        if lacks and entry.id not in conflicts:
            put.append((lacks[0], entry))
    return RepairPlan(tuple(put), tuple(sorted(conflicts)))


def _names(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(told["unread"])


def _both(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others}))
