"""The record of an incident: what was decided, done and found, step by step, fenced."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sidestep.aws.coordination import ConditionFailed, CoordinationTable
from sidestep.core.control import Claim
from sidestep.core.errors import LeaseLost, NotYet

STEPS = 300
"""Steps that a record keeps: an item ends at 400 KB (DynamoDB, "Quotas"), and an incident whose
record could not be written any more could not be put down either. Chosen: over 1 KB for each."""
BEGINNING = 100
"""Of these the first so many stay, and the newest; `more_steps` says how many went between."""
_TRIES = 4
"""One, and one after room was made; the rest for two writers that meet."""


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
        for _ in range(_TRIES):
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
                    raise _newer(claim) from None
                self._make_room(claim)
        raise NotYet(f"the record of {claim.incident} is too busy to be written")

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

    def look_back_to(self, claim: Claim, since_ms: int, now_ms: int) -> int:
        """Note from when on (epoch ms) an incident's writes are looked for, as `look_from`: the
        earliest that any of its counts said, which no later one writes over. Returns what is kept.

        Apart from what the count answers, so that one that is killed half-way has said it, and
        however often it is said. Raises LeaseLost.
        """
        try:
            self._table.update_incident(
                claim.incident,
                "SET look_from = :since",
                "#token <= :mine AND (attribute_not_exists(look_from) OR look_from > :since)",
                {"#token": "token"},
                {":since": since_ms, ":mine": claim.token},
            )
        except ConditionFailed:
            told = self.read(claim.incident)
            if told is None:
                words = "counted before anything else was noted"
                self.note(claim, "counting", words, now_ms, {"look_from": since_ms})
                return since_ms
            if int(told["token"]) > claim.token:
                raise _newer(claim) from None
            return int(told["look_from"])
        return since_ms

    def read(self, incident: str) -> Mapping[str, Any] | None:
        """A record, or None."""
        return self._table.incident(incident)


def _newer(claim: Claim) -> LeaseLost:
    return LeaseLost(
        f"{claim.incident}: a holder with a newer token writes its record; stand aside"
    )
