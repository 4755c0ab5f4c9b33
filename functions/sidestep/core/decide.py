"""The decision: ballots, control state and policy in; what to do about each Region, and why, out.

The invariants, before the rules:

- Only fresh ballots of healthy observers count. No votes, no action.
- A Region is impaired (objectively) when most of the *other* Regions' observers say so, or
  its own observer and any other do; or when the failed requests of several of them, its own
  perhaps among them, come to more together than chance explains. What single observers say
  (subjectively) is shown apart.
- The last Region that can serve is never drained, nor one whose load the others cannot carry;
  when all look bad, hold and page.
- Detection always runs and is always told. Acting is a separate question, which core/holds.py
  may answer with "not now": pause, window, observe-only, cool-down, the daily budget.
- The order of ballots, and deciding twice, change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sidestep.core import holds
from sidestep.core.capacity import shortfall
from sidestep.core.control import (
    AUTOMATIC,
    CLOCK_SKEW_MS,
    FAILOVER,
    PROBATION,
    RECOVERY,
    RESTORING,
    SERVING,
    ControlState,
    RegionState,
    incident_id,
)
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, REQUESTS, Ballot, Vote

HOLD, NONE, TAKE_OVER = "hold", "none", "take-over"
TOGGLE = "toggle"
TOGETHER = 1.5
"""Several observers' scores are added (their requests are independent, so logarithms of odds
add up), and have to come to this many times one observer's limit: three chances of a false
alarm instead of one."""


@dataclass(frozen=True)
class View:
    """What is known of an application at one moment."""

    application: str
    regions: tuple[str, ...]
    ballots: tuple[Ballot, ...]
    control: ControlState


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
        }


@dataclass(frozen=True)
class Finding:
    """What the votes about one Region come to."""

    region: str
    impaired: bool
    diagnosis: str
    own: Vote | None
    others: tuple[tuple[str, Vote], ...]
    reasons: tuple[str, ...]

    @property
    def bad_since_ms(self) -> int | None:
        """Since when all who call it impaired have done so; None when nobody does."""
        votes = [vote for _, vote in self.others] + ([self.own] if self.own else [])
        return max((v.since_ms for v in votes if v.verdict == IMPAIRED), default=None)


class _Maker(Protocol):
    """Makes this Region's decision, with the finding's words behind the first sentence."""

    def __call__(
        self,
        action: str,
        words: str,
        change: str,
        diagnosis: str | None = None,
        page: bool = False,
    ) -> Decision: ...


@dataclass(frozen=True)
class Due:
    """A workflow to start: failover or recovery, its execution's name and input.

    `toggle` is no workflow: a switch that Route 53's control plane would not take earlier.
    """

    workflow: str
    name: str
    input: Mapping[str, Any]


def decide(view: View, policy: Policy, now_ms: int) -> tuple[Decision, ...]:
    """A decision for each guarded Region, in the list's order."""
    counted = counting(view, policy, now_ms)
    findings = {region: find(region, counted, policy) for region in view.regions}
    return tuple(
        _decide_one(findings[region], findings, view, counted, policy, now_ms)
        for region in view.regions
    )


def counting(view: View, policy: Policy, now_ms: int) -> tuple[Ballot, ...]:
    """The ballots that count: fresh, of healthy observers, of guarded Regions; in list order."""
    newest: dict[str, Ballot] = {}
    for ballot in view.ballots:
        known = newest.get(ballot.observer)
        if known is None or ballot.at_ms > known.at_ms:
            newest[ballot.observer] = ballot
    return tuple(
        newest[region]
        for region in view.regions
        if region in newest
        and newest[region].observer_healthy
        and now_ms - newest[region].at_ms <= policy.vote_max_age_s * 1000
        and newest[region].at_ms - now_ms <= CLOCK_SKEW_MS
    )


