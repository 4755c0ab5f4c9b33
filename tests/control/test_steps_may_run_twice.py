"""At least once, redriven, taken over: however often a step runs, what is so is so once.

Whole workflows by the real definitions and the real handlers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.policy import Policy
from tests.control.control_plane import LONDON, OREGON, REGIONS, VIRGINIA, ControlPlane
from tests.control.real_steps import LEFT, carry_out
from tests.control.scripted_steps import stability

RUNS_OUT_S = Policy().lease_s + CLOCK_SKEW_MS / 1000
WELL = stability()[0]
BACK: dict[str, Any] = {
    "See whether it is stable": WELL,
    "See whether its replica has caught up": {"Payload": {"caught_up": True, "why": ""}},
    "See whether it is still stable": WELL,
    "Watch traffic return": {"Payload": {"done": True, "dns_moved": True, "traffic_moved": None}},
    "Watch it on probation": WELL,
}
LEAVING = (
    "Claim the incident",
    "Drain by the gate",
    "Flip the toggle",
    "Note that it is drained",
    "Count the writes at risk",
    "Put back the writes at risk",
)
RETURNING = (
    "Repair the writes at risk",
    "Restore the toggle",
    "Restore the gate",
    "Note that it is on probation",
    "Close the incident",
)
"""Steps of a failover and of a recovery after which something is different."""


BACKING_OUT = (
    "Back out by the gate",
    "Back out by the toggle",
    "Note that it is drained again",
    "Put back what came meanwhile",
)
"""And those of a return that fails."""
BAD = stability(stable=False, bad=True, healthy_for_s=0, why="503")[0]


def as_it_stands(plane: ControlPlane) -> Any:
    """All that steps have an effect on, without what says when they were tried: the lease, a
    mark's confirmation, the switch's version."""
    control, marks, switches = plane.everything()
    told = [(m.region, m.drained, m.token, m.incident) for m in marks if m is not None]
    data = [
        plane.dynamodb[region].scan(TableName="sidestep-demo-data")["Items"] for region in REGIONS
    ]
    return control, told, switches["threshold"], data


class Twice:
    """Does each step again, a second later, and holds that nothing changed by it."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.done: list[str] = []

    def __call__(self, state: str, again: Callable[[], object]) -> None:
        before = as_it_stands(self.plane)
        self.plane.later(1)
        again()
        assert as_it_stands(self.plane) == before, f"{state} a second time changed something"
        self.done.append(state)


def fail_over(plane: ControlPlane, **how: Any) -> Any:
    return carry_out(plane, "failover", {"region": LONDON}, scripted=LEFT, **how)


def bring_back(plane: ControlPlane, **how: Any) -> Any:
    return carry_out(plane, "recovery", {"region": LONDON}, scripted=BACK, **how)


def try_to_bring_back(plane: ControlPlane, **how: Any) -> Any:
    """It turns bad on probation."""
    scripted = BACK | {"Watch it on probation": BAD}
    return carry_out(plane, "recovery", {"region": LONDON}, scripted=scripted, **how)


def assert_drained_once(plane: ControlPlane) -> None:
    control = plane.control()
    assert (control.of(LONDON).state, control.of(LONDON).toggle) == ("DRAINED", "shut")
    assert (control.serving, control.of(LONDON).unfinished) == (2, False)
    assert [move.what for move in control.moves] == ["drain"]
    assert plane.marked() == {VIRGINIA, OREGON}


def assert_back_once(plane: ControlPlane) -> None:
    control = plane.control()
    assert (control.of(LONDON).state, control.of(LONDON).toggle) == ("SERVING", "open")
    assert (control.serving, control.of(LONDON).unfinished) == (3, False)
    assert plane.marked() == set()


def test_each_step_of_a_failover_and_of_a_recovery_may_run_twice(warm_plane: ControlPlane) -> None:
    # Nothing replicates here: a replica that lacks a write lacks it until a step puts it there.
    short = (LONDON, OREGON)
    lost = warm_plane.write("virginia-lacks-it", ledgers=(OREGON,), replicas=short)
    out, back = Twice(warm_plane), Twice(warm_plane)

    assert fail_over(warm_plane, after=out).status == "SUCCEEDED"
    assert_drained_once(warm_plane)
    assert warm_plane.get("data", f"message#{lost.id}", "message", VIRGINIA) is not None
    late = warm_plane.write("emitted-late", ledgers=(OREGON,), replicas=short)
    assert bring_back(warm_plane, name="back", after=back).status == "SUCCEEDED"

    assert_back_once(warm_plane)
    assert {*LEAVING, "Put the incident down", "Note whether traffic has left"} <= set(out.done)
    assert set(RETURNING) <= set(back.done)
    assert warm_plane.get("data", f"message#{late.id}", "message", VIRGINIA) is not None


