"""Writes that a drained Region kept to itself are counted; what is not known is said."""

from __future__ import annotations

from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane


def test_writes_that_only_the_drained_region_holds_are_at_risk(plane: ControlPlane) -> None:
    plane.write("replicated", ledgers=(VIRGINIA, OREGON), replicas=(LONDON, VIRGINIA, OREGON))
    lost = plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    claim = plane.claim()
    plane.invoke("gate", claim=claim, action="drain")

    answer = plane.invoke("assess", claim=claim)

    assert (answer["count"], answer["keys"], answer["complete"]) == (1, [lost.id], True)
    assert answer["oldest_ms"] == lost.written_at


def test_what_a_third_replica_lacks_is_at_risk_though_the_acting_region_has_it(
    plane: ControlPlane,
) -> None:
    short = plane.write("oregon-lacks-it", ledgers=(VIRGINIA,), replicas=(LONDON, VIRGINIA))
    claim = plane.claim()

    answer = plane.invoke("assess", claim=claim)

    assert (answer["count"], answer["keys"], answer["complete"]) == (1, [short.id], True)


def test_the_count_reaches_back_to_where_the_replica_that_is_furthest_behind_stands(
    plane: ControlPlane,
) -> None:
    old = plane.write("an-hour-ago", ledgers=(VIRGINIA,), replicas=(LONDON, VIRGINIA))
    plane.beat(LONDON, OREGON, plane.now)  # nothing of London's came to Oregon from here on
    plane.later(3600)
    plane.beat(LONDON, VIRGINIA, plane.now)

    answer = plane.invoke("assess", claim=plane.claim())

    assert answer["keys"] == [old.id]


def test_a_replica_that_cannot_be_read_makes_the_count_incomplete(plane: ControlPlane) -> None:
    plane.write("only-in-london", ledgers=(VIRGINIA,), replicas=(LONDON,))
    claim = plane.claim()
    plane.refusing["BatchGetItem", OREGON] = "AccessDeniedException"

    answer = plane.invoke("assess", claim=claim)

    assert (answer["count"], answer["unread"], answer["complete"]) == (1, [OREGON], False)


def test_a_ledger_that_cannot_be_read_makes_the_count_incomplete(plane: ControlPlane) -> None:
    plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    claim = plane.claim()
    plane.silent.add(("dynamodb", OREGON))

    answer = plane.invoke("assess", claim=claim)

    assert (answer["count"], answer["complete"]) == (0, False)


def test_within_the_drained_region_a_surviving_replica_is_asked(plane: ControlPlane) -> None:
    plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    claim = plane.claim(here=LONDON)

    assert plane.invoke("assess", LONDON, claim=claim)["count"] == 1
