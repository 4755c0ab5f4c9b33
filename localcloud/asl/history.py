"""An execution's history, in the shape GetExecutionHistory answers with.

Event types and detail members: botocore's stepfunctions model (2016-11-23), HistoryEvent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.asl.expressions import to_json

MAX_STANDARD_EVENTS = 25_000
"""A Standard execution fails when its history is full (service-quotas.html)."""

Event = dict[str, Any]


def details_member(kind: str) -> str:
    """The member that holds an event type's details: `taskFailedEventDetails`."""
    for ending in ("StateEntered", "StateExited"):
        if kind.endswith(ending):
            return f"{ending[0].lower()}{ending[1:]}EventDetails"
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def payload(name: str, value: Any) -> dict[str, Any]:
    """A JSON value as history shows it: the text, and that it is whole."""
    return {name: to_json(value), f"{name}Details": {"truncated": False}}


class History:
    """Events in order; ids count from 1. `now` gives epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.events: list[Event] = []
        self._now = now

    def add(self, kind: str, previous: int, details: Mapping[str, Any] | None = None) -> int:
        """Append an event that follows the event `previous` (0: none); its id.

        Details that are None are left out, as Step Functions leaves them.
        """
        event: Event = {
            "timestamp": datetime.fromtimestamp(self._now(), UTC),
            "type": kind,
            "id": len(self.events) + 1,
            "previousEventId": previous,
        }
        if details is not None:
            event[details_member(kind)] = {k: v for k, v in details.items() if v is not None}
        self.events.append(event)
        return len(self.events)

    def states(self) -> list[str]:
        """The names of the states entered, in order."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.events
            if "stateEnteredEventDetails" in event
        ]
