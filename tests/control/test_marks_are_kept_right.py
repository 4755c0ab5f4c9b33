"""Marks are kept in line with the control item by the warden's own observer, and by that of the
Region that is back; neither undoes a drain."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.control._marks import CONFIRM_AFTER_MS
from tests.control.control_plane import LONDON, OREGON, REGIONS, VIRGINIA, ControlPlane, probe


def observe(plane: ControlPlane, here: str = OREGON) -> None:
    """One round of a Region's observer."""
    plane.invoke("vote", here, trigger={}, probes=[probe(region) for region in REGIONS])


def test_a_warden_that_was_away_when_its_mark_was_cleared_clears_it(plane: ControlPlane) -> None:
    plane.drained()
    back = plane.claim("back", kind="recovery")
    plane.silent.add(("dynamodb", OREGON))
    plane.invoke("gate", claim=back, action="restore")
    plane.record(back, "probation", state="PROBATION")
    plane.silent.clear()
    assert plane.marked() == {OREGON}

    observe(plane)

    assert plane.marked() == set()


def come_back_unheard(plane: ControlPlane, *silent: str) -> dict[str, Any]:
    """London is back, and these wardens have not heard of it; the claim of the return."""
    plane.drained()
    back = plane.claim("back", kind="recovery")
    plane.silent.update(("dynamodb", warden) for warden in silent)
    plane.invoke("gate", claim=back, action="restore")
    plane.record(back, "probation", state="PROBATION")
    return back


@pytest.mark.parametrize("closed", [True, False])
def test_a_region_that_is_back_clears_its_mark_where_a_warden_that_was_away_answers_again(
    plane: ControlPlane, closed: bool
) -> None:
    """The warden's own observer may be the last to work there again."""
    back = come_back_unheard(plane, OREGON)
    plane.silent.clear()
    if closed:
        plane.record(back, "closed", state="SERVING", release=True)

    observe(plane, LONDON)
    observe(plane, LONDON)

    assert plane.marked() == set()


def test_it_asks_one_warden_a_round_for_as_long_as_that_is_silent(plane: ControlPlane) -> None:
    come_back_unheard(plane, VIRGINIA, OREGON)
    observer = plane.cold_start("vote", LONDON)
    event = {"trigger": {}, "probes": [probe(region) for region in REGIONS]}

    def asked() -> list[str]:
        plane.calls.clear()
        assert {d["region"] for d in observer(event)["decisions"]} == set(REGIONS)
        return [where for operation, where in plane.calls if operation == "GetItem"]

    assert [asked(), asked()] in ([[OREGON], [VIRGINIA]], [[VIRGINIA], [OREGON]])
    plane.silent.clear()
    asked(), asked()
    assert plane.marked() == set()
    assert asked() == []


def test_a_region_that_is_out_or_on_its_way_touches_no_mark_elsewhere(plane: ControlPlane) -> None:
    plane.drained()
    observer = plane.cold_start("vote", LONDON)
    plane.calls.clear()

    observer({"trigger": {}, "probes": [probe(region) for region in REGIONS]})

    assert not [operation for operation, _ in plane.calls if operation == "GetItem"]
    assert plane.marked() == {VIRGINIA, OREGON}


def test_a_warden_that_was_away_when_its_mark_was_set_sets_it(plane: ControlPlane) -> None:
    plane.silent.add(("dynamodb", OREGON))
    plane.drained()
    plane.silent.clear()
    assert plane.marked() == {VIRGINIA}

    observe(plane)

    assert plane.marked() == {VIRGINIA, OREGON}


def test_a_standing_mark_is_confirmed_before_it_goes_stale(plane: ControlPlane) -> None:
    plane.drained()
    plane.later(CONFIRM_AFTER_MS / 1000 + 1)

    observe(plane)

    mark = plane.mark(OREGON)
    assert mark is not None
    assert (mark.drained, mark.confirmed_at) == (True, plane.now)


def test_a_drain_that_begins_between_reading_and_writing_is_not_undone(
    plane: ControlPlane,
) -> None:
    plane.drained()
    back = plane.claim("back", kind="recovery")
    plane.silent.add(("dynamodb", OREGON))
    plane.invoke("gate", claim=back, action="restore")
    plane.record(back, "probation", state="PROBATION")
    plane.silent.clear()
    # Oregon's mark is to be cleared; just before it is, the same holder backs out.
    plane.before["UpdateItem"] = lambda: plane.invoke("gate", claim=back, action="drain")

    observe(plane)

    assert plane.marked() == {VIRGINIA, OREGON}


def test_a_drain_that_begins_before_the_mark_is_read_is_not_undone(plane: ControlPlane) -> None:
    plane.drained(name="earlier")
    back = plane.claim("back", kind="recovery")
    plane.invoke("gate", claim=back, action="restore")
    plane.record(back, "probation", state="PROBATION")
    # The observer has read the control item (Query); the drain comes before it reads the mark.
    plane.before["DescribeAlarms"] = lambda: plane.invoke("gate", claim=back, action="drain")

    observe(plane)

    assert plane.marked() == {VIRGINIA, OREGON}


def test_a_region_without_any_mark_to_keep_does_not_stop_deciding(plane: ControlPlane) -> None:
    plane.drained()
    answer = plane.cold_start("vote", OREGON)
    plane.before["DescribeAlarms"] = lambda: plane.silent.add(("dynamodb", OREGON))

    decisions = answer({"trigger": {}, "probes": [probe(r) for r in REGIONS]})["decisions"]

    assert {d["region"] for d in decisions} == {LONDON, VIRGINIA, OREGON}
