"""What operators order, in the control item beside the Regions' states: pauses, acknowledgements.

Each order changes attributes of its own and nothing that a workflow writes, so it needs no lease.
It may be there before the first incident is claimed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sidestep.aws.coordination import ConditionFailed, CoordinationTable
from sidestep.aws.incident_lease import CONTROL, control_of
from sidestep.core.control import Acknowledgement, ControlState, Pause
from sidestep.core.errors import Refused


class Orders:
    """The orders of one application. Raises CoordinationUnavailable."""

    def __init__(self, table: CoordinationTable) -> None:
        self._table = table

    def read(self) -> ControlState:
        """The control item, strongly consistent."""
        return control_of(self._table.get(CONTROL) or {})

    def pause(self, pause: Pause, now_ms: int, region: str | None = None) -> None:
        """Hold automation for a Region, or for all. The same owner may change a pause.

        Raises Refused while somebody else's pause is in force there.
        """
        place, names = _place(region)
        if region is not None:
            self._begin("paused_regions")
        mine = f"{place}.#owner = :owner OR {place}.until_ms <= :now"
        values = {":pause": asdict(pause), ":owner": pause.owner, ":now": now_ms}
        try:
            self._table.update(
                CONTROL,
                f"SET {place} = :pause",
                f"attribute_not_exists({place}) OR {mine}",
                names | {"#owner": "owner"},
                values,
            )
        except ConditionFailed:
            raise self._refused(region) from None

    def resume(self, region: str | None = None) -> bool:
        """Take back the pause of a Region, or of all; whether there was one."""
        place, names = _place(region)
        try:
            self._table.update(CONTROL, f"REMOVE {place}", f"attribute_exists({place})", names, {})
        except ConditionFailed:
            return False
        return True

    def acknowledge(self, region: str, owner: str, now_ms: int) -> Acknowledgement:
        """Say that a Region's last incident has been seen: what had happened by now is no reason
        to wait or to call anybody any more.

        Raises Refused while there is nothing to acknowledge, or not yet.
        """
        state = self.read().of(region)
        if not state.incident:
            raise Refused(f"nothing has happened to {region}: there is nothing to acknowledge")
        if state.holder:
            raise Refused(
                f"{state.incident} is in the hands of {state.holder}: "
                "acknowledge it when it is put down"
            )
        given = Acknowledgement(state.incident, state.token, owner, now_ms)
        self._begin("acknowledged")
        try:
            self._table.update(
                CONTROL,
                "SET acknowledged.#region = :given",
                "regions.#region.#token = :token AND regions.#region.holder = :nobody",
                {"#region": region, "#token": "token"},
                {":given": asdict(given), ":token": state.token, ":nobody": ""},
            )
        except ConditionFailed:
            raise Refused(f"{state.incident} is not {region}'s last any more: look again") from None
        return given

    def _begin(self, attribute: str) -> None:
        """Make an empty map where there is none: only then can a Region be set in it."""
        try:
            self._table.update(
                CONTROL,
                f"SET {attribute} = :none",
                f"attribute_not_exists({attribute})",
                {},
                {":none": {}},
            )
        except ConditionFailed:
            return

    def _refused(self, region: str | None) -> Refused:
        control = self.read()
        there = control.paused if region is None else control.paused_regions.get(region)
        whose = f"{there.owner}: {there.reason}" if there else "somebody else"
        return Refused(f"{region or 'everything'} is paused by {whose}; resume it first")


def _place(region: str | None) -> tuple[str, dict[str, Any]]:
    """Where a pause stands in the item, and the names that say so."""
    return ("paused", {}) if region is None else ("paused_regions.#region", {"#region": region})
