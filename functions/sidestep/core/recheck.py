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
from sidestep.core.control import AUTOMATIC, FORCED, SERVING, Claim
from sidestep.core.findings import View, able, counting, find
from sidestep.core.policy import Policy


@dataclass(frozen=True)
class Recheck:
    """Whether to go on, and why, in words for the record."""

    go: bool
    why: str
    diagnosis: str
    reasons: tuple[str, ...]


def recheck(claim: Claim, view: View, policy: Policy, now_ms: int) -> Recheck:
    """Judge a claimed failover by the ballots and the control item of this moment."""
    counted = counting(view, policy, now_ms)
    state = view.control.of(claim.region).state
    findings = {region: find(region, counted, policy) for region in view.regions}
    others = able(claim.region, findings, view.control)
    finding = findings[claim.region]

    def answer(go: bool, why: str) -> Recheck:
        return Recheck(go, why, finding.diagnosis, finding.reasons)

    if state != SERVING:
        return answer(True, f"the drain has begun already ({state})")
    if claim.mode == FORCED:
        return answer(True, "ordered by an operator (forced): nothing was asked")
    if claim.mode == AUTOMATIC:
        # Not the waits after its own last move: the claim has seen to it that it has not moved
        # since, and an acknowledgement that ended them was of before the claim.
        held = holds.orders(claim.region, view.control, policy, now_ms)
        held = held or holds.spent(view.control, policy, now_ms)
        if held:
            return answer(False, held)
        if not finding.impaired:
            said = finding.reasons[0] if finding.reasons else "its observers see nothing bad"
            return answer(False, f"{claim.region} is not impaired any more: {said}")
    lacking = _lacking(others, policy)
    if lacking:
        forced = "" if claim.mode == AUTOMATIC else "; mode forced would go on all the same"
        return answer(False, f"{lacking}{forced}")
    if claim.mode == AUTOMATIC:
        return answer(True, finding.reasons[0])
    return answer(True, f"ordered by an operator ({claim.mode}); {', '.join(others)} can serve")


def _lacking(others: Sequence[str], policy: Policy) -> str | None:
    """Why the other Regions that can serve are not enough, in words; None when they are."""
    if len(others) < policy.min_serving_regions:
        serving = ", ".join(others) or "none"
        return (
            f"too few other Regions can serve ({serving}), {policy.min_serving_regions} must remain"
        )
    return shortfall(others, policy.capacity_percent)
