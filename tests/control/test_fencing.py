"""A holder that was taken over changes nothing any more, at no step."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import InvalidInput, LeaseLost
from tests.control.control_plane import LONDON, VIRGINIA, ControlPlane

STEPS: list[tuple[str, dict[str, Any]]] = [
    ("recheck", {}),
    ("gate", {"action": "drain"}),
    ("gate", {"action": "restore"}),
    ("toggle", {"action": "drain"}),
    ("toggle", {"action": "restore"}),
    ("traffic", {"expect": "elsewhere"}),
    ("traffic", {"expect": "back"}),
    ("replication", {"since": 0}),
    ("assess", {}),
    ("repair", {}),
    ("stability", {"window_s": 60}),
    ("record", {"step": "drained", "outcome": "late", "state": "DRAINED"}),
    ("record", {"step": "drained", "outcome": "late", "release": True}),
    ("record", {"step": "left", "outcome": "late", "evidence": True}),
]


@pytest.mark.parametrize(("step", "more"), STEPS, ids=lambda of: of if isinstance(of, str) else "")
def test_a_stale_token_is_refused_and_changes_nothing(
    plane: ControlPlane, step: str, more: dict[str, Any]
) -> None:
    plane.register()
    stale = plane.claim("one")
    plane.later(300)
    plane.claim("two")
    before = plane.everything()

    with pytest.raises(LeaseLost, match="stand aside"):
        plane.invoke(step, claim=stale, **more)

    assert plane.everything() == before


@pytest.mark.parametrize("step", sorted({step for step, _ in STEPS}))
def test_a_step_without_a_claim_is_refused_by_name(plane: ControlPlane, step: str) -> None:
    with pytest.raises(InvalidInput, match="no claim"):
        plane.invoke(step, since=0, step="x", outcome="x", action="drain", expect="gone")


def test_a_lease_that_ran_out_and_that_nobody_took_is_still_the_holders(
    plane: ControlPlane,
) -> None:
    claim = plane.claim("slow")
    plane.later(3600)

    assert plane.invoke("gate", claim=claim, action="drain")["set"]
    assert not plane.ask_claim("two")["held"]  # the step renewed it


def test_a_holder_taken_over_between_the_control_item_and_the_mark_is_refused_by_the_mark(
    plane: ControlPlane,
) -> None:
    old = plane.claim("one")
    plane.later(300)
    new = plane.claim("two")
    plane.invoke("gate", claim=new, action="drain")
    before = plane.mark(VIRGINIA)

    from sidestep.aws.gate import TrafficGate

    gate = TrafficGate({VIRGINIA: plane.dynamodb[VIRGINIA]}, "sidestep-demo-regional")
    with pytest.raises(LeaseLost, match="newer than token"):
        gate.write(VIRGINIA, LONDON, False, old["token"], old["incident"], plane.now)

    assert plane.mark(VIRGINIA) == before
