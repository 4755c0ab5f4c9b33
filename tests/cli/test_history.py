"""`sidestep history`: incidents newest first, read from their records one by one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import pytest

from sidestep.core.control import ControlState
from sidestepctl.history import Incident, in_words, incident_of, incidents, one_in_words
from sidestepctl.moments import length
from tests.core.views import LONDON, NOW, VIRGINIA, with_region

MINUTE = 60_000


def record(opened_ms: int, **more: Any) -> dict[str, Any]:
    """An incident's record, as far as every one has it."""
    return {"opened_at": opened_ms, "region": LONDON, "kind": "failover", "mode": "automatic"} | {
        "steps": [{"at": opened_ms, "step": "drained", "outcome": "switches set"}],
        **more,
    }


def listed(
    control: ControlState, records: Mapping[str, Mapping[str, Any]], limit: int = 100
) -> tuple[list[Incident], list[str]]:
    """The incidents, and which records were read for them."""
    read: list[str] = []

    def record_of(name: str) -> Mapping[str, Any] | None:
        read.append(name)
        return records.get(name)

    return list(islice(incidents("demo", control, record_of, NOW), limit)), read


LONDONS, VIRGINIAS = f"demo-{LONDON}-", f"demo-{VIRGINIA}-"
THREE_AND_TWO = with_region(VIRGINIA, with_region(LONDON, epoch=3), epoch=2)
RECORDS = {
    f"{LONDONS}1": record(NOW - 50 * MINUTE),
    f"{LONDONS}2": record(NOW - 30 * MINUTE),
    f"{LONDONS}3": record(NOW - 10 * MINUTE),
    f"{VIRGINIAS}1": record(NOW - 40 * MINUTE),
    f"{VIRGINIAS}2": record(NOW - 20 * MINUTE),
}


def test_incidents_of_all_regions_are_told_newest_first() -> None:
    told, _ = listed(THREE_AND_TWO, RECORDS)

    assert [one.incident for one in told] == [
        *(f"{LONDONS}3", f"{VIRGINIAS}2", f"{LONDONS}2", f"{VIRGINIAS}1", f"{LONDONS}1")
    ]


def test_no_more_records_are_read_than_are_asked_for_and_one_a_region() -> None:
    many = with_region(LONDON, with_region(VIRGINIA, epoch=500), epoch=500)

    told, read = listed(many, {}, limit=3)

    assert len(told) == 3
    assert len(read) <= 3 + 2


def test_an_incident_that_was_left_before_anything_was_noted_is_in_its_place() -> None:
    told, _ = listed(THREE_AND_TWO, {k: v for k, v in RECORDS.items() if k != f"{LONDONS}2"})

    assert [one.incident for one in told if one.region == LONDON] == [
        *(f"{LONDONS}3", f"{LONDONS}2", f"{LONDONS}1")
    ]
    (bare,) = [one for one in told if one.opened_ms is None]
    assert bare == Incident(f"{LONDONS}2", LONDON)
    assert in_words([bare]).splitlines()[1].split() == [
        *(f"{LONDONS}2", LONDON, "-", "-", "-", "-", "open", "-", "-", "-", "-")
    ]


def test_what_a_record_says_is_told_with_its_times_and_writes() -> None:
    closed = record(
        NOW - 6 * MINUTE,
        closed_at=NOW - MINUTE,
        diagnosis="region_down",
        status="closed",
        at_risk={"count": 5, "complete": True},
        put_back={"repaired": 3, "lost": 2},
        repaired=2,
        lost=0,
        steps=[{"step": "drained"}, {"step": "repaired"}, {"step": "closed"}],
    )

    one = incident_of(f"{LONDONS}1", LONDON, closed, NOW)

    assert (one.diagnosis, one.status, one.lasted_s) == ("region_down", "closed", 300.0)
    assert (one.at_risk, one.put_back, one.lost) == (5, 5, 0)
    cells = in_words([one]).splitlines()[1].split("  ")
    assert [cell.strip() for cell in cells if cell.strip()] == [
        *(f"{LONDONS}1", LONDON, "automatic", "region_down", "closed"),
        *("2027-01-15 07:54:00 UTC", "2027-01-15 07:59:00 UTC", "5 min", "5", "5", "0"),
    ]


def test_one_that_is_open_lasts_until_now_and_one_not_counted_says_nothing_of_writes() -> None:
    one = incident_of(f"{LONDONS}1", LONDON, record(NOW - MINUTE), NOW)

    assert (one.closed_ms, one.lasted_s) == (None, 60.0)
    assert (one.at_risk, one.put_back, one.lost) == (None, None, None)


def test_writes_that_could_not_all_be_counted_are_at_least_so_many() -> None:
    half = record(NOW, at_risk={"count": 5, "complete": False})

    assert "5 or more" in in_words([incident_of(f"{LONDONS}1", LONDON, half, NOW)])


@pytest.mark.parametrize(
    ("steps", "lost"),
    [
        (["drained"], 4),
        (["drained", "repaired"], 2),
        (["drained", "repaired", "probation", "backed out"], 1),
        # The next try looks again, and knows better.
        (["drained", "repaired", "backed out", "repaired", "closed"], 2),
    ],
)
def test_what_is_lost_is_what_whoever_looked_last_found_missing(
    steps: list[str], lost: int
) -> None:
    told = record(NOW, put_back={"repaired": 0, "lost": 4}, lost=2)
    told |= {"put_back_again": {"repaired": 0, "lost": 1}}
    told |= {"steps": [{"step": step} for step in steps]}

    assert incident_of(f"{LONDONS}1", LONDON, told, NOW).lost == lost


def test_one_incident_tells_what_was_seen_at_its_drain_and_at_its_return() -> None:
    both = record(
        NOW - MINUTE,
        replication={"caught_up": None, "lag_ms": None, "why": "no heartbeat since"},
        traffic={"dns_moved": True, "traffic_moved": None, "requests": None},
        replication_back={"caught_up": True, "lag_ms": 40, "why": ""},
        traffic_back={"dns_moved": True, "traffic_moved": True, "requests": 12},
    )

    told = one_in_words(f"{LONDONS}1", both, NOW)

    assert told.splitlines()[-2:] == [
        "at the drain: replication caught up: not known (no heartbeat since), DNS moved: yes, "
        "traffic moved: not known, requests: not known",
        "at the return: replication caught up: yes, DNS moved: yes, traffic moved: yes, "
        "requests: 12",
    ]


def test_nothing_is_told_of_a_return_that_has_not_been() -> None:
    drained = record(NOW, traffic={"dns_moved": True, "traffic_moved": None, "requests": None})

    assert "at the return" not in one_in_words(f"{LONDONS}1", drained, NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (337, "5 min 37 s"),
        (7_380, "2 h 3 min"),
        (86_400, "1 d"),
        (100_000, "1 d 3 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert length(seconds) == words
