"""Ballots, registry and what people were told of, in the coordination table; and all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sidestep.aws.coordination import ConditionFailed, CoordinationTable
from sidestep.aws.incident_lease import CONTROL, control_of
from sidestep.core.control import ControlState
from sidestep.core.findings import View
from sidestep.core.handover import Told
from sidestep.core.votes import Ballot

_VOTE, _REGION, _TOLD = "vote#", "region#", "told#"


@dataclass(frozen=True)
class Registered:
    """What a Region's observer tells of its own Region, so that nobody looks it up in need."""

    region: str
    check_id: str
    api_id: str
    client_subnet: str
    at: int


@dataclass(frozen=True)
class Everything:
    """An application as the coordination table holds it."""

    control: ControlState
    ballots: Mapping[str, Ballot]
    registry: Mapping[str, Registered]
    told: Mapping[str, Told] = field(default_factory=dict)
    """Of which Regions' half-done incidents people were told."""

    def view(self, application: str, regions: tuple[str, ...]) -> View:
        """What the decision takes."""
        ballots, registered = tuple(self.ballots.values()), frozenset(self.registry)
        return View(application, regions, ballots, self.control, registered)


class Ballots:
    """Reads and writes what observers say. Raises CoordinationUnavailable."""

    def __init__(self, table: CoordinationTable, regions: tuple[str, ...]) -> None:
        self._table, self._regions = table, regions

    def everything(self) -> Everything:
        """Control, ballots and registry in one strongly consistent query."""
        return self._read(self._table.everything())

    def view_item_by_item(self, application: str) -> View:
        """Control and ballots by single reads, for those who may not query. Not one moment's."""
        names = [CONTROL, *(f"{_VOTE}{region}" for region in self._regions)]
        found = {sk: item for sk in names if (item := self._table.get(sk)) is not None}
        known = self._read(found).view(application, self._regions)
        return replace(known, registered=None)

    def _read(self, items: Mapping[str, Mapping[str, Any]]) -> Everything:
        return Everything(
            control=control_of(items.get(CONTROL, {}), self._regions),
            ballots={
                sk.removeprefix(_VOTE): Ballot.from_dict(item)
                for sk, item in items.items()
                if sk.startswith(_VOTE)
            },
            registry={
                sk.removeprefix(_REGION): _registered(item)
                for sk, item in items.items()
                if sk.startswith(_REGION)
            },
            told={
                sk.removeprefix(_TOLD): _told(item)
                for sk, item in items.items()
                if sk.startswith(_TOLD)
            },
        )

    def cast(self, ballot: Ballot) -> None:
        """Put an observer's newest ballot in place of its last."""
        self._table.put(f"{_VOTE}{ballot.observer}", ballot.to_dict())

    def register(self, entry: Registered) -> None:
        """Put a Region's entry of the registry."""
        self._table.put(f"{_REGION}{entry.region}", asdict(entry))

    def note_told(self, region: str, told: Told, was: Told | None) -> bool:
        """Note that people are told of a Region's incident, over what was read of it; False where
        another observer has noted it meanwhile."""
        try:
            self._table.put_over(f"{_TOLD}{region}", asdict(was) if was else None, asdict(told))
        except ConditionFailed:
            return False
        return True

    def registered(self, region: str) -> Registered | None:
        """A Region's entry of the registry."""
        item = self._table.get(f"{_REGION}{region}")
        return _registered(item) if item else None


def _registered(item: Mapping[str, Any]) -> Registered:
    return Registered(**{name: item[name] for name in Registered.__dataclass_fields__})


def _told(item: Mapping[str, Any]) -> Told:
    return Told(**{name: item[name] for name in Told.__dataclass_fields__})
