"""Who moves a Region, by what right, and how long a return is watched: seen in the tables.

Each claim, state and mark is heard as it is written, and held against what came before it; nothing
here asks the code that decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.cloud import LocalCloud
from localcloud.services.tables import Change, plain
from localcloud.simulation.effects import Broken
from localcloud.simulation.harm import Harm
from localcloud.simulation.invariants import SEEN, SLOW, is_plain
from sidestep.core.control import (
    AUTOMATIC,
    DRAINED,
    DRAINING,
    FAILOVER,
    PROBATION,
    RECOVERY,
    RESTORING,
    SERVING,
)
from sidestep.core.policy import Policy

_OUT = frozenset({DRAINING, DRAINED, RESTORING})
_MOMENT_S = 1.0
"""The control item has epoch milliseconds of before its write."""
SKEW_S = 61.0
"""How much earlier a time may seem to have passed where clocks are wrong: one Region's may be 30 s
ahead and another's 30 s late (localcloud/simulation/plan.py, `ahead_s`)."""
NOTICED_S = 45.0
"""For how long a Region has to have failed before the last look of its probation, so that every
observer has looked twice, a round apart, and the look has found their votes."""
_STATES_TO_CLOSE = 3
"""From that look until the control item says SERVING, each late where executions are slow."""


class Moves:
    """Watches a world's control item and its wardens' marks. `broken` hears what must not be."""

    def __init__(self, cloud: LocalCloud, harm: Harm, policy: Policy, broken: Broken) -> None:
        self._harm, self._policy, self._broken = harm, policy, broken
        self._kernel = cloud.kernel
        self._started_s: dict[str, float] = {}
        """Execution, as `_execution` names it → when it was started."""
        self._ended: set[str] = set()
        self._redriven: set[str] = set()
        self._worked: dict[str, tuple[float, str]] = {}
        """Region → when its state was last changed, or put down, and by whom."""
        self._out: set[tuple[str, int]] = set()
        """(Region, token) under which the control item has said that the Region is on its way
        out, out, or not yet back."""
        self._probation_s: dict[str, float] = {}
        """Region → since when it is on probation in the same hands."""
        self._hears = {
            cloud.table("coordination"): self._coordinated,
            cloud.table("regional"): self._marked,
        }
        cloud.services.dynamodb.on_write.append(self._written)
        cloud.kernel.subscribe(self.hear)

    def hear(self, event: Mapping[str, Any]) -> None:
        """One event of the history: executions start, end, and are redriven."""
        if event["kind"] != "workflow":
            return
        name = f"{event['region']}:{event['machine']}:{event['execution']}"
        if event["status"] != "RUNNING":
            self._ended.add(name)
        elif name in self._ended:
            self._redriven.add(name)
        else:
            self._started_s.setdefault(name, float(event["t"]))

    def _written(self, region: str, table: str, changes: list[Change]) -> None:
        hear = self._hears.get(table)
        for change in changes:
            if hear is not None and change.new is not None:
                hear(region, plain(change.new), plain(change.old) if change.old else None)

    @property
    def _now_s(self) -> float:
        return float(self._kernel.env.now)

    # -- claims and states -----------------------------------------------------------------------

    def _coordinated(self, _: str, new: dict[str, Any], old: dict[str, Any] | None) -> None:
        if new["sk"] != "control":
            return
        before = (old or {}).get("regions", {})
        for region, state in new.get("regions", {}).items():
            was = before.get(region)
            if was is None or state == was:
                continue
            if state["holder"] and state["holder"] != was["holder"]:
                self._claimed(region, state)
            if state["state"] in _OUT:
                self._out.add((region, int(state["token"])))
            self._watched(region, state, was)
            if state["since_ms"] != was["since_ms"]:
                by = str(state["holder"] or was["holder"])
                self._worked[region] = (self._now_s, by)

    def _claimed(self, region: str, state: Mapping[str, Any]) -> None:
        holder = str(state["holder"])
        by_itself = state["kind"] == FAILOVER and state["mode"] == AUTOMATIC
        if by_itself and holder.split(":")[3] == region:
            self._broken("from-outside", f"{holder} holds {region}'s failover, and runs in it")
        name = _execution(holder)
        worked_s, by = self._worked.get(region, (0.0, holder))
        if name in self._redriven and by != holder and worked_s > self._started_s[name]:
            words = (
                f"{holder} was started at {self._started_s[name]:.0f} s and redriven, and was "
                f"granted {region}, which {by} worked on at {worked_s:.0f} s"
            )
            self._broken("void-order", words)

    def _watched(self, region: str, state: Mapping[str, Any], was: Mapping[str, Any]) -> None:
        if state["state"] == PROBATION:
            if was["state"] != PROBATION or (state["holder"] not in ("", was["holder"])):
                self._probation_s[region] = self._now_s
            return
        since_s = self._probation_s.pop(region, None)
        # A person's failover that takes a return over and is refused leaves the Region serving.
        if since_s is None or state["state"] != SERVING or state["kind"] != RECOVERY:
            return
        lasted_s, wanted_s = self._now_s - since_s, float(self._policy.probation_s)
        slack_s = self._slack_s(since_s)
        if lasted_s < wanted_s - slack_s:
            words = f"{region} was on probation for {lasted_s:.0f} s of {wanted_s:.0f} s"
            self._broken("probation-kept", words)
        for kind in self._failed(region, self._now_s - wanted_s + slack_s):
            words = f"{region} had {kind} on probation, and its incident was closed"
            self._broken("probation-kept", words)

    def _slack_s(self, since_s: float) -> float:
        skewed = any(
            s.kind == "clock-skew" and s.in_force(since_s - SKEW_S, self._now_s)
            for s in self._harm.strikes
        )
        return _MOMENT_S + (SKEW_S if skewed else 0.0)

    def _failed(self, region: str, since_s: float) -> list[str]:
        """What observers cannot have overlooked of a Region from then until now."""
        slow_s = sum(float(s.settings["extra_s"]) for s in self._harm.strikes if s.kind == SLOW)
        looked_s = self._now_s - _MOMENT_S - _STATES_TO_CLOSE * slow_s
        return [
            strike.kind
            for strike in self._harm.strikes
            if strike.region == region and strike.kind in SEEN and is_plain(strike)
            if strike.in_force(since_s, self._now_s)
            if min(strike.until_s, looked_s) - strike.since_s > NOTICED_S
        ]

    # -- marks -----------------------------------------------------------------------------------

    def _marked(self, warden: str, new: dict[str, Any], old: dict[str, Any] | None) -> None:
        if new["pk"] != "drained" or not new["drained"] or (old is not None and old["drained"]):
            return
        region, token = str(new["sk"]), int(new["token"])
        if token and (region, token) not in self._out:
            words = f"{warden} was told under token {token} that {region} is out, and it serves"
            self._broken("out-first", words)


def _execution(holder: str) -> str:
    """A holder, which is an execution's ARN, as the history names it."""
    _, _, _, region, _, _, machine, name = holder.split(":")
    return f"{region}:{machine.rsplit('-', 1)[-1]}:{name}"
