"""Is a Region well enough to come back, or to stay, and could another one serve instead? Pure.

Two rules for the first question, and they are asked in this order:

- *By all*: every counting observer, its own included, has called it healthy for the window.
- *Alone*: its own observer has, at work all the while, and nothing else serves by what is known.
  Each other Region that is in DNS calls itself impaired, or its observer's word does not count,
  and nobody's word that counts calls it healthy. There is nobody left to ask, and nothing that a
  wrong return could harm (docs/decisions/012).

The second question is about knowing, too: a Region is given up for another only where somebody
whose word counts calls that one healthy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sidestep.core.control import AUTOMATIC
from sidestep.core.findings import View, able, counting, find, fresh, healthy_for_s, unheard
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, Ballot


@dataclass(frozen=True)
class Standing:
    """For how many seconds a Region has been well, by which rule, and why that is known."""

    healthy_s: float
    why: str
    alone: bool = False

    @property
    def would_change(self) -> str:
        """What would end its being well enough to return, in words."""
        return "another Region able to serve" if self.alone else "an observer calling it impaired"


def standing(region: str, view: View, policy: Policy, window_s: float, now_ms: int) -> Standing:
    """How long a Region has been well: by all where that fills the window, else alone where that
    rule holds, else by all."""
    counted = counting(view, policy, now_ms)
    finding = find(region, counted, policy, unheard(view, policy, now_ms))
    healthy_s, why = healthy_for_s(finding, now_ms)
    by_all = Standing(healthy_s, why)
    if finding.impaired or (healthy_s and healthy_s >= window_s):
        return by_all
    own = _own_ballot(region, view, counted, policy, now_ms)
    others = nothing_else_serves(region, view, policy, now_ms)
    vote = own.votes.get(region) if own else None
    if others is None or own is None or vote is None or vote.verdict != HEALTHY:
        return by_all
    # Down, it called itself nothing: only others could have seen that it was.
    alone_s = max(0.0, (now_ms - max(vote.since_ms, own.at_work_since_ms)) / 1000)
    words = f"{others}; {region}'s own observer calls it healthy for {alone_s:.0f} s"
    return Standing(alone_s, words, alone=True)


def comes_back_when(mode: str, policy: Policy) -> str:
    """What brings back a Region that was drained in this mode, in words; "it comes back when …"."""
    if mode != AUTOMATIC:
        return "an operator starts its recovery"
    window = f"{policy.stability_window_s} s"
    agreed = {
        "always": "; and a person agrees",
        "when_data_in_doubt": "; and a person agrees where its data is in doubt",
    }.get(policy.approval, "")
    return (
        f"every observer, its own included, has called it healthy for {window} and its replica has "
        f"caught up, or its own alone has where nothing else serves{agreed}"
    )


def nothing_else_serves(region: str, view: View, policy: Policy, now_ms: int) -> str | None:
    """That no other Region in DNS is able by what is known, in words; None where one may be."""
    counted = counting(view, policy, now_ms)
    said = []
    for other in view.control.counted(view.regions):
        if other == region:
            continue
        votes = {b.observer: b.votes[other] for b in counted if other in b.votes}
        own = votes.get(other)
        if own is not None and own.verdict != IMPAIRED:
            return None
        if any(vote.verdict == HEALTHY for vote in votes.values()):
            return None
        said.append(f"{other} calls itself impaired" if own else f"{other}'s word does not count")
    return f"nothing else serves: {', '.join(said) or 'no other Region is in DNS'}"


def known_able(region: str, view: View, policy: Policy, now_ms: int) -> tuple[str, ...]:
    """The other Regions to which traffic could be moved, and that somebody calls healthy."""
    counted = counting(view, policy, now_ms)
    mute = unheard(view, policy, now_ms)
    findings = {one: find(one, counted, policy, mute) for one in view.regions}
    return tuple(
        other
        for other in able(region, findings, view.control)
        if any(vote.verdict == HEALTHY for vote in findings[other].votes)
    )


def _own_ballot(
    region: str, view: View, counted: Sequence[Ballot], policy: Policy, now_ms: int
) -> Ballot | None:
    """The ballot of a Region's own observer; None where its word about it does not count.

    One that reaches none of several peers is not believed, since it may be the one that is cut
    off. Where no other observer has cast a ballot either, that is not what it looks like: the
    others had the same coordination table to cast theirs in.
    """
    by_counted = next((b for b in counted if b.observer == region), None)
    if by_counted is not None:
        return by_counted
    cast = fresh(view, policy, now_ms)
    if [b.observer for b in cast] == [region] and cast[0].replica_works:
        return cast[0]
    return None
