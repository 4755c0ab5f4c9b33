"""Reads the guarded Regions' replicas of the data table; one that cannot be read is said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import TypeVar

from sidestep.aws.write_ledger import Replica
from sidestep.control._stretches import say_unread
from sidestep.core.errors import SidestepError
from sidestep.core.messages import Message

Answer = TypeVar("Answer")


class Replicas:
    """The replicas as one invocation reads them. One that could not be reached is not asked again:
    it may take seconds each time. The one at `home` has to answer: what it raises is raised."""

    def __init__(self, replicas: Mapping[str, Replica], home: str) -> None:
        self._replicas, self._home = replicas, home
        self.away: dict[str, str] = {}
        """The Regions whose replica could not be reached, with why."""

    def held(self, regions: Iterable[str], ids: Collection[str]) -> dict[str, dict[str, Message]]:
        """What each Region's replica holds of these ids, of those that can be read."""
        found: dict[str, dict[str, Message]] = {}
        for region in regions:
            held = self.ask(region, partial(self._replicas[region].held, ids))
            if held is not None:
                found[region] = held
        return found

    def put_back(self, region: str, message: Message, now_ms: int) -> bool | None:
        """Put a write back into a Region's replica, unless it holds one under its id; whether it
        was put. None: the replica cannot be reached."""
        return self.ask(region, partial(self._replicas[region].put_back, message, now_ms))

    def ask(self, region: str, call: Callable[[], Answer]) -> Answer | None:
        """The answer of a Region's replica; None: it cannot be reached."""
        if region in self.away:
            return None
        try:
            return call()
        except SidestepError as error:
            if region == self._home:
                raise
            say_unread("replica", {region: str(error)})
            self.away[region] = str(error)
            return None
