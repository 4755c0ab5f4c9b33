"""Is it still so? What has to hold at the moment before traffic is moved.

Minutes may lie between a decision and its execution. Nothing is touched yet, so any doubt
about an automatic move ends it; observers decide again with their next ballots.

| mode            | needs                                                                  |
|-----------------|------------------------------------------------------------------------|
| automatic       | its quorum, now; no pause, window or observe-only; enough others; a    |
|                 | drain left of the day's budget                                         |
| manual, planned | enough others that can serve                                           |
| forced          | nothing: the operator knows better (the gate still keeps the last one) |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidestep.core import holds
from sidestep.core.capacity import shortfall
from sidestep.core.control import AUTOMATIC, DRAINING, FORCED, SERVING, Claim
from sidestep.core.findings import View, able, counting, find, leaving, unheard, unless_well
from sidestep.core.policy import Policy


@dataclass(frozen=True)
class Recheck:
    """Whether to go on, and why, in words for the record and for people.

    `reasons` begin with `why`, as a decision's do with its own sentence; `would_change` says what
    would have changed this answer.
    """

    go: bool
    why: str
    diagnosis: str
    reasons: tuple[str, ...]
    would_change: str


def recheck(claim: Claim, view: View, policy: Policy, now_ms: int) -> Recheck:
    """Judge a claimed failover by the ballots and the control item of this moment."""
    counted = counting(view, policy, now_ms)
    state = view.control.of(claim.region).state
    mute = unheard(view, policy, now_ms)
    findings = {region: find(region, counted, policy, mute) for region in view.regions}
    others = able(claim.region, findings, view.control)
    finding = findings[claim.region]

    def answer(go: bool, why: str, change: str) -> Recheck:
        return Recheck(go, why, finding.diagnosis, (why, *finding.reasons), change)

    lacking = _lacking(others, policy)
    if state != SERVING:
        words = f"the drain has begun already ({state})"
        if state == DRAINING and lacking and claim.mode != FORCED:
            return answer(False, f"{words}; {lacking}", "another Region serving and healthy")
        return answer(True, words, "nothing: what has begun is finished while others can serve")
    if claim.mode == FORCED:
        words = "ordered by an operator (forced): nothing was asked"
        return answer(True, words, "the Region being the last that serves")
    if claim.mode == AUTOMATIC:
        # Not the waits after its own last move: the claim has seen to it that it has not moved
        # since, and an acknowledgement that ended them was of before the claim.
        held = holds.orders(claim.region, view.control, policy, now_ms)
        held = held or holds.spent(view.control, policy, now_ms)
        if held:
            return answer(False, held, holds.ORDER)
        if not finding.impaired:
            said = finding.reasons[0] if finding.reasons else "its observers see nothing bad"
            words = f"{claim.region} is not impaired any more: {said}"
            return answer(False, words, "votes calling it impaired")
    if lacking:
        forced = "" if claim.mode == AUTOMATIC else "; mode forced would go on all the same"
        return answer(False, f"{lacking}{forced}", "another Region serving and healthy")
    if claim.mode == AUTOMATIC:
        return answer(True, leaving(claim.region, others), unless_well(policy))
    words = f"ordered by an operator ({claim.mode}); {', '.join(others)} can serve"
    return answer(True, words, "too few others able to serve")


def _lacking(others: Sequence[str], policy: Policy) -> str | None:
    """Why the other Regions that can serve are not enough, in words; None when they are."""
    if len(others) < policy.min_serving_regions:
        serving = ", ".join(others) or "none"
        return (
            f"too few other Regions can serve ({serving}), {policy.min_serving_regions} must remain"
        )
    return shortfall(others, policy.capacity_percent)
