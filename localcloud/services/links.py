"""Replication links and what a drill may do to them: pause, slow down, let go again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Link:
    """The way of one table's writes from one replica to another."""

    table: str
    source: str
    target: str


@dataclass(frozen=True)
class Disturbance:
    """What is wrong with every link that matches; None matches all.

    `region` matches a link that starts or ends there, as FIS's
    `aws:dynamodb:global-table-pause-replication` does. `paused` holds writes back;
    `extra_s` delays them.
    """

    table: str | None = None
    source: str | None = None
    target: str | None = None
    region: str | None = None
    paused: bool = True
    extra_s: float = 0.0

    def matches(self, link: Link) -> bool:
        """Whether this link is disturbed."""
        return (
            self.table in (None, link.table)
            and self.source in (None, link.source)
            and self.target in (None, link.target)
            and self.region in (None, link.source, link.target)
        )


class ReplicationControl:
    """The disturbances in force."""

    def __init__(self) -> None:
        self._active: list[Disturbance] = []

    def disturb(self, disturbance: Disturbance) -> Disturbance:
        """Put one in force; hand the same object to `relieve` to end it."""
        self._active.append(disturbance)
        return disturbance

    def relieve(self, disturbance: Disturbance) -> None:
        """End one. Ending one that is not in force is an error of the caller's."""
        self._active.remove(disturbance)

    def is_paused(self, link: Link) -> bool:
        """Whether writes on this link are held back."""
        return any(d.paused and d.matches(link) for d in self._active)

    def extra_s(self, link: Link) -> float:
        """Seconds of lag added to this link."""
        return sum(d.extra_s for d in self._active if d.matches(link))
