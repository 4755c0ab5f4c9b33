"""What is half done and nobody finishes: who tells people, when, and with which commands. Pure.

An incident whose holder is gone is taken over by an observer. Where an order withholds that
(`observe_only`, a pause, a window), or nobody succeeds in it, only a person can end it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidestep.core.control import (
    FAILOVER,
    FORCED,
    MANUAL,
    RECOVERY,
    Claim,
    RegionState,
    plan_claim,
)
from sidestep.core.decide import HOLD, OVERDUE_MS, Decision
from sidestep.core.findings import View, counting
from sidestep.core.incidents import commands_for_a_person
from sidestep.core.policy import Policy

AGAIN_MS = 600_000
"""So long after people were first told they are told again, and then after twice as long each time:
a message may be lost, and may be read by nobody. Chosen, not measured."""
AGAIN_MAX_MS = 6 * 3_600_000
"""The longest such wait."""
STANDS_BACK_MS = 60_000
"""Who told last leaves the next time to the others for so long, six rounds: its topic may be what
does not work."""
_ORDERS = (
    (FAILOVER, MANUAL, "drain it, until somebody brings it back"),
    (RECOVERY, MANUAL, "bring it back, once it is stable and has caught up"),
    (RECOVERY, FORCED, "bring it back, whatever is known of it"),
)
"""What each of `commands_for_a_person` is: workflow, mode, purpose."""


@dataclass(frozen=True)
class ByHand:
    """A command for a person, and what it is for."""

    purpose: str
    command: str


@dataclass(frozen=True)
class Told:
    """That people were told of a Region's half-done incident: the token of the holder that is gone,
    when last (epoch ms), how many times, and which Region's observer told it last."""

    token: int
    at_ms: int
    times: int
    by: str

    def wait_ms(self, observer: str) -> int:
        """How long after it an observer may tell it again."""
        wait = min(AGAIN_MS * int(2 ** (self.times - 1)), AGAIN_MAX_MS)
        return wait + (STANDS_BACK_MS if self.by == observer else 0)


@dataclass(frozen=True)
class Handover:
    """A message to people, and what is to be noted before it is sent, so that one observer does."""

    region: str
    subject: str
    message: str
    told: Told


def handovers(
    view: View,
    decisions: Sequence[Decision],
    told: Mapping[str, Told],
    policy: Policy,
    observer: str,
    now_ms: int,
) -> tuple[Handover, ...]:
    """What this observer should tell people now, of what has been `told` of each Region."""
    made = []
    for decision in decisions:
        state, last = view.control.of(decision.region), told.get(decision.region)
        if not _needs_hands(decision, state, now_ms):
            continue
        # Whoever holds it next has another token: what becomes of that is told anew.
        if last is not None and last.token != state.token:
            last = None
        if last is not None and now_ms < last.at_ms + last.wait_ms(observer):
            continue
        noted = Told(state.token, now_ms, last.times + 1 if last else 1, observer)
        made.append(_handover(decision, view, policy, noted, now_ms))
    return tuple(made)


def by_hand(
    region: str, holder: str, view: View, policy: Policy, now_ms: int
) -> tuple[ByHand, ...]:
    """The commands for a Region's incident that nobody holds: those that would be taken now.
    `holder` held it last; where that is no execution the account is not known, and there are none.
    """
    if not holder.startswith("arn:"):
        return ()
    state = view.control.of(region)
    claim = Claim(
        *(view.application, region, state.incident, state.kind, state.mode, state.token),
        *(holder, state.lease_until_ms),
    )
    commands = commands_for_a_person(claim, _best_place(region, view, policy, now_ms))
    return tuple(
        ByHand(purpose, command)
        for (kind, mode, purpose), command in zip(_ORDERS, commands, strict=True)
        if _would_be_taken(region, kind, mode, view, policy, now_ms)
    )


def _needs_hands(decision: Decision, state: RegionState, now_ms: int) -> bool:
    """A take-over that begins within its time needs nobody, even where a page says more of it."""
    if not state.unfinished or state.leased(now_ms) or not decision.page:
        return False
    return decision.action == HOLD or now_ms - state.lease_until_ms > OVERDUE_MS


def _handover(decision: Decision, view: View, policy: Policy, noted: Told, now_ms: int) -> Handover:
    region, state = decision.region, view.control.of(decision.region)
    lines = [
        f"{state.incident} ({region}, {state.kind}, {state.mode}) is half done, and nobody "
        f"finishes it: {'; '.join(decision.reasons)}",
        f"What would change that: {decision.would_change}",
        *(
            f"To {one.purpose}: {one.command}"
            for one in by_hand(region, state.holder, view, policy, now_ms)
        ),
        f"While it stays so you are told again, next in {noted.wait_ms('') // 60_000} minutes.",
    ]
    return Handover(region, f"Sidestep needs you: {region}", "\n".join(lines), noted)


def _would_be_taken(
    region: str, kind: str, mode: str, view: View, policy: Policy, now_ms: int
) -> bool:
    lease_ms, somebody = policy.lease_s * 1000, "a person"
    plan = plan_claim(
        *(view.control, view.application, region, kind, mode),
        *(somebody, None, lease_ms, now_ms),
    )
    return plan.state is not None


def _best_place(region: str, view: View, policy: Policy, now_ms: int) -> str:
    """Where a person should start a workflow about a Region: best in another one, that serves and
    whose observer's word counts; the Region itself where there is no other."""
    at_work = {ballot.observer for ballot in counting(view, policy, now_ms)}
    serving = view.control.counted(view.regions)
    return min(
        view.regions, key=lambda one: (one == region, one not in at_work, one not in serving)
    )
