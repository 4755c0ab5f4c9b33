"""What is known of a deployed application right now, and what the decision makes of it.

Read from the coordination table and changed nowhere. The decision is `core.decide`'s own, on what
is stored: so it is told even where it is "none", and whoever asks sees what an observer would see
in its next round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sidestep.aws.ballots import Everything
from sidestep.core import holds
from sidestep.core.control import (
    AUTOMATIC,
    COUNTED,
    SERVING,
    Acknowledgement,
    Pause,
)
from sidestep.core.decide import Decision, decide
from sidestep.core.findings import View, fresh
from sidestep.core.handover import ByHand, by_hand
from sidestep.core.policy import Policy
from sidestep.core.returning import standing
from sidestep.core.votes import UNKNOWN, Ballot, Vote

RecordOf = Callable[[str], Mapping[str, Any] | None]
"""Reads an incident's record; None where there is none."""


@dataclass(frozen=True)
class Verdict:
    """An observer's word on a Region. `words` are its evidence's, those first that speak against
    the Region; `does_not_count` says why nobody goes by it, "" where it counts. Ages in seconds."""

    observer: str
    verdict: str
    since_ms: int | None
    looked_s: float | None
    cast_s: float | None
    does_not_count: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """What would hold automation back from this Region's next move, and what would end that."""

    words: str
    change: str


@dataclass(frozen=True)
class RegionStatus:
    """A guarded Region. `since_ms` 0: from the beginning. `lease_left_s` is None where nobody
    holds its incident, and negative where the lease has run out."""

    region: str
    decision: Decision
    state: str
    since_ms: int
    incident: str
    kind: str
    mode: str
    holder: str
    lease_left_s: float | None
    toggle: str
    toggle_wanted: str
    held: Held | None
    paused: Pause | None
    window: str | None
    acknowledged: Acknowledgement | None
    verdicts: tuple[Verdict, ...]
    by_hand: tuple[ByHand, ...]


@dataclass(frozen=True)
class Status:
    """An application. `policy_file` is None where the defaults are assumed; `behind_ms` says how
    far the clock of whoever asks is behind the newest ballot's."""

    application: str
    at_ms: int
    behind_ms: int
    policy_file: str | None
    serving: int
    drains_left: int
    drains_a_day: int
    paused: Pause | None
    maintenance: tuple[str, ...]
    regions: tuple[RegionStatus, ...]
    not_guarded: tuple[str, ...]
    """Regions that are known from earlier, and that the newest ballot says nothing of."""

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), indent=2)


def status_of(
    application: str,
    known: Everything,
    policy: Policy,
    now_ms: int,
    record_of: RecordOf,
    behind_ms: int = 0,
    policy_file: str | None = None,
) -> Status:
    """What is known, as it stands at `now_ms`."""
    regions = guarded(known)
    control, view = known.control, known.view(application, regions)
    decisions = decide(view, policy, now_ms)
    drains = len(holds.drains(control, now_ms))
    everybodys = control.paused
    return Status(
        application=application,
        at_ms=now_ms,
        behind_ms=behind_ms,
        policy_file=policy_file,
        serving=sum(control.of(region).state in COUNTED for region in regions),
        drains_left=max(0, policy.max_drains_per_day - drains),
        drains_a_day=policy.max_drains_per_day,
        paused=everybodys if everybodys and everybodys.in_force(now_ms) else None,
        maintenance=tuple(f"{one.region}: {one.words}" for one in policy.maintenance),
        regions=tuple(_region(decision, view, policy, now_ms, record_of) for decision in decisions),
        not_guarded=tuple(sorted({*known.registry, *control.regions} - {*regions})),
    )


def guarded(known: Everything) -> tuple[str, ...]:
    """The guarded Regions. Their list is in the functions' environment; an observer votes on all
    of it, so the newest ballot tells it. Without one: all that were ever registered or moved."""
    newest = max(known.ballots.values(), key=lambda ballot: ballot.at_ms, default=None)
    if newest is None:
        return tuple(sorted({*known.registry, *known.control.regions}))
    return tuple(sorted({newest.observer, *newest.votes}))


