"""The record of an incident: what was decided, done and found, step by step, fenced."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sidestep.aws.coordination import ConditionFailed, CoordinationTable
from sidestep.core.control import Claim
from sidestep.core.errors import LeaseLost

STEPS = 300
"""Steps that a record keeps: an item ends at 400 KB (DynamoDB, "Quotas"), and an incident whose
record could not be written any more could not be put down either. Chosen: over 1 KB for each."""
BEGINNING = 100
"""Of these the first so many stay, and the newest; `more_steps` says how many went between."""


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
        while True:
            try:
                self._table.update_incident(
                    claim.incident,
                    "SET #steps = list_append(if_not_exists(#steps, :none), :entry), "
                    "opened_at = if_not_exists(opened_at, :now), " + ", ".join(sets),
                    "attribute_not_exists(#token) OR "
                    "(#token <= :mine AND #last <> :this AND size(#steps) < :most)",
                    names,
                    values | {":most": STEPS},
                )
                return
            except ConditionFailed:
                found = self.read(claim.incident) or {}
                if found.get("last") == this:
                    return  # noted before the answer was lost
                if found["token"] > claim.token:
                    raise LeaseLost(
                        f"{claim.incident}: a holder with a newer token writes its record; stand "
                        "aside"
                    ) from None
                self._make_room(claim)

    def _make_room(self, claim: Claim) -> None:
        """Let one step go from the middle of a record that is full."""
        with suppress(ConditionFailed):  # there is room, or another writes it: to be seen anew
            self._table.update_incident(
                claim.incident,
                f"REMOVE #steps[{BEGINNING}] "
                "SET more_steps = if_not_exists(more_steps, :zero) + :one",
                "#token <= :mine AND size(#steps) >= :most",
                {"#steps": "steps", "#token": "token"},
                {":mine": claim.token, ":most": STEPS, ":zero": 0, ":one": 1},
            )

    def read(self, incident: str) -> Mapping[str, Any] | None:
        """A record, or None."""
        return self._table.incident(incident)
