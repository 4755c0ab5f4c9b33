"""The decision: ballots, control state and policy in; what to do about each Region, and why, out.

The invariants, before the rules:

- Only fresh ballots of healthy observers count. Without votes nothing new
  begins; what is half done may be taken over.
- A Region is impaired (objectively) when most of the *other* Regions' observers say so, or
  its own observer and any other do; or when the failed requests of several of them, its own
  perhaps among them, come to more together than chance explains. What single observers say
  (subjectively) is shown apart.
- The last Region that can serve is never drained, nor one whose load the others cannot carry;
  when all look bad, hold and page.
- Detection always runs and is always told. Acting is a separate question, which core/holds.py
  may answer with "not now": pause, window, observe-only, cool-down, the daily budget.
- A drained Region that is well comes back by its own observer's word where nothing else serves
  (core/returning.py).
- The order of ballots changes nothing, nor does deciding again before a claim: what is due has the
  same name, and is one execution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sidestep.core import holds
from sidestep.core.canaries import AT_ONCE, FRESH_LOOKS
from sidestep.core.capacity import shortfall
from sidestep.core.control import (
    AUTOMATIC,
    DRAINED,
    FAILOVER,
    PROBATION,
    RECOVERY,
    SERVING,
    RegionState,
    incident_id,
)
from sidestep.core.findings import (
    Finding,
    View,
    able,
    counting,
    find,
    leaving,
    unheard,
    unless_well,
)
from sidestep.core.policy import Policy
from sidestep.core.returning import standing
from sidestep.core.votes import Ballot

HOLD, NONE, TAKE_OVER = "hold", "none", "take-over"
OVERDUE_MS = 120_000
"""What has been due for so long, a dozen rounds, and nobody has carried out does not begin by
itself: workflows cannot be started, or end before they claim anything. Then people hear of it."""
TOGGLE = "toggle"


@dataclass(frozen=True)
class Decision:
    """What to do about a Region.

    `action`: failover, recovery, take-over, hold (something is wrong, and why nothing is
    done) or none. `reasons` are sentences with numbers and thresholds; `would_change` says
    what would change its mind; `page` that a person should look.
    """

    region: str
    action: str
    diagnosis: str
    impaired: bool
    reasons: tuple[str, ...]
    would_change: str
    page: bool = False
    alone: bool = False
    """Nothing else serves, so the Region's own observer may start its recovery or take it over."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, as it travels to the workflow and the command line."""
        return {
            "region": self.region,
            "action": self.action,
            "diagnosis": self.diagnosis,
            "impaired": self.impaired,
            "reasons": list(self.reasons),
            "would_change": self.would_change,
            "page": self.page,
            "alone": self.alone,
        }


class _Maker(Protocol):
    """Makes this Region's decision, with the finding's words behind the first sentence."""

    def __call__(
        self,
        action: str,
        words: str,
        change: str,
        diagnosis: str | None = None,
        page: bool = False,
        alone: bool = False,
    ) -> Decision: ...


@dataclass(frozen=True)
class Due:
    """A workflow to start: failover or recovery, its execution's name and input.

    `toggle` is no workflow: a switch that Route 53's control plane would not take earlier.
    `by_own`: the Region's own observer may start it, too; all others may be dead.
    """

    workflow: str
    name: str
    input: Mapping[str, Any]
    by_own: bool = False


def decide(view: View, policy: Policy, now_ms: int) -> tuple[Decision, ...]:
    """A decision for each guarded Region, in the list's order."""
    counted = counting(view, policy, now_ms)
    mute = unheard(view, policy, now_ms)
    findings = {region: find(region, counted, policy, mute) for region in view.regions}
    return tuple(
        _decide_one(findings[region], findings, view, counted, policy, now_ms)
        for region in view.regions
    )