def _region(
    decision: Decision, view: View, policy: Policy, now_ms: int, record_of: RecordOf
) -> RegionStatus:
    region, control = decision.region, view.control
    state, own_pause = control.of(region), control.paused_regions.get(region)
    return RegionStatus(
        region=region,
        decision=decision,
        state=state.state,
        since_ms=state.since_ms,
        incident=state.incident,
        kind=state.kind,
        mode=state.mode,
        holder=state.holder,
        lease_left_s=(state.lease_until_ms - now_ms) / 1000 if state.holder else None,
        toggle=state.toggle,
        toggle_wanted=state.toggle_wanted,
        held=_held(region, view, policy, now_ms),
        paused=own_pause if own_pause and own_pause.in_force(now_ms) else None,
        window=holds.window(region, policy, now_ms),
        acknowledged=control.acknowledgement(region),
        verdicts=tuple(
            _verdict(observer, region, view, policy, now_ms) for observer in view.regions
        ),
        by_hand=_by_hand(region, view, policy, now_ms, record_of),
    )


def _held(region: str, view: View, policy: Policy, now_ms: int) -> Held | None:
    """Of what is under way nothing is held, nor does a Region come back by itself that a person
    has drained."""
    state = view.control.of(region)
    if state.unfinished or (state.state != SERVING and state.mode != AUTOMATIC):
        return None
    if state.state == SERVING:
        hold = holds.before_drain(region, view.control, policy, now_ms)
    else:
        alone = standing(region, view, policy, policy.stability_window_s, now_ms).alone
        hold = holds.before_return(region, view.control, policy, now_ms, alone)
    return Held(hold.words, hold.change) if hold else None


def _verdict(observer: str, region: str, view: View, policy: Policy, now_ms: int) -> Verdict:
    def age(at_ms: int) -> float:
        return (now_ms - at_ms) / 1000

    cast = {ballot.observer: ballot for ballot in view.ballots}
    still_fresh = {ballot.observer: ballot for ballot in fresh(view, policy, now_ms)}
    ballot = still_fresh.get(observer) or cast.get(observer)
    if ballot is None:
        return Verdict(observer, UNKNOWN, None, None, None, "it has never cast a ballot", ())
    why, vote = "", ballot.votes.get(region)
    if observer not in still_fresh:
        why = f"its last ballot is too old (limit {policy.vote_max_age_s} s)"
    elif not ballot.observer_healthy:
        why = ballot.why
    if vote is None:
        return Verdict(
            observer, UNKNOWN, None, None, age(ballot.at_ms), why or _no_vote(ballot), ()
        )
    return Verdict(
        observer,
        vote.verdict,
        vote.since_ms,
        age(vote.looked_ms) if vote.looked_ms else None,
        age(ballot.at_ms),
        why,
        _words(vote),
    )


def _no_vote(ballot: Ballot) -> str:
    return f"its list of Regions is another: {', '.join(sorted(ballot.votes))}"


def _words(vote: Vote) -> tuple[str, ...]:
    """What speaks against the Region, then what proves nothing, then what speaks for it."""
    worst_first = sorted(vote.evidence, key=lambda one: (True, None, False).index(one.bad))
    return tuple(one.words for one in worst_first)


def _by_hand(
    region: str, view: View, policy: Policy, now_ms: int, record_of: RecordOf
) -> tuple[ByHand, ...]:
    """The commands for an incident that is open and that nobody holds: those of them that would
    be taken now."""
    state = view.control.of(region)
    if state.leased(now_ms) or (state.state == SERVING and not state.unfinished):
        return ()
    # What it was drained by may not be known, and so neither the account: then there are none.
    holder = state.holder or _last_holder(record_of(state.incident))
    return by_hand(region, holder, view, policy, now_ms)


def _last_holder(record: Mapping[str, Any] | None) -> str:
    """Who wrote an incident's record last; "" for nobody."""
    steps = record.get("steps", ()) if record else ()
    return str(steps[-1]["holder"]) if steps else ""
