"""An operator's failover that takes over another's work: it is theirs from then on.

What was left by an automatic failover, and a return that is to be turned back.
"""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import LeaseLost
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane
from tests.control.real_steps import LEFT, carry_out
from tests.control.test_steps_may_run_twice import BACK, RUNS_OUT_S


def on_probation(plane: ControlPlane) -> dict[str, Any]:
    """London is on its way back; the claim of the recovery that holds it."""
    plane.drained(mode="automatic")
    claim = plane.claim("back", kind="recovery", mode="automatic")
    assert plane.invoke("gate", claim=claim, action="restore")["set"]
    plane.record(claim, "probation", state="PROBATION")
    return claim


def order(plane: ControlPlane, mode: str) -> Any:
    """An operator's failover of London, from Oregon."""
    given = {"region": LONDON, "mode": mode}
    return carry_out(plane, "failover", given, here=OREGON, scripted=LEFT, name="order")


@pytest.mark.parametrize("mode", ["manual", "planned", "forced"])
def test_a_failover_that_an_operator_takes_over_is_the_operators(
    warm_plane: ControlPlane, mode: str
) -> None:
    left = warm_plane.claim("one", mode="automatic")
    warm_plane.later(RUNS_OUT_S)

    claim = warm_plane.claim("order", here=OREGON, mode=mode)

    assert (claim["mode"], claim["incident"]) == (mode, left["incident"])
    assert warm_plane.control().of(LONDON).mode == mode  # so nothing brings it back by itself


def test_an_operators_failover_that_an_observer_takes_over_stays_the_operators(
    warm_plane: ControlPlane,
) -> None:
    warm_plane.claim("order", mode="forced")
    warm_plane.later(RUNS_OUT_S)

    assert warm_plane.claim("another", here=OREGON, mode="automatic")["mode"] == "forced"


def test_a_pause_does_not_hold_an_order_that_took_over_an_automatic_failover(
    warm_plane: ControlPlane,
) -> None:
    begun = {"region": LONDON, "mode": "automatic"}
    carry_out(warm_plane, "failover", begun, dies_at="Claim the incident")
    warm_plane.later(RUNS_OUT_S)

    execution = order(warm_plane, "forced")  # nobody votes: automatic would stand down

    assert execution.output["what"] == "drained, clients have left"
    assert (warm_plane.state(), warm_plane.control().of(LONDON).mode) == ("DRAINED", "forced")


@pytest.mark.parametrize("mode", ["manual", "forced"])
def test_a_return_that_nobody_holds_any_more_is_turned_back_by_an_order(
    warm_plane: ControlPlane, mode: str
) -> None:
    on_probation(warm_plane)
    warm_plane.later(RUNS_OUT_S)

    execution = order(warm_plane, mode)

    assert execution.output["what"] == "drained, clients have left"
    control = warm_plane.control()
    assert (control.of(LONDON).state, control.of(LONDON).mode) == ("DRAINED", mode)
    assert (control.serving, control.of(LONDON).attempts) == (2, 0)
    assert warm_plane.marked() == {VIRGINIA, OREGON}
    assert [move.what for move in control.moves] == ["drain", "restore", "drain"]


def test_a_return_that_is_held_is_turned_back_by_force_only_and_its_holder_stands_aside(
    warm_plane: ControlPlane,
) -> None:
    recovery = on_probation(warm_plane)
    assert "held by" in warm_plane.ask_claim("order", mode="manual")["why"]

    assert order(warm_plane, "forced").output["what"] == "drained, clients have left"

    with pytest.raises(LeaseLost):
        warm_plane.record(recovery, "serving", state="SERVING", release=True)
    assert warm_plane.state() == "DRAINED"


def test_a_failover_that_is_held_is_not_taken_over_even_by_force(warm_plane: ControlPlane) -> None:
    warm_plane.claim("one", mode="automatic")

    assert not warm_plane.ask_claim("order", mode="forced")["held"]


def test_an_automatic_failover_takes_over_no_return(warm_plane: ControlPlane) -> None:
    on_probation(warm_plane)
    warm_plane.later(RUNS_OUT_S)

    answer = warm_plane.ask_claim("another", mode="automatic")

    assert (answer["held"], "backs out by itself" in answer["why"]) == (False, True)


def test_the_last_region_that_serves_serves_on_when_its_return_is_to_be_turned_back(
    warm_plane: ControlPlane,
) -> None:
    on_probation(warm_plane)
    for region in (VIRGINIA, OREGON):
        warm_plane.drained(region, here=OREGON)

    execution = order(warm_plane, "forced")

    assert execution.output["what"] == "stood down"
    london = warm_plane.control().of(LONDON)
    assert (london.state, london.unfinished, warm_plane.control().serving) == ("SERVING", False, 1)


def test_what_was_turned_back_is_brought_back_by_an_operator(warm_plane: ControlPlane) -> None:
    on_probation(warm_plane)
    order(warm_plane, "forced")

    back = carry_out(warm_plane, "recovery", {"region": LONDON}, scripted=BACK, name="back-again")

    assert back.output["what"] == "recovered", back.output
    assert (warm_plane.state(), warm_plane.control().serving) == ("SERVING", 3)
