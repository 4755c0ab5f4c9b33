"""Whether a Region that comes back has what was written elsewhere while it was away.

Asked of its replica itself in the moment when the control item says RESTORING, not of the
heartbeats by which the workflow goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localcloud.audit import held
from localcloud.clients import AckedWrite
from localcloud.cloud import LocalCloud
from localcloud.faults.by_hand import FORCED_BACK
from localcloud.services.tables import Change, plain
from localcloud.simulation.effects import Broken
from localcloud.simulation.harm import Harm
from sidestep.core.control import DRAINED, RESTORING, SERVING
from sidestep.core.policy import Policy

Key = tuple[str, str]
"""Of an execution of the recovery: (Region, name)."""
_LOOKS, _STABLE = "See whether it is stable", "See whether its replica has caught up"
_BEGINS_ANEW = frozenset({"Claim the incident", "Wait until it is stable"})
"""States of the recovery: before the last three the time from which it counts is another."""
_OVERTAKEN_S = 180.0
"""How long after replication was late a newer heartbeat may have overtaken older writes: the latest
that is drawn (twice `replication-slow`'s default of 60 s), and the minute of before it was stable.
AWS promises no order, and nothing to measure it by but ten times `worst_lag_ms`, which the policy
gives (core/replication.py)."""


class Returns:
    """Watches a world's returns. `broken` hears of each that came before what it had missed."""

    def __init__(self, cloud: LocalCloud, harm: Harm, policy: Policy, broken: Broken) -> None:
        self._cloud, self._harm, self._policy, self._broken = cloud, harm, policy, broken
        self._begun_s: dict[Key, float] = {}
        self._looked_s: dict[Key, float] = {}
        self._stable_s: dict[Key, float] = {}
        """When a recovery last looked before it knew the Region to be stable: what was written
        until then is waited for."""
        self._serves_since_s: dict[str, float] = dict.fromkeys(cloud.topology.regions, 0.0)
        self._writes: Callable[[], Iterable[AckedWrite]] = tuple
        self._coordination, self._data = cloud.table("coordination"), cloud.table("data")
        cloud.services.dynamodb.on_write.append(self._written)
        cloud.kernel.subscribe(self.hear)

    def start(self, writes: Callable[[], Iterable[AckedWrite]]) -> None:
        """From now on clients write, and `writes` is what they were told is stored."""
        self._writes = writes

    def hear(self, event: Mapping[str, Any]) -> None:
        """One event of the history: how far recoveries have come."""
        if event["kind"] != "step" or event["machine"] != "recovery":
            return
        key, state, at_s = (event["region"], event["execution"]), event["state"], event["t"]
        self._begun_s.setdefault(key, at_s)
        if state in _BEGINS_ANEW:
            self._stable_s.pop(key, None)
        elif state == _LOOKS:
            self._looked_s[key] = at_s
        elif state == _STABLE:
            self._stable_s.setdefault(key, self._looked_s.get(key, at_s))

    def _written(self, _: str, table: str, changes: list[Change]) -> None:
        for change in changes if table == self._coordination else ():
            if change.new is None or change.old is None:
                continue
            new, old = plain(change.new), plain(change.old)
            if new["sk"] != "control":
                continue
            for region, state in new.get("regions", {}).items():
                was = old.get("regions", {}).get(region)
                if was is not None and was["state"] != state["state"]:
                    self._changed(region, was["state"], state)

    def _changed(self, region: str, before: str, state: Mapping[str, Any]) -> None:
        now_s = float(self._cloud.kernel.env.now)
        self._serves_since_s.pop(region, None)
        if state["state"] == SERVING:
            self._serves_since_s[region] = now_s
        forced = FORCED_BACK in state["holder"]
        if (before, state["state"]) == (DRAINED, RESTORING) and not forced:
            self._returns(region, str(state["holder"]), now_s)

    def _returns(self, region: str, holder: str, now_s: float) -> None:
        key = (holder.split(":")[3], holder.rpartition(":")[2])
        if now_s - self._begun_s.get(key, now_s) > self._policy.stability_deadline_s:
            return  # the data is in doubt, and said to be (recovery's "Decide whether it has ...")
        stable_s = self._stable_s.get(key)
        if stable_s is None:
            words = f"{region} is on its way back, and {holder} never looked at its replica"
            self._broken("caught-up", words)
            return
        if self._nothing_else_was_well(region, now_s):
            return  # nobody could prove anything, and clients had nowhere else to go
        lacking = [write for write in self._writes() if self._is_missed(write, region, stable_s)]
        if lacking and not self._was_overtaken(stable_s, now_s):
            newest = max(lacking, key=lambda write: write.at_s)
            words = (
                f"{region} is on its way back without {len(lacking)} writes of before "
                f"{stable_s:.1f} s, one by {newest.region} of {newest.at_s:.1f} s"
            )
            self._broken("caught-up", words)

    def _nothing_else_was_well(self, region: str, now_s: float) -> bool:
        """Whether each other Region that served was harmed, or cut off from all, until lately."""
        regions = self._cloud.topology.regions
        others = (one for one in self._serves_since_s if one != region)
        return all(self._harm.excuses(one, regions, now_s) for one in others)

    def _is_missed(self, write: AckedWrite, region: str, stable_s: float) -> bool:
        """Whether another Region, one that has served since, wrote it before, and it lacks."""
        by = write.region
        serves = self._serves_since_s.get(by, stable_s) < stable_s
        its_own = write.origin == by and by != region
        if not (its_own and serves and write.at_s < stable_s):
            return False
        return held(self._cloud.services.dynamodb, self._data, region, write.id) is None

    def _was_overtaken(self, since_s: float, now_s: float) -> bool:
        late = (s for s in self._harm.strikes if s.kind == "replication-slow")
        return any(strike.in_force(since_s - _OVERTAKEN_S, now_s) for strike in late)
