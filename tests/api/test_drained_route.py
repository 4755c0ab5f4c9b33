"""/drained/{region}: only a positive, recent answer takes a Region out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.data_plane import HERE, DataPlane, sample, says, silent

NOW = 1_795_435_202_637
MINUTE = 60_000


def mark(drained: bool = True, confirmed_at: int = NOW) -> dict[str, Any]:
    return {
        "pk": {"S": "drained"},
        "sk": {"S": HERE},
        "drained": {"BOOL": drained},
        "token": {"N": "3"},
        "incident": {"S": "demo-eu-west-2-1"},
        "confirmed_at": {"N": str(confirmed_at)},
    }


def test_a_region_that_was_never_marked_is_not_drained(plane: DataPlane) -> None:
    assert plane.request(plane.cold_start("drained"), sample("api-drained")).status == 404


def test_a_marked_region_is_drained_and_by_which_incident_is_told(plane: DataPlane) -> None:
    plane.put("regional", mark())

    answer = plane.request(plane.cold_start("drained"), sample("api-drained"))

    assert answer.status == 200
    assert answer.body == {
        "drained": True,
        "region": HERE,
        "incident": "demo-eu-west-2-1",
        "token": 3,
        "confirmed_at": NOW,
    }


def test_a_region_that_was_restored_is_not_drained(plane: DataPlane) -> None:
    plane.put("regional", mark(drained=False))

    assert plane.request(plane.cold_start("drained"), sample("api-drained")).status == 404


@pytest.mark.parametrize(
    ("age", "status"), [(14 * MINUTE, 200), (15 * MINUTE, 200), (15 * MINUTE + 1, 404)]
)
def test_a_mark_counts_for_fifteen_minutes_after_it_was_confirmed(
    plane: DataPlane, age: int, status: int
) -> None:
    plane.put("regional", mark(confirmed_at=NOW - age))

    assert plane.request(plane.cold_start("drained"), sample("api-drained")).status == status


def test_a_mark_from_far_in_the_future_does_not_count(plane: DataPlane) -> None:
    plane.put("regional", mark(confirmed_at=NOW + 16 * MINUTE))

    assert plane.request(plane.cold_start("drained"), sample("api-drained")).status == 404


@pytest.mark.parametrize("fault", [silent, says("ThrottlingException"), says("AccessDenied")])
def test_a_warden_that_cannot_read_its_marks_says_neither_yes_nor_no(
    plane: DataPlane, fault: Any
) -> None:
    plane.put("regional", mark())
    plane.faults.strike("GetItem", fault)

    assert plane.request(plane.cold_start("drained"), sample("api-drained")).status == 503


def test_a_region_that_is_not_guarded_is_never_drained(plane: DataPlane) -> None:
    event = sample("api-drained") | {"rawPath": "/drained/ap-south-1"}
    event["requestContext"]["http"]["path"] = "/drained/ap-south-1"

    answer = plane.request(plane.cold_start("drained"), event)

    assert (answer.status, answer.body["error"]["code"]) == (404, "unknown_region")
    assert plane.faults.calls == []


def test_a_change_of_the_mark_is_seen_within_a_second(plane: DataPlane) -> None:
    drained = plane.cold_start("drained")
    before = plane.request(drained, sample("api-drained"))
    plane.put("regional", mark())
    plane.clock.shift(1)

    after = plane.request(drained, sample("api-drained"))

    assert (before.status, after.status) == (404, 200)


def test_many_checkers_in_one_second_cost_one_read(plane: DataPlane) -> None:
    drained = plane.cold_start("drained")

    for _ in range(6):
        plane.request(drained, sample("api-drained"))

    assert plane.faults.calls == ["GetItem"]