def find(region: str, counted: Sequence[Ballot], policy: Policy) -> Finding:
    """What the counting votes about a Region come to."""
    own = next((b.votes.get(region) for b in counted if b.observer == region), None)
    others = tuple(
        (b.observer, b.votes[region]) for b in counted if b.observer != region and region in b.votes
    )
    against = [observer for observer, vote in others if vote.verdict == IMPAIRED]
    needed = len(others) // 2 + 1
    own_says = own is not None and own.verdict == IMPAIRED
    lone = len(others) == 1
    # One witness is not a quorum: the Region's own word or its silence has to agree.
    agreed = not lone or own is None or own_says
    quorum = len(against) >= needed and agreed
    votes = [*(vote for _, vote in others), *([own] if own else [])]
    together = _together(region, votes, policy) if others else ""
    impaired = bool(others) and (quorum or (own_says and bool(against)) or bool(together))
    reasons = tuple(
        dict.fromkeys(
            e.words
            for vote in votes
            for e in vote.evidence
            if (e.bad and vote.verdict == IMPAIRED)
            or (together and e.signal == REQUESTS and e.bad is not False)
        )
    )
    tally = f"{len(against)} of {len(others)} other observers call {region} impaired"
    rule = f"{needed} needed" if not lone else "and one alone needs its own word or silence"
    silent = f"; {region}'s own observer is silent" if own is None else ""
    summary = f"{tally} ({rule}){silent}"
    words = (summary, *reasons) if against or own_says else reasons
    if together:
        words = (together, *words)
    return Finding(region, impaired, _diagnose(impaired, own, others), own, others, words)


def _together(region: str, votes: Sequence[Vote], policy: Policy) -> str:
    """What the failed requests of several observers come to, if that is enough; else "".

    At least two of them, and one of them more than once: a blip of a moment is seen by all.
    """
    heard = [vote.score for vote in votes if vote.score.looks]
    total, limit = sum(score.value for score in heard), TOGETHER * policy.request_bad_score
    often = any(score.looks >= policy.probe_bad_streak for score in heard)
    if len(heard) < 2 or not often or total < limit:
        return ""
    return (
        f"requests of {len(heard)} observers to {region} failed: together they score "
        f"{total:.1f} (limit {limit:g})"
    )


def healthy_for_s(finding: Finding, now_ms: int) -> tuple[float, str]:
    """Seconds for which every counting observer, its own included, has called it healthy."""
    votes = [vote for _, vote in finding.others]
    if finding.own is None:
        return 0.0, f"{finding.region}'s own observer is silent"
    if not votes or any(v.verdict != HEALTHY for v in (*votes, finding.own)):
        return 0.0, f"not every observer calls {finding.region} healthy"
    since = max(v.since_ms for v in (*votes, finding.own))
    healthy = max(0.0, (now_ms - since) / 1000)
    return healthy, f"every observer calls {finding.region} healthy for {healthy:.0f} s"


