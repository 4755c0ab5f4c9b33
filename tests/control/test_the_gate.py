"""The gate: the control item first, then the wardens; either warden drains, both restore."""

from __future__ import annotations

import pytest

from sidestep.core.errors import LastServingRegion, LeaseLost, Refused
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane


def test_draining_marks_both_wardens_and_counts_one_region_less(plane: ControlPlane) -> None:
    claim = plane.claim()

    answer = plane.invoke("gate", claim=claim, action="drain")

    assert answer == {"set": True, "marks": {VIRGINIA: True, OREGON: True}, "why": {}}
    assert plane.marked() == {VIRGINIA, OREGON}
    assert (plane.state(), plane.control().serving) == ("DRAINING", 2)


def test_draining_twice_counts_once(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.invoke("gate", claim=claim, action="drain")

    assert plane.invoke("gate", claim=claim, action="drain")["set"]

    assert plane.control().serving == 2


def test_a_drain_whose_answer_got_lost_counts_once(plane: ControlPlane) -> None:
    claim = plane.claim()
    drain = plane.cold_start("gate")
    plane.before["GetItem"] = lambda: plane.lost.add(("UpdateItem", "eu-west-1"))

    assert drain({"claim": claim, "action": "drain"})["set"]

    assert (plane.state(), plane.control().serving) == ("DRAINING", 2)


def test_the_last_serving_region_is_never_drained(plane: ControlPlane) -> None:
    plane.drained(VIRGINIA)
    plane.drained(OREGON)
    claim = plane.claim()

    with pytest.raises(LastServingRegion, match="bring another back first"):
        plane.invoke("gate", claim=claim, action="drain")

    assert (plane.state(), plane.marked()) == ("SERVING", set())


def test_two_drains_at_once_leave_one_region(plane: ControlPlane) -> None:
    plane.drained(OREGON)
    london, virginia = plane.claim("one"), plane.claim("two", region=VIRGINIA)
    drain = plane.cold_start("gate")
    renewals = iter([False, True])

    def rival() -> None:
        if next(renewals):  # the renewal has passed: this is the drain's own update
            plane.invoke("gate", claim=virginia, action="drain")
        else:
            plane.before["UpdateItem"] = rival

    plane.before["UpdateItem"] = rival
    with pytest.raises(LastServingRegion):
        drain({"claim": london, "action": "drain"})

    assert (plane.state(LONDON), plane.state(VIRGINIA)) == ("SERVING", "DRAINING")
    assert plane.control().serving == 1


def test_the_policy_may_ask_for_more_regions_to_stay(plane: ControlPlane) -> None:
    plane.policy(min_serving_regions=3)
    claim = plane.claim()

    with pytest.raises(LastServingRegion, match="3 must remain"):
        plane.invoke("gate", claim=claim, action="drain")


@pytest.mark.parametrize(("mode", "goes"), [("automatic", False), ("manual", True)])
def test_an_automatic_drain_beyond_the_days_budget_is_refused(
    plane: ControlPlane, mode: str, goes: bool
) -> None:
    plane.policy(max_drains_per_day=1)
    plane.drained(OREGON)
    claim = plane.claim(mode=mode)

    if goes:
        assert plane.invoke("gate", claim=claim, action="drain")["set"]
    else:
        with pytest.raises(Refused, match="max_drains_per_day"):
            plane.invoke("gate", claim=claim, action="drain", checked_ms=plane.now)

    assert plane.state() == ("DRAINING" if goes else "SERVING")


@pytest.mark.parametrize("switch", ["gate", "toggle"])
@pytest.mark.parametrize(
    ("mode", "checked_s", "goes"),
    [
        ("automatic", 29, True),
        ("automatic", 31, False),
        ("automatic", None, False),
        ("manual", 31, True),
        ("manual", None, True),
    ],
)
def test_an_automatic_drain_does_not_begin_on_a_check_of_long_ago(
    plane: ControlPlane, switch: str, mode: str, checked_s: int | None, goes: bool
) -> None:
    """An execution stood still after its check, or was cut short there and redriven."""
    plane.register()
    claim = plane.claim(mode=mode)
    checked = {} if checked_s is None else {"checked_ms": plane.now - checked_s * 1000}

    if goes:
        assert plane.invoke(switch, claim=claim, action="drain", **checked)["set"]
    else:
        with pytest.raises(Refused, match="checked"):
            plane.invoke(switch, claim=claim, action="drain", **checked)

    assert plane.state() == ("DRAINING" if goes else "SERVING")
    assert (plane.marked() == set()) is not (goes and switch == "gate")


def test_a_drain_that_has_begun_is_finished_however_old_its_check_is(plane: ControlPlane) -> None:
    claim = plane.claim(mode="automatic")
    plane.invoke("gate", claim=claim, action="drain", checked_ms=plane.now)
    plane.later(60)

    assert plane.invoke("gate", claim=claim, action="drain", checked_ms=plane.now - 60_000)["set"]


def test_the_check_says_when_it_was_made(plane: ControlPlane) -> None:
    assert plane.invoke("recheck", claim=plane.claim())["checked_ms"] == plane.now


def test_a_return_that_fails_goes_out_again_whatever_the_budget(plane: ControlPlane) -> None:
    plane.policy(max_drains_per_day=1)
    plane.drained(mode="automatic")
    claim = plane.claim("back", kind="recovery", mode="automatic")
    plane.invoke("gate", claim=claim, action="restore")
    plane.record(claim, "probation", state="PROBATION")

    assert plane.invoke("gate", claim=claim, action="drain")["set"]


def test_a_forced_drain_needs_no_more_than_one_other_region(plane: ControlPlane) -> None:
    plane.policy(min_serving_regions=3)
    claim = plane.claim(mode="forced")

    assert plane.invoke("gate", claim=claim, action="drain")["set"]


def test_a_forced_drain_leaves_the_last_region_all_the_same(plane: ControlPlane) -> None:
    plane.drained(VIRGINIA)
    plane.drained(OREGON)

    with pytest.raises(LastServingRegion):
        plane.invoke("gate", claim=plane.claim(mode="forced"), action="drain")


def test_one_warden_is_enough_to_drain(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.silent.add(("dynamodb", VIRGINIA))

    answer = plane.invoke("gate", claim=claim, action="drain")

    assert (answer["set"], answer["marks"]) == (True, {VIRGINIA: False, OREGON: True})
    assert VIRGINIA in answer["why"]


def test_without_any_warden_the_gate_says_that_it_is_not_set(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.silent.update({("dynamodb", VIRGINIA), ("dynamodb", OREGON)})

    assert not plane.invoke("gate", claim=claim, action="drain")["set"]


def test_the_region_being_left_is_not_needed(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.silent.add(("*", LONDON))

    assert plane.invoke("gate", claim=claim, action="drain")["set"]


def test_restoring_needs_both_marks_gone(plane: ControlPlane) -> None:
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    plane.silent.add(("dynamodb", OREGON))

    answer = plane.invoke("gate", claim=claim, action="restore")

    assert (answer["set"], plane.marked()) == (False, {OREGON})
    assert plane.state() == "RESTORING"
    plane.silent.clear()
    assert plane.invoke("gate", claim=claim, action="restore")["set"]
    assert plane.marked() == set()


def test_it_counts_as_serving_only_on_probation(plane: ControlPlane) -> None:
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    plane.invoke("gate", claim=claim, action="restore")
    assert plane.control().serving == 2

    plane.record(claim, "probation", state="PROBATION")

    assert plane.control().serving == 3


def test_backing_out_on_probation_drains_again(plane: ControlPlane) -> None:
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    plane.invoke("gate", claim=claim, action="restore")
    plane.record(claim, "probation", state="PROBATION")

    plane.invoke("gate", claim=claim, action="drain")
    plane.record(claim, "backed out", state="DRAINED", release=True)

    assert (plane.state(), plane.control().serving) == ("DRAINED", 2)
    assert plane.marked() == {VIRGINIA, OREGON}
    assert [m.what for m in plane.control().moves] == ["drain", "restore", "drain"]


def test_a_region_that_serves_is_not_restored(plane: ControlPlane) -> None:
    claim = plane.claim()

    with pytest.raises(Refused, match="does not lead to RESTORING"):
        plane.invoke("gate", claim=claim, action="restore")


def test_marks_of_a_coordination_table_before_this_one_do_not_fence_anybody_off(
    plane: ControlPlane,
) -> None:
    """Its tokens begin anew; marks, which are elsewhere, stay."""
    for token in (8, 3):
        plane.put("regional", old_mark(token), VIRGINIA if token == 8 else OREGON)
    claim = plane.claim()

    answer = plane.invoke("gate", claim=claim, action="drain")

    assert answer["marks"] == {VIRGINIA: True, OREGON: True}
    assert plane.marked() == {VIRGINIA, OREGON}
    mark = plane.mark(VIRGINIA)
    assert mark is not None
    assert (mark.token, mark.incident) == (claim["token"], claim["incident"])


def old_mark(token: int) -> dict[str, object]:
    """A mark of another life, of when London came back."""
    mark = {"drained": False, "token": token, "incident": "old", "confirmed_at": 1}
    return {"pk": "drained", "sk": LONDON, **mark}


def test_a_mark_that_changes_while_an_old_one_is_replaced_stays(plane: ControlPlane) -> None:
    plane.put("regional", old_mark(8), VIRGINIA)
    claim = plane.claim()
    drain = plane.cold_start("gate")
    updates = iter(range(9))

    def rewrite() -> None:
        if next(updates) == 3:  # the renewal, the state, the refused mark; this one replaces it
            plane.put("regional", old_mark(9), VIRGINIA)
        else:
            plane.before["UpdateItem"] = rewrite

    plane.before["UpdateItem"] = rewrite

    with pytest.raises(LeaseLost, match="newer than token"):
        drain({"claim": claim, "action": "drain"})

    mark = plane.mark(VIRGINIA)
    assert mark is not None
    assert mark.token == 9
