"""What struck which Region from when to when, and which drains that was a reason for.

Heard from the history, not read off the plan: a fault may wait for a workflow's step, or strike
wherever one runs, and a drill's fault is in no plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from localcloud.faults.kinds import KINDS

LATE_S = 60.0
"""How long after a harm's end a drain may begin that was decided on it: a round of every observer
that sees the Region well again, or the age at which a silent one's vote is void."""
_SKEW_S = 60.0
"""How much longer where clocks are wrong: a vote looks younger to one that is behind."""
_STATES_TO_DRAIN = 2
"""Transitions from failover's "Check again", which takes no vote of an older look than the policy
allows, to "Drain by the gate", each late where executions are slow. What came before cannot make
a look younger: votes are as old as their looks."""
BLIP_S = 1.5
"""Harm of less than this cannot be seen by two looks that count as two: they begin five seconds
apart (core/votes.py, APART_MS), and a look gives its first request, which may meet a cold start,
three and a half (aws/endpoint_probe.py)."""
FORGOTTEN_S = 60.0
"""After so long nothing is left of a blip: three good looks, of up to twenty seconds each."""
_AT_ONCE = "health-errors"
"""The kind that a look's first request sees, and that answers at once: how long a look takes, and
what the canaries behind it get, adds nothing to how long it is seen."""
_ALONGSIDE = frozenset({"duplicates", "bus-down", "route53-down"})
"""Kinds that make a Region look no worse, and looks no longer: what else is in force beside a blip
may explain a drain."""
_DRILL = "drill"
_TELLS_NOTHING = frozenset({"link-cut", "replication-paused", "replication-slow"})
"""Kinds that do harm, and never make one Region worse than another for its clients."""
_SERVICES_OF_THE_API = frozenset({"dynamodb", "any"})
"""Services without which a Region's API fails: a refusing bus makes it keep its events."""
_TWO = 2
_SILENCING = frozenset(
    {"stepfunctions-down", "workflow-slow", "lambda-lost", "lambda-killed", "api-errors"}
)
"""Kinds that may keep a Region's own observer from looking, voting or being heard."""


@dataclass(frozen=True)
class Strike:
    """One fault in force; `until_s` infinite while it is."""

    kind: str
    region: str
    settings: Mapping[str, Any]
    since_s: float
    until_s: float = math.inf

    def in_force(self, since_s: float, until_s: float) -> bool:
        """Whether it was so at some moment between the two."""
        return self.since_s <= until_s and since_s <= self.until_s

    @property
    def harms(self) -> bool:
        """Whether its Region's clients get worse answers than those of others."""
        if self.kind == _DRILL:
            return True
        if self.kind == "api-errors":
            return self.settings["service"] in _SERVICES_OF_THE_API
        return not KINDS[self.kind].aside and self.kind not in _TELLS_NOTHING


class Harm:
    """Hears a run's faults as they strike and end."""

    def __init__(self) -> None:
        self.strikes: list[Strike] = []

    def hear(self, event: Mapping[str, Any]) -> None:
        """One event of the history."""
        kind, at_s = event["kind"], float(event["t"])
        if kind == "fault":
            known = {"kind", "t", "what", "region"}
            settings = {name: value for name, value in event.items() if name not in known}
            self.strikes.append(Strike(event["what"], event["region"], settings, at_s))
        elif kind == "fault_over":
            self._end(event["what"], event["region"], at_s)
        elif kind == "drill_fault" and event["injected"]:
            self.strikes.append(Strike(_DRILL, event["region"], {}, at_s))
        elif kind == "drill_fault":
            self._end(_DRILL, event["region"], at_s)

    def _end(self, kind: str, region: str, at_s: float) -> None:
        # Of two that overlap it does not matter which ends: together they last as long.
        for number, strike in enumerate(self.strikes):
            if (strike.kind, strike.region, strike.until_s) == (kind, region, math.inf):
                self.strikes[number] = replace(strike, until_s=at_s)
                return

    def excuses(self, region: str, regions: Sequence[str], at_s: float) -> bool:
        """Whether a drain of a Region that begins now has a reason, old enough ones forgotten."""
        lately = list(self._lately(at_s))
        harmed = any(strike.harms and strike.region == region for strike in lately)
        return harmed or _lost_to_all(region, regions, lately)

    def was_a_blip(self, region: str, at_s: float) -> bool:
        """Whether all that has harmed a Region until now was too short for two looks in a row to
        see, and nothing beside it may have made it look worse, or clocks wrong."""
        lately = [one for one in self.strikes if one.in_force(at_s - FORGOTTEN_S, at_s)]
        harms = [one for one in lately if (one.kind, one.region) == (_AT_ONCE, region)]
        explained = any(one not in harms and one.kind not in _ALONGSIDE for one in lately)
        skewed = any(one.kind == "clock-skew" for one in self.strikes)
        # In force still, it has lasted until now.
        lasted_s = sum(min(one.until_s, at_s) - one.since_s for one in harms)
        return bool(harms) and lasted_s < BLIP_S and not explained and not skewed

    def named(self, at_s: float) -> list[str]:
        """What was in force lately, in words."""
        return sorted({f"{one.kind} {one.region}".strip() for one in self._lately(at_s)})

    def _lately(self, at_s: float) -> Iterator[Strike]:
        skewed = any(strike.kind == "clock-skew" for strike in self.strikes)
        prompt_s = at_s - LATE_S - (_SKEW_S if skewed else 0.0)
        since_s = prompt_s
        slow = [strike for strike in self.strikes if strike.kind == "workflow-slow"]
        for strike in slow:
            # Of several at once in one Region each adds to a transition.
            extra_s = sum(
                float(other.settings["extra_s"])
                for other in slow
                if other.region == strike.region and other.in_force(strike.since_s, strike.until_s)
            )
            slowed_s = prompt_s - _STATES_TO_DRAIN * extra_s
            # One that was over before that cannot have held this drain up.
            if strike.in_force(slowed_s, at_s):
                since_s = min(since_s, slowed_s)
        return (strike for strike in self.strikes if strike.in_force(since_s, at_s))


def _lost_to_all(region: str, regions: Sequence[str], lately: Sequence[Strike]) -> bool:
    """Whether a Region is cut off from all others, as one that is isolated. Of two Regions each is,
    and neither more than the other: one whose own observer is kept from speaking cannot be told
    from one that is down (docs/policy.md)."""
    cut = [{s.region, s.settings["peer"]} for s in lately if s.kind == "link-cut"]
    silent = any(
        strike.kind == "workflow-crash" or (strike.kind in _SILENCING and strike.region == region)
        for strike in lately
    )
    alone = all({region, other} in cut for other in regions if other != region)
    return alone and (silent or len(regions) > _TWO)