def during_the_return(plane: ControlPlane, key: str) -> Callable[..., None]:
    """Once it is on probation a client writes in London, and it comes to Oregon alone."""

    def after(state: str, _again: Callable[[], object]) -> None:
        if state == "Note that it is on probation":
            plane.write(key, ledgers=(OREGON,), replicas=(LONDON, OREGON))

    return after


def put_back(plane: ControlPlane) -> list[dict[str, Any]]:
    """What was put into the replicas of the others."""
    held = (
        item
        for region in (VIRGINIA, OREGON)
        for item in plane.dynamodb[region].scan(TableName="sidestep-demo-data")["Items"]
    )
    return [item for item in held if "repaired_at" in item]


def test_each_step_of_a_return_that_is_backed_out_may_run_twice(warm_plane: ControlPlane) -> None:
    fail_over(warm_plane)
    twice, writes = Twice(warm_plane), during_the_return(warm_plane, "on-probation")

    def after(state: str, again: Callable[[], object]) -> None:
        twice(state, again)
        writes(state, again)

    execution = try_to_bring_back(warm_plane, name="back", after=after)

    assert execution.output["what"] == "backed out"
    assert (warm_plane.state(), warm_plane.control().of(LONDON).holder) == ("DRAINED", "")
    assert {*BACKING_OUT, "Put the incident down"} <= set(twice.done)
    assert len(put_back(warm_plane)) == 1


@pytest.mark.parametrize("dies_at", BACKING_OUT[:2])
def test_a_back_out_whose_region_dies_half_way_is_finished_and_puts_back_from_another(
    warm_plane: ControlPlane, dies_at: str
) -> None:
    fail_over(warm_plane)
    writes = during_the_return(warm_plane, f"before {dies_at}")
    try_to_bring_back(warm_plane, name="back", after=writes, dies_at=dies_at)
    warm_plane.later(RUNS_OUT_S)

    execution = try_to_bring_back(warm_plane, here=OREGON, name="another")

    assert execution.output["what"] == "backed out"
    assert (warm_plane.state(), warm_plane.control().of(LONDON).holder) == ("DRAINED", "")
    assert len(put_back(warm_plane)) == 1


@pytest.mark.parametrize("dies_at", LEAVING)
def test_a_failover_whose_region_dies_after_any_step_is_finished_from_another(
    warm_plane: ControlPlane, dies_at: str
) -> None:
    lost = warm_plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    fail_over(warm_plane, dies_at=dies_at)
    warm_plane.later(RUNS_OUT_S)

    execution = fail_over(warm_plane, here=OREGON, name="another")

    assert execution.output["what"] == "drained, clients have left"
    assert_drained_once(warm_plane)
    replicas = (VIRGINIA, OREGON)  # of whoever came to put it back
    held = [warm_plane.get("data", f"message#{lost.id}", "message", one) for one in replicas]
    assert any(held)


@pytest.mark.parametrize("dies_at", RETURNING)
def test_a_recovery_whose_region_dies_after_any_step_ends_with_all_serving(
    warm_plane: ControlPlane, dies_at: str
) -> None:
    """On probation it is watched anew; half restored it is out again first, then tried again."""
    fail_over(warm_plane)
    bring_back(warm_plane, name="back", dies_at=dies_at)
    warm_plane.later(RUNS_OUT_S)

    taken_over = bring_back(warm_plane, here=OREGON, name="another")
    if taken_over.history.states()[-1] == "Leave it to the other":
        assert dies_at == "Close the incident"  # nothing was left to do
    elif taken_over.output["what"] == "backed out":
        assert warm_plane.state() == "DRAINED"
        bring_back(warm_plane, here=OREGON, name="and-another")

    assert_back_once(warm_plane)


@pytest.mark.parametrize("writes", [1, 2, 3], ids=["renewed", "serving", "noted"])
def test_a_recovery_stopped_within_its_closing_is_finished_by_whoever_takes_over(
    warm_plane: ControlPlane, writes: int
) -> None:
    """The step proves the lease, brings the Region to SERVING, notes it and puts it down: four
    writes, and whoever finds it between two of them must not find an incident without an end."""
    fail_over(warm_plane)
    stopped = bring_back(warm_plane, name="back", after=silence(warm_plane, writes))
    assert stopped.status == "FAILED"
    warm_plane.silent.clear()
    warm_plane.later(RUNS_OUT_S)

    taken_over = bring_back(warm_plane, here=OREGON, name="another")

    assert taken_over.output["what"] == "recovered"
    assert_back_once(warm_plane)
    assert fail_over(warm_plane, name="again").output["what"] == "drained, clients have left"


def silence(plane: ControlPlane, writes: int) -> Callable[[str, Callable[[], object]], None]:
    """No table answers any more once the closing has made so many writes."""
    left = writes

    def one_more() -> None:
        nonlocal left
        left -= 1
        if left:
            plane.before["UpdateItem"] = one_more
        else:
            plane.silent.add(("dynamodb", "*"))

    def after(state: str, _again: Callable[[], object]) -> None:
        if state == "Note that it is on probation":
            plane.before["UpdateItem"] = one_more

    return after
