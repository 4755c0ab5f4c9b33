"""`sidestep history`: the incidents of a deployed application, and each one's steps.

A Region's incidents are numbered (`<application>-<region>-<epoch>`), and the control item knows the
newest number: records are read one by one from there, as many as are asked for. So it takes no
query of all history, nor any right that `status` does not need.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from heapq import merge
from itertools import islice
from typing import Any

import click

from sidestep.core.control import ControlState, incident_id
from sidestep.core.errors import InvalidInput
from sidestep.core.incidents import seen, timeline
from sidestepctl.moments import length, moment
from sidestepctl.where import NOTHING_TOLD, Where, answered, located, look

RecordOf = Callable[[str], Mapping[str, Any] | None]
"""Reads an incident's record; None where there is none."""


@dataclass(frozen=True)
class Incident:
    """An incident as its record tells it; None is what the record does not say (yet).

    `status`: the step with which it was last put down, or set switches. Writes are counted as in
    docs/architecture.md, "Words": `at_risk` at the drain, `put_back` by the failover, by the return
    and by one that was backed out (what each said last), `lost` what was still missing by the
    newest count. `all_counted` is false where a replica or ledger could not be read.
    """

    incident: str
    region: str
    kind: str | None = None
    mode: str | None = None
    diagnosis: str | None = None
    status: str | None = None
    opened_ms: int | None = None
    closed_ms: int | None = None
    lasted_s: float | None = None
    """Until now where it is not closed."""
    at_risk: int | None = None
    all_counted: bool | None = None
    put_back: int | None = None
    lost: int | None = None


def incident_of(
    incident: str, region: str, record: Mapping[str, Any] | None, now_ms: int
) -> Incident:
    """What a record comes to. One that was claimed and left before anything was noted has none."""
    if record is None:
        return Incident(incident, region)
    opened, closed = int(record["opened_at"]), record.get("closed_at")
    at_risk = record.get("at_risk") or {}
    return Incident(
        incident=incident,
        region=region,
        kind=record.get("kind"),
        mode=record.get("mode"),
        diagnosis=record.get("diagnosis"),
        status=record.get("status"),
        opened_ms=opened,
        closed_ms=closed,
        lasted_s=((closed or now_ms) - opened) / 1000,
        at_risk=at_risk.get("count"),
        all_counted=at_risk.get("complete"),
        put_back=_put_back(record),
        lost=_lost(record),
    )


def incidents(
    application: str, control: ControlState, record_of: RecordOf, now_ms: int
) -> Iterator[Incident]:
    """All incidents, newest first; each record is read when it is come to."""

    def of_one(region: str) -> Iterator[tuple[int, Incident]]:
        newer_ms = now_ms
        for epoch in range(control.of(region).epoch, 0, -1):
            name = incident_id(application, region, epoch)
            found = incident_of(name, region, record_of(name), now_ms)
            # One without a record was before the next of its Region: that is all that is known.
            newer_ms = newer_ms if found.opened_ms is None else found.opened_ms
            yield newer_ms, found

    regions = (of_one(region) for region in sorted(control.regions))
    for _, found in merge(*regions, key=lambda one: one[0], reverse=True):
        yield found


def _put_back(record: Mapping[str, Any]) -> int | None:
    said = [(record.get(name) or {}).get("repaired") for name in ("put_back", "put_back_again")]
    counts = [int(one) for one in (*said, record.get("repaired")) if one is not None]
    return sum(counts) if counts else None


def _lost(record: Mapping[str, Any]) -> int | None:
    """What the newest of those who looked said: which of them that was, the steps tell."""
    said = {
        "repaired": record.get("lost"),
        "backed out": (record.get("put_back_again") or {}).get("lost"),
        "drained": (record.get("put_back") or {}).get("lost"),
    }
    looked = (said.get(one["step"]) for one in reversed(record.get("steps", ())))
    return next((int(lost) for lost in looked if lost is not None), None)


# -- the command -----------------------------------------------------------------------------------


@click.command("history")
@click.argument("incident", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many incidents at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@located
def history_command(where: Where, incident: str | None, limit: int, as_json: bool) -> str:
    """Tell the incidents, newest first; or the steps of INCIDENT, one a line.

    Reads the coordination table and changes nothing.
    """
    found = look(where, NOTHING_TOLD)
    record_of = found.table.incident
    with answered(where, NOTHING_TOLD):
        if incident is not None:
            record = record_of(incident)
            if record is None:
                raise InvalidInput(
                    f"no incident {incident} of the application {where.application} is recorded: "
                    "sidestep history lists them"
                )
            if as_json:
                return json.dumps(record, indent=2)
            return one_in_words(incident, record, found.now_ms)
        told = incidents(where.application, found.known.control, record_of, found.now_ms)
        listed = list(islice(told, limit))
    if as_json:
        return json.dumps([asdict(one) for one in listed], indent=2)
    if not listed:
        return f"nothing has happened to the application {where.application}"
    return in_words(listed)


def in_words(listed: list[Incident]) -> str:
    """A line an incident, under a line that names the columns."""
    rows = [_COLUMNS, *(_row(one) for one in listed)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


_COLUMNS = (
    *("incident", "region", "mode", "diagnosis", "status", "opened", "closed", "lasted"),
    *("at risk", "put back", "lost"),
)


def _row(one: Incident) -> tuple[str, ...]:
    at_risk = _told(one.at_risk) + (" or more" if one.at_risk and one.all_counted is False else "")
    lasted = length(one.lasted_s) if one.lasted_s is not None else "-"
    return (
        *(one.incident, one.region, _told(one.mode), _told(one.diagnosis), _told(one.status)),
        moment(one.opened_ms) if one.opened_ms is not None else "-",
        moment(one.closed_ms) if one.closed_ms is not None else "open",
        lasted,
        *(at_risk, _told(one.put_back), _told(one.lost)),
    )


def _told(value: object) -> str:
    return "-" if value is None else str(value)


def one_in_words(incident: str, record: Mapping[str, Any], now_ms: int) -> str:
    """An incident, its steps, one a line, and what was seen at the drain and at the return."""
    told = incident_of(incident, str(record["region"]), record, now_ms)
    steps = [{**step, "at": moment(step["at"])} for step in record.get("steps", ())]
    gone = record.get("more_steps")
    between = f"\n({gone} steps of the middle were let go: a record keeps no more)" if gone else ""
    found = seen(record)
    evidence = "\n".join(["\n", *found]) if found else ""
    return f"{in_words([told])}\n\n{timeline(steps)}{between}{evidence}"
