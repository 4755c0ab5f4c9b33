"""A drain that has only begun is finished, or called off: it is never left for nobody to finish.

The real definition and the real handlers, with the step that goes wrong.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import simpy

from localcloud.asl import StatesError, TaskRequest
from sidestep.core.policy import Policy
from tests.control.control_plane import LONDON, OPEN, OREGON, VIRGINIA, ControlPlane
from tests.control.real_steps import Steps
from tests.control.test_told_alike import left, rounds

Attempt = Generator[simpy.Event, Any, Any]


def at_the_gate(monkeypatch: pytest.MonkeyPatch, *attempts: Any) -> None:
    """What each attempt at the gate does, instead of what it should; those after them do that."""
    real, todo = Steps.run, iter(attempts)

    def run(self: Steps, task: TaskRequest) -> Attempt:
        attempt = next(todo, None) if task.state == "Drain by the gate" else None
        if attempt is None:
            return (yield from real(self, task))
        return (yield from attempt(self, task, real))

    monkeypatch.setattr(Steps, "run", run)


def counts_out_and_is_not_heard(steps: Steps, task: TaskRequest, real: Any) -> Attempt:
    """The control item is written, no warden is reached, and the answer is lost."""
    steps.plane.silent |= {("dynamodb", VIRGINIA), ("dynamodb", OREGON)}
    try:
        yield from real(steps, task)
    finally:
        steps.plane.silent.clear()
    raise StatesError("Sandbox.Timedout", "Task timed out")


def is_refused(steps: Steps, task: TaskRequest, real: Any) -> Attempt:
    """Every replica of the coordination table denies the call."""
    steps.plane.refusing["UpdateItem", "*"] = "AccessDeniedException"
    try:
        return (yield from real(steps, task))
    finally:
        steps.plane.refusing.clear()


def hangs(steps: Steps, _task: TaskRequest, _real: Any) -> Attempt:
    """As long as Lambda lets it, and nothing was done. Observers go on looking meanwhile."""
    yield steps.env.timeout(28)
    steps.plane.clock.move_to(steps.began + float(steps.env.now))
    rounds(steps.plane, 1, bad=(LONDON,))
    raise StatesError("Sandbox.Timedout", "Task timed out")


def test_a_drain_that_was_counted_and_then_refused_is_called_off(
    warm_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds(warm_plane, 2, bad=(LONDON,))
    at_the_gate(monkeypatch, counts_out_and_is_not_heard, is_refused)

    execution = left(warm_plane)

    of = warm_plane.control().of(LONDON)
    assert execution.output["what"] == "stood down"
    assert (of.state, of.holder) == ("SERVING", "")
    monkeypatch.undo()
    # What is due again is due by itself, after the wait that follows a failover without a drain.
    warm_plane.later(Policy().cooldown_s)
    assert rounds(warm_plane, 2, bad=(LONDON,))["action"] == "failover"


@pytest.mark.parametrize(
    ("bad", "state", "what"),
    [
        ((LONDON,), "DRAINED", "drained, clients have left"),
        ((LONDON, VIRGINIA, OREGON), "SERVING", "stood down"),
        ((VIRGINIA, OREGON), "SERVING", "stood down"),
    ],
    ids=["others can serve", "all are bad", "only it is well"],
)
def test_who_takes_over_a_drain_finishes_it_while_others_can_serve_and_else_calls_it_off(
    warm_plane: ControlPlane, bad: tuple[str, ...], state: str, what: str
) -> None:
    rounds(warm_plane, 2, bad=(LONDON,))
    left(warm_plane, name="died", dies_at="Drain by the gate")
    warm_plane.later(Policy().lease_s + 60)
    rounds(warm_plane, 4, bad=bad)

    execution = left(warm_plane, name="next")

    of = warm_plane.control().of(LONDON)
    assert (of.state, of.holder, execution.output["what"]) == (state, "", what)
    rounds(warm_plane, 1, bad=bad)  # each warden's observer keeps its own marks in line
    assert bool(warm_plane.marked()) == (state == "DRAINED")


def test_a_gate_that_hangs_is_no_reason_not_to_drain_by_the_toggle(
    warm_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds(warm_plane, 2, bad=(LONDON,))
    at_the_gate(monkeypatch, *[hangs] * 5)

    execution = left(warm_plane)

    assert execution.output["what"] == "drained, clients have left"
    assert warm_plane.state() == "DRAINED"
    assert warm_plane.switches.threshold[f"toggle-{LONDON}"] != OPEN
