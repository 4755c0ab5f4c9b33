"""The record of an incident: what was decided, done and found, step by step, fenced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidestep.aws.coordination import ConditionFailed, CoordinationTable
from sidestep.core.control import Claim
from sidestep.core.errors import LeaseLost


class IncidentRecord:
    """Appends to incidents' records."""

    def __init__(self, table: CoordinationTable) -> None:
        self._table = table

    def note(
        self,
        claim: Claim,
        step: str,
        outcome: str,
        now_ms: int,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Append a step, and set `facts` (attributes of the record). Raises LeaseLost.

        A step that runs twice is noted twice, each with its time: the record says what
        happened. A write whose answer was lost and that is made again is noted once.
        """
        this = f"{claim.token}#{now_ms}#{step}"
        told = {
            "last": this,
            "region": claim.region,
            "kind": claim.kind,
            "mode": claim.mode,
            "token": claim.token,
            **(facts or {}),
        }
        names = {f"#f{n}": name for n, name in enumerate(told)}
        sets = [f"#f{n} = :f{n}" for n in range(len(told))]
        values: dict[str, Any] = {f":f{n}": value for n, value in enumerate(told.values())}
        entry = {
            "at": now_ms,
            "step": step,
            "outcome": outcome,
            "holder": claim.holder,
            "token": claim.token,
        }
        values |= {":entry": [entry], ":none": [], ":now": now_ms}
        values |= {":mine": claim.token, ":this": this}
        names |= {"#steps": "steps", "#token": "token", "#last": "last"}
        try:
            self._table.update_incident(
                claim.incident,
                "SET #steps = list_append(if_not_exists(#steps, :none), :entry), "
                "opened_at = if_not_exists(opened_at, :now), " + ", ".join(sets),
                "attribute_not_exists(#token) OR (#token <= :mine AND #last <> :this)",
                names,
                values,
            )
        except ConditionFailed:
            if (self.read(claim.incident) or {}).get("last") == this:
                return  # noted before the answer was lost
            raise LeaseLost(
                f"{claim.incident}: a holder with a newer token writes its record; stand aside"
            ) from None

    def read(self, incident: str) -> Mapping[str, Any] | None:
        """A record, or None."""
        return self._table.incident(incident)
