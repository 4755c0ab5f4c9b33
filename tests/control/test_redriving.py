"""RedriveExecution, by a person: it finishes what it holds, and stands aside from what it does not.

Whole workflows by the real definitions and the real handlers, cut off after each step that
changes something: the step was done, and its answer was not heard.
"""

from __future__ import annotations

import pytest

from localcloud.asl import Execution
from sidestep.core.control import CLOCK_SKEW_MS
from tests.control.control_plane import LONDON, OREGON, ControlPlane
from tests.control.real_steps import cut_off_and_redrive
from tests.control.test_steps_may_run_twice import (
    LEAVING,
    RETURNING,
    RUNS_OUT_S,
    as_it_stands,
    assert_back_once,
    assert_drained_once,
    bring_back,
    fail_over,
)


@pytest.mark.parametrize("late_s", [1, RUNS_OUT_S], ids=["at once", "after the lease ran out"])
@pytest.mark.parametrize("cut_off_at", LEAVING)
def test_a_failover_cut_off_after_any_step_is_finished_by_its_redrive(
    warm_plane: ControlPlane, cut_off_at: str, late_s: float
) -> None:
    warm_plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    execution = fail_over(warm_plane, dies_at=cut_off_at)
    warm_plane.later(late_s)

    cut_off_and_redrive(warm_plane, execution)

    assert (execution.status, execution.output["what"]) == (
        "SUCCEEDED",
        "drained, clients have left",
    )
    assert_drained_once(warm_plane)


@pytest.mark.parametrize("cut_off_at", RETURNING)
def test_a_recovery_cut_off_after_any_step_is_finished_by_its_redrive(
    warm_plane: ControlPlane, cut_off_at: str
) -> None:
    fail_over(warm_plane)
    execution = bring_back(warm_plane, name="back", dies_at=cut_off_at)
    warm_plane.later(RUNS_OUT_S)

    cut_off_and_redrive(warm_plane, execution)

    assert execution.status == "SUCCEEDED"
    assert_back_once(warm_plane)


@pytest.mark.parametrize("cut_off_at", LEAVING)
def test_a_failover_that_was_taken_over_stands_aside_when_it_is_redriven(
    warm_plane: ControlPlane, cut_off_at: str
) -> None:
    warm_plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    execution = fail_over(warm_plane, dies_at=cut_off_at)
    warm_plane.later(RUNS_OUT_S)
    fail_over(warm_plane, here=OREGON, name="another")
    done = as_it_stands(warm_plane)
    warm_plane.later(60)

    cut_off_and_redrive(warm_plane, execution)

    assert as_it_stands(warm_plane) == done
    assert_drained_once(warm_plane)


@pytest.mark.parametrize(("behind_s", "held"), [(CLOCK_SKEW_MS // 1000 - 1, False), (31, True)])
def test_a_redriven_order_is_void_when_clocks_cannot_tell_that_it_came_last(
    warm_plane: ControlPlane, behind_s: int, held: bool
) -> None:
    """Who brought the Region back had a clock that may be late by as much as clocks may differ."""
    fail_over(warm_plane)
    bring_back(warm_plane, name="back")
    started = warm_plane.control().of(LONDON).since_ms + behind_s * 1000

    again = warm_plane.ask_claim("order", started_ms=started, redrives=1)

    assert again["held"] is held, again["why"]


def test_a_failover_that_is_redriven_after_the_region_was_brought_back_drains_nothing(
    warm_plane: ControlPlane,
) -> None:
    execution = fail_over(warm_plane, dies_at="Claim the incident")
    warm_plane.later(RUNS_OUT_S)
    fail_over(warm_plane, here=OREGON, name="another")
    bring_back(warm_plane, here=OREGON, name="back")
    done = as_it_stands(warm_plane)

    cut_off_and_redrive(warm_plane, execution)

    assert as_it_stands(warm_plane) == done
    assert warm_plane.control().of(LONDON).state == "SERVING"


def verifying(plane: ControlPlane) -> Execution:
    """A failover that is cut off while it notes whether clients have left, nothing being held."""
    execution: Execution = fail_over(plane, dies_at="Note whether traffic has left")
    assert not plane.control().of(LONDON).holder
    return execution


def test_a_verification_cut_off_is_gone_on_with_by_its_redrive(warm_plane: ControlPlane) -> None:
    execution = verifying(warm_plane)
    done = as_it_stands(warm_plane)
    warm_plane.later(RUNS_OUT_S)

    cut_off_and_redrive(warm_plane, execution)

    assert execution.output["what"] == "drained, clients have left"
    assert as_it_stands(warm_plane) == done
    assert_drained_once(warm_plane)


def test_a_verification_that_is_redriven_after_the_region_came_back_ends_quietly(
    warm_plane: ControlPlane,
) -> None:
    execution = verifying(warm_plane)
    bring_back(warm_plane, here=OREGON, name="back")
    done, record = as_it_stands(warm_plane), warm_plane.incident("demo-eu-west-2-1")

    cut_off_and_redrive(warm_plane, execution)

    assert (execution.status, execution.output["stood_aside"]) == ("SUCCEEDED", True)
    assert (as_it_stands(warm_plane), warm_plane.incident("demo-eu-west-2-1")) == (done, record)
    assert_back_once(warm_plane)
