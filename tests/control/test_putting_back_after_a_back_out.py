"""A return is backed out: what its clients wrote meanwhile is put back, though it be silent."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import Refused
from sidestep.core.messages import Message
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane

DAY_S = 86_400


def on_probation(plane: ControlPlane, here: str = VIRGINIA) -> dict[str, Any]:
    """London was drained and is on its way back; the claim of its recovery."""
    plane.drained()
    plane.later(60)
    claim = plane.claim("back", kind="recovery", here=here)
    plane.invoke("gate", claim=claim, action="restore")
    plane.record(claim, "probation", state="PROBATION")
    return claim


def back_out(plane: ControlPlane, claim: dict[str, Any]) -> None:
    """Out again, and the claim is kept."""
    plane.invoke("gate", claim=claim, action="drain")
    plane.record(claim, "backed out", state="DRAINED")


def repair(plane: ControlPlane, claim: dict[str, Any], here: str = VIRGINIA) -> dict[str, Any]:
    return plane.invoke("repair", here, claim=claim, so_far={"more": False}, backed_out=True)


def holds(plane: ControlPlane, region: str, message: Message) -> bool:
    return plane.get("data", f"message#{message.id}", "message", region) is not None


@pytest.mark.parametrize("probation_s", [60, 3600])
def test_what_a_lost_region_took_on_probation_is_put_back_however_long_that_was(
    plane: ControlPlane, probation_s: int
) -> None:
    claim = on_probation(plane)
    lost = plane.write("on-probation", ledgers=(OREGON,), replicas=(LONDON,))
    short = plane.write("in-flight", ledgers=(), replicas=(LONDON, OREGON))
    plane.later(probation_s)
    plane.silent.add(("dynamodb", LONDON))
    back_out(plane, claim)

    answer = repair(plane, claim)

    # London is silent, and nobody waits for it.
    assert (answer["repaired"], answer["lost"]) == (2, 0)
    assert (answer["unread"], answer["complete"]) == ([], True)
    assert holds(plane, VIRGINIA, lost)
    assert holds(plane, VIRGINIA, short)


def test_nothing_is_put_into_the_region_that_is_out_again(plane: ControlPlane) -> None:
    claim = on_probation(plane)
    known = plane.write("london-lost-it", ledgers=(OREGON,), replicas=(VIRGINIA, OREGON))
    back_out(plane, claim)

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["complete"]) == (0, True)
    assert not holds(plane, LONDON, known)


def test_another_body_in_the_region_that_is_out_again_is_a_conflict(plane: ControlPlane) -> None:
    claim = on_probation(plane)
    ours = plane.write("one-key", ledgers=(OREGON,), replicas=())
    another = {**ours.to_dict(), "text": "another", "digest": "x"}
    plane.put("data", {"pk": f"message#{ours.id}", "sk": "message", **another}, LONDON)
    back_out(plane, claim)

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["conflicts"]) == (0, [ours.id])


def test_what_was_missing_before_the_return_is_looked_for_in_ledgers_too(
    plane: ControlPlane,
) -> None:
    """Its own repair may have failed, and no other return may ever be."""
    old = plane.write("before-the-drain", ledgers=(OREGON,), replicas=(LONDON,))
    plane.drained()
    plane.later(3 * DAY_S)
    claim = plane.claim("back", kind="recovery")
    plane.invoke("gate", claim=claim, action="restore")
    back_out(plane, claim)
    plane.calls.clear()

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["complete"]) == (1, True)
    assert holds(plane, VIRGINIA, old)
    # Of histories, which are of all Regions' writes, one day's page in each, not three days'.
    assert [name for name, _ in plane.calls].count("QueryIndex") == 2


def test_a_later_return_looks_at_what_came_meanwhile_again(plane: ControlPlane) -> None:
    claim = on_probation(plane)
    plane.write("on-probation", ledgers=(OREGON,), replicas=(LONDON,))
    plane.later(3600)
    back_out(plane, claim)
    plane.record(claim, "backed out", release=True)

    answer = plane.invoke("repair", claim=plane.claim("again", kind="recovery"))

    assert answer["repaired"] == 1


def test_from_within_the_region_that_is_out_again_nothing_is_put_back(plane: ControlPlane) -> None:
    claim = on_probation(plane, here=LONDON)
    back_out(plane, claim)

    with pytest.raises(Refused, match="no place"):
        repair(plane, claim, here=LONDON)
