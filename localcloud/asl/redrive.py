"""RedriveExecution: which executions may go on after all, and where their tracks take up again.

https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html: what succeeded is
kept and not run again; the state that did not is tried anew with the same input, its retries and
time-outs counted from nothing; of a Parallel or a Map only the branches and iterations that
failed or were cut off, unless it failed by the size of its data (then all). The definition and
the execution's name stay what they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localcloud.asl.errors import DATA_LIMIT_EXCEEDED
from localcloud.asl.history import MAX_STANDARD_EVENTS
from localcloud.asl.visit import Track

if TYPE_CHECKING:
    from localcloud.asl.execution import Execution

REDRIVABLE_S = 14 * 24 * 3600
"""So long after it ended an execution may be redriven (API_RedriveExecution)."""


class NotRedrivable(Exception):  # noqa: N818  # ExecutionNotRedrivable is the API's own name
    """An execution cannot be redriven; the words are DescribeExecution's `redriveStatusReason`."""


def why_not(execution: Execution) -> str | None:
    """Why an execution cannot be redriven, in the API's words (DescribeExecution); None: it can."""
    if execution.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {execution.status} and cannot be redriven"
    # Room for ExecutionRedriven and one more event (API_RedriveExecution).
    if len(execution.history.events) >= MAX_STANDARD_EVENTS - 1:
        return "Execution history event limit exceeded"
    assert execution.stop_date is not None
    if execution.world.now() - execution.stop_date > REDRIVABLE_S:
        return "Execution redrivable period exceeded"
    return None


def take_up(track: Track, redriven: int, error: str | None) -> None:
    """Let a track go on with the state that it was left in, as if it had just been entered.

    Its next events follow that state's first entry, as they do in AWS. `error` is what the
    state has failed with.
    """
    visit = track.current
    if visit is None:
        return
    track.last_event = visit.entered
    track.children.clear()
    visit.context["Execution"] = {**visit.context["Execution"], "RedriveCount": redriven}
    visit.context["State"] = {**visit.context["State"], "RetryCount": 0}
    visit.inner_failed = False
    visit.goes_on = bool(visit.lines) and error != DATA_LIMIT_EXCEEDED
    for line in visit.lines.values() if visit.goes_on else ():
        failed = line.outcome.error if line.outcome is not None else None
        take_up(line.track, redriven, failed.name if failed is not None else None)
