"""A repair goes back as far as any count of the incident said; where none did, as far as ledgers
do, and says so."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import SidestepError
from sidestep.core.messages import Message
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane

HOUR_S, DAY_S = 3600, 86_400
NOT_COUNTED: dict[str, Any] = {
    **{"count": None, "keys": [], "oldest_ms": None, "complete": False, "since": None},
    **{"more": False, "why": "Throttled"},
}
"""As the failover's Catch leaves it."""


def stood_still(plane: ControlPlane) -> Message:
    """A write of an hour ago, since when nothing of London's has replicated."""
    old = plane.write("an-hour-ago", ledgers=(OREGON, VIRGINIA), replicas=(LONDON,))
    for replica in (VIRGINIA, OREGON):
        plane.beat(LONDON, replica, plane.now)
    plane.later(HOUR_S)
    return old


def drain(plane: ControlPlane, **how: Any) -> dict[str, Any]:
    claim = plane.claim(**how)
    assert plane.invoke("gate", claim=claim, action="drain")["set"]
    plane.record(claim, "drained", state="DRAINED")
    return claim


def put_down(plane: ControlPlane, claim: dict[str, Any], at_risk: dict[str, Any]) -> None:
    plane.record(claim, "drained", facts={"at_risk": at_risk}, release=True)


def repair(plane: ControlPlane, claim: dict[str, Any], **more: Any) -> dict[str, Any]:
    return plane.invoke("repair", claim=claim, so_far={"more": False}, **more)


def bring_back(plane: ControlPlane) -> dict[str, Any]:
    return repair(plane, plane.claim("back", kind="recovery"))


def test_a_return_reaches_back_as_far_as_the_failover_counted(plane: ControlPlane) -> None:
    old = stood_still(plane)
    claim = drain(plane)
    counted = plane.invoke("assess", claim=claim)
    put_down(plane, claim, counted)

    answer = bring_back(plane)

    assert (counted["keys"], answer["repaired"]) == ([old.id], 1)


def test_a_count_that_was_killed_half_way_has_said_from_when_on(plane: ControlPlane) -> None:
    stood_still(plane)
    claim = drain(plane)
    plane.refusing["BatchGetItem", VIRGINIA] = "ProvisionedThroughputExceededException"
    with pytest.raises(SidestepError):
        plane.invoke("assess", claim=claim)
    plane.refusing.clear()

    answer = repair(plane, claim, since=None)

    assert (answer["repaired"], answer["lost"], answer["complete"]) == (1, 0, True)


def test_so_it_has_for_a_return_though_the_failover_notes_that_it_could_not_count(
    plane: ControlPlane,
) -> None:
    stood_still(plane)
    claim = drain(plane)
    plane.refusing["BatchGetItem", VIRGINIA] = "ProvisionedThroughputExceededException"
    with pytest.raises(SidestepError):
        plane.invoke("assess", claim=claim)
    plane.refusing.clear()
    put_down(plane, claim, NOT_COUNTED)

    answer = bring_back(plane)

    assert (answer["repaired"], answer["complete"]) == (1, True)


def test_where_no_count_said_anything_ledgers_are_gone_through_to_their_beginning(
    plane: ControlPlane,
) -> None:
    old = plane.write("days-ago", ledgers=(OREGON,), replicas=(LONDON,))
    plane.later(5 * DAY_S)
    new = plane.write("just-now", ledgers=(OREGON,), replicas=(LONDON,))
    claim = drain(plane)

    answer = repair(plane, claim, since=None)
    put_down(plane, claim, NOT_COUNTED)

    assert (answer["repaired"], answer["lost"]) == (2, 0)
    for one in (old, new):
        assert plane.get("data", f"message#{one.id}", "message", VIRGINIA) is not None
    # Nothing says how far back histories would have to be read, and they were not.
    assert not answer["complete"]
    assert not bring_back(plane)["complete"]


