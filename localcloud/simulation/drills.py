"""Whether two Regions ever answer errors for drills' sake at once, seen in their own tables."""

from __future__ import annotations

from typing import Any

from localcloud.cloud import LocalCloud
from localcloud.kernel import Steps
from localcloud.services.tables import Change, plain
from localcloud.simulation.effects import Broken
from localcloud.simulation.harm import Harm

BRIEFLY_S = 10.0
"""Two drills that begin together each find the other's fault beside their own and remove what they
injected: two steps of a workflow, a second or two in all."""
_BY_HAND = frozenset({"started-by-hand", "paused-by-operator", "health-errors", "bad-deploy"})
"""Kinds that keep no drill from removing its fault: it does not run where it breaks, and needs no
health check's answer."""


class Drills:
    """Watches drills' faults. `broken` hears of two that stand for longer than it takes to see."""

    def __init__(self, cloud: LocalCloud, harm: Harm, broken: Broken) -> None:
        self._kernel, self._harm, self._broken = cloud.kernel, harm, broken
        self._table = cloud.table("regional")
        self._until_s: dict[str, float] = {}
        """Region → when the fault that stands in it ends by itself."""
        cloud.services.dynamodb.on_write.append(self._written)

    def _written(self, region: str, table: str, changes: list[Change]) -> None:
        for change in changes if table == self._table else ():
            item = plain(change.new or change.old)
            if item["pk"] != "fault":
                continue
            if change.new is None:
                self._until_s.pop(region, None)
            else:
                self._injected(region, item)

    def _injected(self, region: str, fault: dict[str, Any]) -> None:
        left_s = int(fault["until"]) / 1000 - float(self._kernel.now)
        self._until_s[region] = float(self._kernel.env.now) + left_s
        if len(self._standing()) > 1:
            self._kernel.process(self._look_again())

    def _standing(self) -> list[str]:
        now_s = float(self._kernel.env.now)
        return sorted(region for region, until_s in self._until_s.items() if until_s > now_s)

    def _look_again(self) -> Steps[None]:
        since_s = float(self._kernel.env.now)
        yield self._kernel.env.timeout(BRIEFLY_S)
        self.look(since_s, float(self._kernel.env.now))

    def look(self, since_s: float, now_s: float) -> None:
        """Two faults stood at `since_s`: whether they still do, and nothing explains it."""
        standing = self._standing()
        kept = any(
            strike.in_force(since_s - BRIEFLY_S, now_s)
            for strike in self._harm.strikes
            if strike.kind not in _BY_HAND and strike.kind != "drill"
        )
        if len(standing) > 1 and not kept:
            self._broken("one-drill", f"drills' faults stand in {' and '.join(standing)}")
