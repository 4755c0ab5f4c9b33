"""What becomes known of an incident after it was put down: noted without a lease, and never over
whoever has claimed the incident since."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import InvalidInput, LeaseLost
from tests.control.control_plane import LONDON, ControlPlane

SEEN = {"traffic_moved": False, "requests": 7}


def note_evidence(plane: ControlPlane, claim: dict[str, Any]) -> dict[str, Any]:
    return plane.record(claim, "not verified", facts={"traffic": SEEN}, evidence=True)


def steps(plane: ControlPlane, claim: dict[str, Any]) -> list[tuple[str, int]]:
    told = plane.incident(claim["incident"])["steps"]
    return [(step["step"], int(step["token"])) for step in told]


def test_evidence_is_noted_of_an_incident_that_nobody_holds_and_changes_nothing_else(
    plane: ControlPlane,
) -> None:
    claim = plane.drained()
    before = plane.everything()
    plane.later(300)

    assert "requests 7" in note_evidence(plane, claim)["words"]

    record = plane.incident(claim["incident"])
    assert (record["traffic"]["requests"], record["status"]) == (7, "drained")
    assert steps(plane, claim)[-1] == ("not verified", claim["token"])
    assert plane.everything() == before


def test_evidence_is_refused_once_another_has_claimed_the_incident(plane: ControlPlane) -> None:
    claim = plane.drained()
    plane.claim("back", kind="recovery")

    with pytest.raises(LeaseLost, match="stand aside"):
        note_evidence(plane, claim)

    assert "traffic" not in plane.incident(claim["incident"])


def test_evidence_is_refused_of_an_incident_that_came_to_its_end(plane: ControlPlane) -> None:
    claim = plane.drained()
    plane.record(plane.claim("back", kind="recovery"), "stays drained", release=True)

    with pytest.raises(LeaseLost):
        note_evidence(plane, claim)


def test_evidence_is_refused_while_its_own_execution_still_holds_the_incident(
    plane: ControlPlane,
) -> None:
    with pytest.raises(LeaseLost):
        note_evidence(plane, plane.claim())


def test_a_claim_that_comes_while_evidence_is_noted_keeps_its_own_record(
    plane: ControlPlane,
) -> None:
    """Between the look at the control item and the write: the record's own condition is left."""
    claim = plane.drained()
    newer: list[dict[str, Any]] = []

    def taken_on() -> None:
        newer.append(plane.claim("back", kind="recovery"))
        plane.record(newer[0], "repaired")

    plane.before["UpdateItem"] = taken_on

    with pytest.raises(LeaseLost, match="newer token"):
        note_evidence(plane, claim)

    back = newer[0]["token"]
    told = [("drained", claim["token"]), ("claimed", back), ("repaired", back)]
    assert steps(plane, claim)[-3:] == told


def test_clients_are_watched_leaving_without_a_lease_until_another_claims(
    plane: ControlPlane,
) -> None:
    plane.register()
    claim = plane.drained()
    plane.later(3600)

    assert plane.invoke("traffic", claim=claim, expect="gone")["requests"] is None
    assert not plane.control().of(LONDON).holder

    plane.claim("back", kind="recovery")
    plane.calls.clear()
    after = plane.invoke("traffic", claim=claim, expect="gone")
    assert (after["claimed"], after["done"], after["traffic_moved"]) == (True, False, None)
    assert "GetMetricData" not in {operation for operation, _ in plane.calls}


def test_where_clients_are_sent_is_asked_of_dns_alone_and_under_the_lease(
    plane: ControlPlane,
) -> None:
    plane.register()
    claim = plane.claim()
    plane.calls.clear()

    answer = plane.invoke("traffic", claim=claim, expect="elsewhere", moved_at=None)

    assert (answer["done"], answer["dns_moved"], answer["moved_at"]) == (False, None, None)
    assert "GetMetricData" not in {operation for operation, _ in plane.calls}
    assert plane.control().of(LONDON).lease_until_ms == plane.now + 90_000


def test_an_expectation_that_there_is_not_is_refused(plane: ControlPlane) -> None:
    with pytest.raises(InvalidInput, match="elsewhere, gone or back"):
        plane.invoke("traffic", claim=plane.claim(), expect="away")