def test_with_one_survivor_there_is_no_history_to_have_been_left_out(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIDESTEP_REGIONS", f"{LONDON},{VIRGINIA}")
    plane.write("days-ago", ledgers=(VIRGINIA,), replicas=(LONDON,))
    plane.later(5 * DAY_S)

    answer = repair(plane, drain(plane), since=None)

    assert (answer["repaired"], answer["complete"]) == (1, True)


@pytest.mark.parametrize(("ago_s", "repaired"), [(HOUR_S, 1), (2 * HOUR_S, 0)])
def test_histories_are_read_for_an_hour_before_the_drain_where_no_count_said_anything(
    plane: ControlPlane, ago_s: int, repaired: int
) -> None:
    plane.write("in-no-ledger", ledgers=(), replicas=(LONDON, OREGON))
    plane.later(ago_s)

    answer = repair(plane, drain(plane), since=None)

    assert (answer["repaired"], answer["complete"]) == (repaired, False)


def test_the_last_minutes_come_first_and_what_is_earlier_is_left_to_the_next_invocation(
    plane: ControlPlane,
) -> None:
    """A week of a busy Region's ledger is more than an hour gets through."""
    old = plane.write("days-ago", ledgers=(OREGON,), replicas=(LONDON,))
    for n in range(101):
        plane.write(f"old {n}", ledgers=(OREGON,), replicas=(LONDON,))
        plane.later(0.001)
    plane.later(5 * DAY_S)
    new = plane.write("just-now", ledgers=(OREGON,), replicas=(LONDON,))
    claim = drain(plane)
    plane.before["PutItem"] = lambda: plane.later(61)

    first = repair(plane, claim)
    second = plane.invoke("repair", claim=claim, so_far=first)

    assert plane.get("data", f"message#{new.id}", "message", VIRGINIA) is not None
    assert (first["repaired"], first["more"], first["earlier"]) == (101, True, True)
    assert (second["repaired"], second["more"]) == (103, False)
    assert plane.get("data", f"message#{old.id}", "message", VIRGINIA) is not None


def turned_back(plane: ControlPlane) -> dict[str, Any]:
    """London's return is taken over by an operator's forced failover, which drains it anew."""
    plane.later(1200)
    for replica in (VIRGINIA, OREGON):
        plane.beat(LONDON, replica, plane.now)
    plane.claim("back", kind="recovery")
    return drain(plane, name="order", mode="forced")


def test_a_region_that_was_turned_back_is_counted_from_where_it_was_counted_first(
    plane: ControlPlane,
) -> None:
    stood_still(plane)
    claim = drain(plane)
    first = plane.invoke("assess", claim=claim)
    put_down(plane, claim, first)
    claim = turned_back(plane)

    second = plane.invoke("assess", claim=claim)
    put_down(plane, claim, second)

    assert (second["count"], second["since"]) == (1, first["since"])
    assert bring_back(plane)["repaired"] == 1


def test_a_count_of_later_does_not_write_over_from_when_on_an_earlier_one_looked(
    plane: ControlPlane,
) -> None:
    stood_still(plane)
    claim = drain(plane)
    first = plane.invoke("assess", claim=claim)
    put_down(plane, claim, first)
    claim = turned_back(plane)
    put_down(plane, claim, {**NOT_COUNTED, "since": plane.now})

    assert bring_back(plane)["repaired"] == 1


def test_counting_twice_notes_it_once_and_a_stale_holder_notes_nothing(
    plane: ControlPlane,
) -> None:
    claim = drain(plane)
    plane.invoke("assess", claim=claim)
    before = plane.incident(claim["incident"])
    plane.later(60)
    plane.invoke("assess", claim=claim)

    assert plane.incident(claim["incident"]) == before

    plane.later(3 * HOUR_S)
    plane.claim("another")
    before = plane.incident(claim["incident"])
    plane.beat(LONDON, OREGON, plane.now - DAY_S * 1000)
    with pytest.raises(SidestepError, match="stand aside"):
        plane.invoke("assess", claim=claim)
    assert plane.incident(claim["incident"]) == before