def _decide_one(
    finding: Finding,
    findings: Mapping[str, Finding],
    view: View,
    counted: Sequence[Ballot],
    policy: Policy,
    now_ms: int,
) -> Decision:
    region, control = finding.region, view.control
    state = control.of(region)
    window = holds.window(region, policy, now_ms)
    seen = holds.seen(region, control, finding.bad_since_ms)
    # People know of the Region: they are called only about what is left half done.
    quiet = bool(window or seen) and not state.unfinished

    def decision(
        action: str,
        words: str,
        change: str,
        diagnosis: str | None = None,
        page: bool = False,
        alone: bool = False,
    ) -> Decision:
        if page and quiet and seen:
            words = f"{words} ({seen})"
        return Decision(
            region,
            action,
            diagnosis or finding.diagnosis,
            finding.impaired,
            (words, *finding.reasons),
            change,
            page and not quiet,
            alone,
        )

    if state.unfinished:
        return _unfinished(region, decision, view, policy, now_ms)
    if state.state != SERVING:
        return _drained(region, state, decision, view, policy, now_ms)
    if not finding.impaired:
        return _not_impaired(finding, decision, counted)
    if view.is_new(region):
        return decision(
            HOLD,
            f"{region} has never been up (no observer of its own has ever run): deploy it, or take "
            "it out of Regions",
            "its observer's first look, or an operator's order",
        )
    if window is not None:
        return decision(HOLD, window, "the window ending, or an operator's order")
    serving = [r for r in view.regions if control.of(r).state == SERVING]
    if all(findings[r].impaired for r in serving):
        back = [r for r in view.regions if control.of(r).state == PROBATION]
        well = [r for r in back if not findings[r].impaired]
        if well:
            # It may have to go out again, and then nothing would be left.
            return decision(
                HOLD,
                f"{', '.join(well)} could take {region}'s traffic, but is on probation: nothing is "
                "moved to it until that ends",
                "that probation ending",
                page=True,
            )
        serving += back
        return decision(
            HOLD,
            f"every serving Region looks impaired ({', '.join(serving)}): not a Regional fault",
            "one Region voted healthy",
            "all_bad",
            page=True,
        )
    left = able(region, findings, control)
    if len(left) < policy.min_serving_regions:
        doubtful = [r for r in serving if findings[r].may_be_as_bad_as(finding) and r != region]
        alike = f" ({', '.join(doubtful)} may be as bad as {region})" if doubtful else ""
        return decision(
            HOLD,
            f"only {len(left)} other Regions can serve, "
            f"{policy.min_serving_regions} must remain{alike}",
            "another Region serving and healthy",
            page=True,
        )
    short = shortfall(left, policy.capacity_percent)
    if short is not None:
        change = "another Region serving and healthy, or an operator's order (forced)"
        return decision(HOLD, short, change, page=True)
    blocked = holds.before_drain(region, control, policy, now_ms)
    if blocked is not None:
        return decision(HOLD, blocked.words, blocked.change, page=True)
    words = leaving(region, left)
    # From when on it was due is in no item: what held it back may have ended just now.
    late_ms = now_ms - (finding.bad_since_ms or now_ms)
    if late_ms > OVERDUE_MS:
        words += f"; impaired for {late_ms / 1000:.0f} s: "
        words += "if nothing held it back, failovers do not begin"
    return decision(
        FAILOVER,
        words,
        unless_well(policy),
        page=late_ms > OVERDUE_MS,
    )


def in_doubt(view: View, policy: Policy, now_ms: int) -> bool:
    """Whether some serving Region's requests failed and it is not settled what that means: all
    Regions are worth a closer look then, the sick one and those that would take its traffic."""
    counted = counting(view, policy, now_ms)
    serving = [r for r in view.regions if view.control.of(r).state == SERVING]
    mute = unheard(view, policy, now_ms)
    findings = {region: find(region, counted, policy, mute) for region in serving}
    if any(found.doubtful for found in findings.values()):
        return True
    return any(
        findings[one].impaired
        and not findings[other].impaired
        and findings[other].may_be_as_bad_as(findings[one])
        for one in serving
        for other in serving
        if other != one
    )


def closer_looks(view: View, policy: Policy, now_ms: int) -> int:
    """How many closer looks at once each Region is worth; 0 where nothing is in doubt."""
    if not in_doubt(view, policy, now_ms):
        return 0
    votes = (vote for ballot in counting(view, policy, now_ms) for vote in ballot.votes.values())
    # One that is out already may go on failing for as long as it likes.
    serving = (vote for vote in votes if view.control.of(vote.region).state == SERVING)
    return AT_ONCE if max(vote.score.looks for vote in serving) <= FRESH_LOOKS else 1


def _not_impaired(finding: Finding, decision: _Maker, counted: Sequence[Ballot]) -> Decision:
    if not finding.others:
        seen = ", ".join(b.observer for b in counted) or "nobody"
        words = f"no other observer's word counts now (fresh and healthy: {seen})"
        return decision(HOLD, words, "a fresh ballot of another healthy observer", page=True)
    if finding.reasons:
        words = "some see trouble, too few to act"
        change = "another observer, or its own, calling it impaired"
        return decision(HOLD, words, change, page=finding.unsettled)
    if finding.late:
        words = (
            f"{finding.region} is serving and healthy, and its writes come late or not at all "
            f"({'; '.join(finding.late)}): moving would only leave them further behind"
        )
        return decision(HOLD, words, "heartbeats within the limit", page=True)
    return decision(NONE, f"{finding.region} is serving and healthy", "votes calling it impaired")