def _diagnose(impaired: bool, own: Vote | None, others: Sequence[tuple[str, Vote]]) -> str:
    """The kind of failure, by name."""
    if not others:
        return "observers_blind"
    told = [e for _, vote in others for e in vote.evidence] + list(own.evidence if own else ())
    bad = [e for e in told if e.bad or (e.signal == REQUESTS and e.bad is None)]
    if not impaired:
        if any(e.signal == "lag_ms" and e.bad is None for _, vote in others for e in vote.evidence):
            return "replication_late"
        return "suspected" if bad else "healthy"
    health = [e for e in bad if e.signal == "health"]
    if health and all(e.value is None for e in health):
        return "region_down" if own is None else "cut_off"
    if health:
        return "health_failing"
    if any(e.signal == REQUESTS for e in bad):
        return "requests_failing"
    if any(e.signal == "latency_ms" for e in bad):
        return "brown_out"
    return "alarms"


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
        action: str, words: str, change: str, diagnosis: str | None = None, page: bool = False
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
        )

    if state.unfinished:
        return _unfinished(region, decision, policy, control, now_ms)
    if state.state != SERVING:
        return _drained(finding, state, decision, view, policy, now_ms)
    if not finding.impaired:
        return _not_impaired(finding, decision, counted)
    if window is not None:
        return decision(HOLD, window, "the window ending, or an operator's order")
    serving = [r for r in view.regions if control.of(r).state == SERVING]
    if all(findings[r].impaired for r in serving):
        return decision(
            HOLD,
            f"every serving Region looks impaired ({', '.join(serving)}): not a Regional fault",
            "one Region voted healthy",
            "all_bad",
            page=True,
        )
    left = [r for r in serving if r != region and not findings[r].impaired]
    if len(left) < policy.min_serving_regions:
        return decision(
            HOLD,
            f"only {len(left)} other Regions can serve, {policy.min_serving_regions} must remain",
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
    return decision(
        FAILOVER,
        f"{region} is impaired and {', '.join(left)} can serve",
        f"{policy.probe_good_streak} good looks in a row by its observers",
    )


def _not_impaired(finding: Finding, decision: _Maker, counted: Sequence[Ballot]) -> Decision:
    if not finding.others:
        seen = ", ".join(b.observer for b in counted) or "nobody"
        words = f"no other observer's word counts now (fresh and healthy: {seen})"
        return decision(HOLD, words, "a fresh ballot of another healthy observer", page=True)
    if finding.reasons:
        words = "some see trouble, too few to act"
        return decision(HOLD, words, "another observer, or its own, calling it impaired")
    return decision(NONE, f"{finding.region} is serving and healthy", "votes calling it impaired")


def _unfinished(
    region: str, decision: _Maker, policy: Policy, control: ControlState, now_ms: int
) -> Decision:
    state = control.of(region)
    if state.leased(now_ms):
        left = (state.lease_until_ms - now_ms) / 1000
        words = f"{state.incident} is in the hands of {state.holder} ({state.state})"
        return decision(NONE, words, f"its lease running out (in {left:.0f} s)")
    held = f"the lease of {state.holder} on {state.incident} ran out at {state.state}"
    ordered = holds.orders(region, control, policy, now_ms)
    if ordered:
        return decision(HOLD, f"{held}; {ordered}", "that order ending", page=True)
    return decision(TAKE_OVER, held, "its holder renewing the lease")


def _drained(
    finding: Finding,
    state: RegionState,
    decision: _Maker,
    view: View,
    policy: Policy,
    now_ms: int,
) -> Decision:
    region = finding.region
    if state.mode != AUTOMATIC:
        words = f"{region} was drained by an operator's order ({state.incident}, {state.mode})"
        return decision(NONE, words, "an operator starting its recovery", "ordered")
    stable, why = healthy_for_s(finding, now_ms)
    if not stable:
        return decision(NONE, f"stays drained: {why}", "every observer calling it healthy")
    if stable < policy.stability_window_s:
        words = f"{region} healthy for {stable:.0f} s of {policy.stability_window_s} s"
        return decision(NONE, words, "the stability window passing")
    held = holds.before_return(region, view.control, policy, now_ms)
    if held is not None:
        return decision(HOLD, held.words, held.change, page=held.page)
    return decision(RECOVERY, why, "an observer calling it impaired")


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
            starts.append(Due(RECOVERY, name, given | {"incident": state.incident}))
        elif decision.action == TAKE_OVER:
            recovering = state.kind == RECOVERY or state.state in (RESTORING, PROBATION)
            workflow = RECOVERY if recovering else FAILOVER
            name = f"{state.incident}-t{view.control.token + 1}"
            starts.append(Due(workflow, name, given | {"incident": state.incident}))
    return tuple(starts)


__all__ = [
    "Decision",
    "Due",
    "Finding",
    "View",
    "counting",
    "decide",
    "due",
    "find",
    "healthy_for_s",
]
