"""Whether each Region's switch at Route 53 follows the control item, once nothing is in the way.

Route 53's control plane may be away while a Region is drained or brought back: the gate alone
does it then, and a later look of any observer puts the switch right. Nobody would notice if none
did: the next drain or return sets it anyway. So it is looked at in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from localcloud.cloud import LocalCloud
from localcloud.endpoint import GLOBAL_HOME
from localcloud.kernel import Steps
from localcloud.scenario import Fault
from localcloud.simulation.effects import Broken
from sidestep.core.control import DRAINED, SERVING

FOLLOWS_S = 45.0
"""How long a switch may be wrong: looks begin 10 s apart, 20 s where one took longer (observe's
"Wait for the next look"); the second of two finds what the first one's try did not put right,
and a try is a few calls."""
AT_WORK_S = 75.0
"""How long a Region has been unharmed when it is sure to look: the next minute's execution of
observe has begun (its schedule in template.yaml), and so has its first look."""
_EVERY_S = 5.0
_FOR_ALL = frozenset({"route53-down", "coordination-down", "events-late", "duplicates"})
"""Kinds that keep every Region's observer from it: one of the two APIs is away, or its schedule."""
_ASIDE = frozenset({"paused-by-operator", "workflow-crash", "started-by-hand", "redriven-by-hand"})
"""Kinds that keep none from it: what puts a switch right is no move, and no workflow of its own."""
_CUTS = frozenset({"region-down", "region-isolated", "link-cut"})
"""Kinds that put one of the two APIs out of others' reach, where they strike its Region."""


class Switches:
    """Looks at a world's switches. `broken` hears of each that is wrong for too long."""

    def __init__(self, cloud: LocalCloud, faults: Sequence[Fault], broken: Broken) -> None:
        self._cloud, self._faults, self._broken = cloud, faults, broken
        self._wrong_since: dict[str, float] = {}
        self._told: set[str] = set()

    def start(self) -> None:
        """Look every few seconds from now on."""
        self._cloud.kernel.process(self._look_on())

    def _look_on(self) -> Steps[None]:
        env = self._cloud.kernel.env
        while True:
            yield env.timeout(_EVERY_S)
            self.look(float(env.now))

    def look(self, now_s: float) -> None:
        """One look at all of them."""
        states = self._cloud.control().get("regions", {})
        topology = self._cloud.topology
        free = someone_can_follow(self._faults, topology.regions, topology.coordination, now_s)
        for region in topology.regions:
            now = states.get(region, {"state": SERVING, "holder": ""})
            settled = now["state"] in (DRAINED, SERVING) and not now["holder"]
            wrong = settled and self._is_open(region) != (now["state"] == SERVING)
            if not wrong:
                self._told.discard(region)
            if not (wrong and free):
                self._wrong_since.pop(region, None)
                continue
            since = self._wrong_since.setdefault(region, now_s)
            if now_s - since > FOLLOWS_S and region not in self._told:
                self._told.add(region)
                stands = "open" if now["state"] == DRAINED else "shut"
                words = f"{region} is {now['state']} and its switch {stands} since {since:.0f} s"
                self._broken("switch-follows", words)

    def _is_open(self, region: str) -> bool:
        checks = self._cloud.route53.checks
        ending = f"-{region}-ToggleCheck"
        return all(checks.state(one.id) for one in checks if one.caller_reference.endswith(ending))


def someone_can_follow(
    faults: Sequence[Fault], regions: Sequence[str], coordination: Sequence[str], now_s: float
) -> bool:
    """Whether nothing keeps some guarded Region's observer from setting switches."""
    apis = {GLOBAL_HOME, *coordination}
    harmed: set[str] = set()
    for fault in faults:
        where = {fault.region, str(fault.settings.get("peer", ""))}
        in_the_way = fault.kind in _FOR_ALL or (fault.kind in _CUTS and where & apis)
        if in_the_way and fault.in_force(now_s, now_s):
            return False
        if fault.kind not in _ASIDE and fault.in_force(now_s - AT_WORK_S, now_s):
            harmed |= where
    return not set(regions) <= harmed
