"""Whether what takes a Region out of DNS follows the control item, once nothing is in the way.

A Region has a switch at Route 53 and a gate: what two wardens answer to health checkers. Either
is enough to take it out, so that the one may be wrong for long and nobody would notice: the
other covers it up, and the next drain or return sets it anyway. So each is looked at by itself,
as Route 53 holds it to be, and not as a workflow says that it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.calls.endpoint import GLOBAL_HOME
from localcloud.cloud import LocalCloud
from localcloud.kernel import Steps
from localcloud.simulation.effects import Broken, is_open
from localcloud.simulation.harm import Harm, Strike
from sidestep.core.control import DRAINED, SERVING
from sidestep.core.topology import wardens_of

FOLLOWS_S = 45.0
"""How long a switch may be wrong: looks begin 10 s apart, 20 s where one took longer (observe's
"Wait for the next look"); the second of two finds what the first one's try did not put right,
and a try is a few calls. A warden's answer needs a look of its own observer, and one of each
checker, which come 10 s apart."""
CONFIRMED_S = 120.0
"""How much longer a warden may answer for a Region that is not out any more: a mark that its
observer saw to be right is not read again for so long (control/_marks.py, CONFIRM_AFTER_MS)."""
AT_WORK_S = 75.0
"""How long a Region has been unharmed when it is sure to look: the next minute's execution of
observe has begun (its schedule in template.yaml), and so has its first look."""
ALL_OUT_S = 20.0
"""How long our own doing may keep every Region out: one that has just come back is in the control
item before its wardens' checkers have asked again."""
_EVERY_S = 5.0
_FOR_ALL = frozenset({"route53-down", "coordination-down", "events-late", "duplicates"})
"""Kinds that keep every Region's observer from it: one of the two APIs is away, or its schedule."""
_ASIDE = frozenset({"paused-by-operator", "started-by-hand", "redriven-by-hand"})
"""Kinds that keep none from it: what puts a switch right is no move, and no workflow of its own."""
_CUTS = frozenset({"region-down", "region-lost", "region-isolated", "link-cut"})
"""Kinds that put one of the two APIs out of others' reach, where they strike its Region."""


@dataclass(frozen=True)
class _Lever:
    """Something that takes a Region out of DNS: its health check's name ends in `check`.
    `warden`: who answers for it; "" for the switch at Route 53."""

    region: str
    check: str
    warden: str = ""

    def words(self, is_open: bool) -> str:
        """What it is and how it stands."""
        how = "open" if is_open else "shut"
        return f"gate at {self.warden} {how}" if self.warden else f"switch {how}"


class Switches:
    """Looks at a world's switches and gates. `broken` hears of each that is wrong for too long."""

    def __init__(self, cloud: LocalCloud, harm: Harm, broken: Broken) -> None:
        self._cloud, self._harm, self._broken = cloud, harm, broken
        self._levers = tuple(_levers(cloud.topology.regions))
        self._wrong_since: dict[_Lever, float] = {}
        self._told: set[_Lever] = set()
        self._all_out_since: float | None = None

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
        stands = self._stands()
        free = self._free(now_s)
        for lever in self._levers:
            now = states.get(lever.region, {"state": SERVING, "holder": ""})
            self._judge(lever, stands.get(lever, True), now, free[lever.warden], now_s)
        shut = {lever.region for lever, is_open in stands.items() if not is_open}
        self._judge_all(shut >= set(self._cloud.topology.regions), now_s)

    def _judge(
        self, lever: _Lever, is_open: bool, now: Mapping[str, Any], free: bool, now_s: float
    ) -> None:
        settled = now["state"] in (DRAINED, SERVING) and not now["holder"]
        wrong = settled and is_open != (now["state"] == SERVING)
        if not wrong:
            self._told.discard(lever)
        if not (wrong and free):
            self._wrong_since.pop(lever, None)
            return
        since = self._wrong_since.setdefault(lever, now_s)
        limit = FOLLOWS_S + (CONFIRMED_S if lever.warden and not is_open else 0.0)
        if now_s - since > limit and lever not in self._told:
            self._told.add(lever)
            words = f"{lever.region} is {now['state']} and its {lever.words(is_open)}"
            invariant = "gate-follows" if lever.warden else "switch-follows"
            self._broken(invariant, f"{words} since {since:.0f} s")

    def _judge_all(self, out: bool, now_s: float) -> None:
        if not out:
            self._all_out_since = None
            return
        if self._all_out_since is None:
            self._all_out_since = now_s
        if self._all_out_since >= 0 and now_s - self._all_out_since > ALL_OUT_S:
            words = (
                f"our switches and gates keep every Region out since {self._all_out_since:.0f} s"
            )
            self._broken("never-the-last", words)
            self._all_out_since = -1.0  # told

    def _stands(self) -> dict[_Lever, bool]:
        """Whether each lets its Region be in DNS, as Route 53 holds it now."""
        checks = self._cloud.route53.checks
        endings = {f"-{lever.region}-{lever.check}": lever for lever in self._levers}
        return {
            lever: checks.state(one.id) if lever.warden else is_open(one)
            for one in checks
            for ending, lever in endings.items()
            if one.caller_reference.endswith(ending)
        }

    def _free(self, now_s: float) -> dict[str, bool]:
        """Whether a warden, or for "" any observer, can put right what is wrong, by name."""
        topology = self._cloud.topology
        harmed = harmed_lately(self._harm.strikes, topology.regions, now_s)
        stopped = is_stopped(self._harm.strikes, ("dynamodb",), topology.coordination, now_s)
        free = {one: not stopped and one not in harmed for one in topology.regions}
        free[""] = someone_can_follow(
            self._harm.strikes, topology.regions, topology.coordination, now_s
        )
        return free


def _levers(regions: Sequence[str]) -> Iterator[_Lever]:
    for region in regions:
        yield _Lever(region, "RegionCheck")
        for number, warden in enumerate(wardens_of(region, regions), start=1):
            yield _Lever(region, f"Warden{number}Check", warden)


def someone_can_follow(
    strikes: Sequence[Strike], regions: Sequence[str], coordination: Sequence[str], now_s: float
) -> bool:
    """Whether nothing keeps some guarded Region's observer from setting switches."""
    if is_stopped(strikes, ("route53", "dynamodb"), coordination, now_s):
        return False
    return not set(regions) <= harmed_lately(strikes, regions, now_s)


def is_stopped(
    strikes: Sequence[Strike], needs: Sequence[str], coordination: Sequence[str], now_s: float
) -> bool:
    """Whether something keeps every observer from it: an API that it needs, or its schedule."""
    apis = {*coordination, *((GLOBAL_HOME,) if "route53" in needs else ())}
    for strike in strikes:
        if strike.kind == "route53-down" and "route53" not in needs:
            continue
        where = {strike.region, str(strike.settings.get("peer", ""))}
        in_the_way = strike.kind in _FOR_ALL or (strike.kind in _CUTS and where & apis)
        if in_the_way and strike.in_force(now_s, now_s):
            return True
    return False


def harmed_lately(
    strikes: Sequence[Strike], regions: Sequence[str], now_s: float
) -> frozenset[str]:
    """Regions that something strikes, or has struck so short a while ago that their observers may
    not be at work yet. Executions that end where they stand are everybody's."""
    lately = [s for s in strikes if s.kind not in _ASIDE and s.in_force(now_s - AT_WORK_S, now_s)]
    if any(strike.kind == "workflow-crash" for strike in lately):
        return frozenset(regions)
    where = {str(strike.settings.get("peer", "")) for strike in lately}
    return frozenset(where | {strike.region for strike in lately})