def _unfinished(region: str, decision: _Maker, view: View, policy: Policy, now_ms: int) -> Decision:
    control = view.control
    state = control.of(region)
    if state.leased(now_ms):
        left = (state.lease_until_ms - now_ms) / 1000
        words = f"{state.incident} is in the hands of {state.holder} ({state.state})"
        return decision(NONE, words, f"its lease running out (in {left:.0f} s)")
    held = f"the lease of {state.holder} on {state.incident} ran out at {state.state}"
    ordered = holds.orders(region, control, policy, now_ms)
    if ordered:
        return decision(HOLD, f"{held}; {ordered}", "that order ending", page=True)
    late_ms = now_ms - state.lease_until_ms
    if late_ms > OVERDUE_MS:
        held += f" {late_ms / 1000:.0f} s ago: nobody succeeds in taking it over"
    change, alone = "its holder renewing the lease", False
    if state.kind == RECOVERY or state.state != SERVING:
        well = standing(region, view, policy, policy.stability_window_s, now_ms)
        held += f"; {well.why}" if well.alone else ""
        alone = well.alone
        if alone and state.kind == FAILOVER:
            # No Region finishes its own failover, and the others may be dead. It may come back.
            if state.state != DRAINED or state.mode != AUTOMATIC:
                change += ", or an operator starting its recovery (forced)"
                return decision(TAKE_OVER, held, change, page=True)
            alone = well.healthy_s >= policy.stability_window_s
    return decision(TAKE_OVER, held, change, page=late_ms > OVERDUE_MS, alone=alone)


def _drained(
    region: str,
    state: RegionState,
    decision: _Maker,
    view: View,
    policy: Policy,
    now_ms: int,
) -> Decision:
    well = standing(region, view, policy, policy.stability_window_s, now_ms)
    if state.mode != AUTOMATIC:
        words = f"{region} was drained by an operator's order ({state.incident}, {state.mode})"
        if well.alone:
            forced = "an operator starting its recovery (forced)"
            return decision(HOLD, f"{words}; {well.why}", forced, "ordered", page=True)
        return decision(NONE, words, "an operator starting its recovery", "ordered")
    if not well.healthy_s:
        return decision(NONE, f"stays drained: {well.why}", "every observer calling it healthy")
    if well.healthy_s < policy.stability_window_s:
        words = f"{region} healthy for {well.healthy_s:.0f} s of {policy.stability_window_s} s"
        return decision(NONE, words, "the stability window passing")
    held = holds.before_return(region, view.control, policy, now_ms, well.alone)
    if held is not None:
        words = f"{held.words}; {well.why}" if well.alone else held.words
        return decision(HOLD, words, held.change, page=held.page)
    return decision(RECOVERY, well.why, well.would_change, alone=well.alone)


def due(view: View, decisions: Sequence[Decision]) -> tuple[Due, ...]:
    """The workflows that the decisions call for. Names are the same whoever computes them."""
    starts = []
    for decision in decisions:
        region, state = decision.region, view.control.of(decision.region)
        if state.toggle_wanted and state.toggle_wanted != state.toggle:
            starts.append(Due(TOGGLE, region, {"region": region}))
        given: dict[str, Any] = {
            "application": view.application,
            "region": region,
            "mode": AUTOMATIC,
            "diagnosis": decision.diagnosis,
            "reasons": list(decision.reasons),
        }
        if decision.action == FAILOVER:
            name = incident_id(view.application, region, state.epoch + 1)
            starts.append(Due(FAILOVER, name, given | {"incident": name}))
        elif decision.action == RECOVERY:
            name = f"{state.incident}-r{state.attempts + 1}"
            given |= {"incident": state.incident}
            starts.append(Due(RECOVERY, name, given, by_own=decision.alone))
        elif decision.action == TAKE_OVER:
            # Where nothing else serves a failover is not finished: it ends in a return.
            workflow = RECOVERY if state.kind == RECOVERY or decision.alone else FAILOVER
            # After the token that it is taken from: that of all Regions grows with any claim.
            name = f"{state.incident}-t{state.token + 1}"
            given |= {"incident": state.incident}
            starts.append(Due(workflow, name, given, by_own=decision.alone))
    return tuple(starts)
