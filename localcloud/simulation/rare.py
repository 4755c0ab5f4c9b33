"""Worlds that put one promise to the test which hardly any other world does."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from localcloud.scenario import Fault
from localcloud.simulation.rare_kind import FROM_S, Drawn, Rare, failing

WAITS_S = 900.0
"""How long a fault waits for a step: a failover, its return and a person's rounds have come."""
_QUICK = {
    **{"traffic_deadline_s": 30, "replication_deadline_s": 30, "lease_s": 30},
    **{"stability_window_s": 20, "probation_s": 20, "cooldown_s": 60},
}
LONG_WINDOW_S = 180
OUTLIVES_S = (60.0, 75.0)
"""Added to each transition of a failover: two lie between its claim and its last look at the votes,
and by then the reason is gone; two more before its drain."""
BLIPS_S = (0.8, 1.4)
"""Less than two looks in a row can see (localcloud/simulation/harm.py, BLIP_S)."""
BLIP_APART_S = 63.0
"""From one blip to the next: what is left of one is forgotten by then (harm.py, FORGOTTEN_S)."""
_LOST_S = (120.0, 200.0)
"""How long a Region is gone before there is a new one: its failover has put back by then what is
in ledgers alone. Nobody builds one so soon; longer would be the same and take more time."""
_AMID_S = (8.0, 25.0)
"""How long the trouble stands that a Region is lost in."""
_GOOD_LOOKS_S = 30.0
"""From a failure's end until every observer calls the Region healthy: `Policy.probe_good_streak`
looks, ten seconds apart."""


def rare_world(seed: int, regions: Sequence[str], kinds: Sequence[str] | None) -> Drawn | None:
    """What a seed's world has of its own where it is a rare one; None for all others."""
    worlds = (rare.drawn(seed, regions, kinds) for rare in RARE)
    return next((world for world in worlds if world is not None), None)


def _two_drills(chance: random.Random, _: str, regions: Sequence[str]) -> Drawn:
    """Two people start drills of two Regions, the second one before the first is noticed."""
    first_s, apart_s = chance.uniform(*FROM_S), chance.uniform(0.0, 12.0)
    minutes = chance.choice((2.0, 5.0))
    asked: dict[str, float | str] = {
        "workflow": "drill",
        "minutes": minutes,
        "mode": "manual",
        "return_after_s": 0.0,
    }
    faults = tuple(
        Fault("started-by-hand", region, round(at_s, 1), 5.0, settings=asked)
        for region, at_s in zip(
            chance.sample(regions, 2), (first_s, first_s + apart_s), strict=True
        )
    )
    return Drawn(faults)


def _long_window(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """A Region is well again when nobody is at its incident, and the policy wants it to be so for
    longer than a return takes by itself: good looks, a replica that is proven to have caught up."""
    fault = failing(harm, chance.choice(regions), chance.uniform(*FROM_S), chance.uniform(120, 170))
    return Drawn((fault,), _QUICK | {"stability_window_s": LONG_WINDOW_S})


def _fails_on_probation(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """A Region fails, is drained, comes back, and fails again while it is on probation."""
    region, probation_s = chance.choice(regions), chance.choice((60, 120))
    first = failing(harm, region, chance.uniform(*FROM_S), chance.uniform(40.0, 60.0))
    second = Fault(
        kind=harm,
        region=region,
        at_s=0.0,
        for_s=round(chance.uniform(50.0, 70.0), 1),
        settings=first.settings,
        after_step="Note that it is on probation",
        delay_s=round(chance.uniform(1.0, probation_s / 2), 1),
        waits_s=WAITS_S,
    )
    return Drawn((first, second), _QUICK | {"probation_s": probation_s})


def _second_fails(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """Another Region fails while the first is still out, which becomes well at any time of that. Of
    two Regions it is the only one that served: the first comes back by its own observer's word."""
    first, second = chance.sample(regions, 2)
    longer_s = chance.uniform(0.0, 80.0)
    failure = failing(harm, first, chance.uniform(*FROM_S), 60.0 + longer_s)
    kind = chance.choice((harm, "region-down"))
    other = replace(
        failing(kind, second, 0.0, chance.uniform(80.0, 200.0)),
        after_step="Note that it is drained",
        delay_s=round(chance.uniform(1.0, 60.0 + longer_s), 1),
        waits_s=WAITS_S,
    )
    policy = _QUICK | {"stability_window_s": chance.choice((20, 60))}
    return Drawn((failure, other), policy, hindered=True)


def _forced_back(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """A person forces a drained Region back, which may still fail: as its clients leave, later, or
    in the midst of a return that began by itself."""
    region, at_s = chance.choice(regions), chance.uniform(*FROM_S)
    failure = failing(harm, region, at_s, chance.uniform(50, 110))
    after = chance.choice(("Watch traffic leave", "Finish", "See whether it is stable"))
    order = Fault(
        kind="started-by-hand",
        region=region,
        for_s=5.0,
        settings={"workflow": "recovery", "minutes": 5.0, "mode": "forced", "return_after_s": 0.0},
        after_step=after,
        delay_s=round(chance.uniform(0.0, 40.0), 1),
        waits_s=WAITS_S,
    )
    policy = _QUICK | {"stability_window_s": chance.choice((20, 60))}
    return Drawn((failure, order), policy, 1.0, hindered=True)


def _stale_replica(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """Nothing replicates into a Region when it becomes stable after a failure: since a while, but
    not for so long that observers would take its lag for a reason (`Policy.lag_limit_ms`)."""
    region, window_s = chance.choice(regions), 60
    failure = failing(harm, region, chance.uniform(*FROM_S), chance.uniform(90.0, 120.0))
    stable_s = failure.at_s + failure.for_s + _GOOD_LOOKS_S + window_s
    paused = Fault(
        kind="replication-paused",
        region=region,
        at_s=round(stable_s - chance.uniform(20.0, 50.0), 1),
        for_s=round(chance.uniform(120.0, 180.0), 1),
    )
    return Drawn((failure, paused), _QUICK | {"stability_window_s": window_s}, 2.0)


def _void_order(chance: random.Random, _: str, regions: Sequence[str]) -> Drawn:
    """A person's failover is cut short before it has claimed, so that the person starts another;
    when the Region is back, somebody redrives the first. A redrive goes on where its execution
    ended: only one that had not claimed yet asks to be granted anything."""
    region, at_s = chance.choice(regions), round(chance.uniform(*FROM_S), 1)
    mode = chance.choice(("manual", "forced"))
    asked: dict[str, float | str] = {"workflow": "failover", "minutes": 5.0, "mode": mode}
    cut = Fault("workflow-crash", "", round(at_s - 1.0, 1), 2.0, settings={"share": 1.0})
    first, second = (
        Fault(
            kind="started-by-hand",
            region=region,
            at_s=round(at_s + later_s, 1),
            for_s=5.0,
            settings=asked | {"return_after_s": return_after_s},
        )
        for later_s, return_after_s in ((0.0, 0.0), (chance.uniform(5.0, 30.0), 60.0))
    )
    redriven = Fault(
        kind="redriven-by-hand",
        region="",
        for_s=5.0,
        after_step="Close the incident",
        delay_s=round(chance.uniform(3.0, 8.0), 1),
        waits_s=WAITS_S,
    )
    return Drawn((cut, first, second, redriven), _QUICK)


def _outlived_reason(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """A Region is well again soon after its failover has begun, which takes minutes from there to
    its drain: wherever it may be carried out, executions become slow as the incident is claimed."""
    region = chance.choice(regions)
    failure = failing(harm, region, chance.uniform(*FROM_S), chance.uniform(25.0, 35.0))
    slow = tuple(
        Fault(
            kind="workflow-slow",
            region=other,
            for_s=400.0,
            settings={"extra_s": round(chance.uniform(*OUTLIVES_S), 1)},
            after_step="Claim the incident",
            waits_s=WAITS_S,
        )
        for other in regions
        if other != region
    )
    return Drawn((failure, *slow))


def _partition(chance: random.Random, _: str, regions: Sequence[str]) -> Drawn:
    """A Region is cut off from the three others, and one link of theirs is cut, too, for longer.
    The Region at its end is seen to be well by one more and by its clients; who is cut off sees
    nothing, and what it took for their trouble is not to count when it sees again."""
    alone, one, other, _fourth = regions
    at_s, for_s = chance.uniform(*FROM_S), chance.uniform(60.0, 100.0)
    links = [(alone, peer, for_s) for peer in regions if peer != alone]
    links.append((one, other, for_s + chance.uniform(30.0, 60.0)))
    return Drawn(
        tuple(
            Fault("link-cut", here, round(at_s, 1), round(lasts_s, 1), settings={"peer": peer})
            for here, peer, lasts_s in links
        )
    )


def _lone_witness(chance: random.Random, _: str, regions: Sequence[str]) -> Drawn:
    """The link between two Regions is cut, and executions stand still in all but one of the two: of
    the observers its own alone is heard, and the Region at the other end is silent as others are
    that it calls well."""
    witness, *silent = chance.sample(regions, len(regions))
    at_s, for_s = round(chance.uniform(*FROM_S), 1), round(chance.uniform(100.0, 140.0), 1)
    cut = Fault("link-cut", witness, at_s, for_s, settings={"peer": silent[0]})
    still = (
        Fault(
            kind="workflow-slow",
            region=region,
            at_s=round(at_s + chance.uniform(0.0, 10.0), 1),
            for_s=round(for_s - 30.0, 1),
            settings={"extra_s": round(chance.uniform(70.0, 120.0), 1)},
        )
        for region in silent
    )
    return Drawn((cut, *still))


def _blips(chance: random.Random, harm: str, regions: Sequence[str]) -> Drawn:
    """A Region fails for a moment, time and again, while every minute's `observe` is started twice:
    two looks of an observer are often made side by side, and see the same moment."""
    at_s, times = chance.uniform(120.0, 140.0), 6
    every_s = BLIP_APART_S + chance.uniform(2.0, 8.0)
    blip = failing(harm, chance.choice(regions), at_s, chance.uniform(*BLIPS_S))
    twice = Fault(
        kind="duplicates",
        region="",
        at_s=round(chance.uniform(*FROM_S), 1),
        for_s=round(at_s + times * every_s - FROM_S[0], 1),
        settings={"share": 1.0},
    )
    return Drawn((twice, replace(blip, times=times, every_s=round(every_s, 1))))


def _lost_alone(chance: random.Random, _: str, regions: Sequence[str]) -> Drawn:
    """A Region is lost for good, and with it what had just been accepted there."""
    return Drawn((_lost(chance, chance.choice(regions), chance.uniform(*FROM_S)),), _QUICK, 2.0)


def _lost_in_trouble(chance: random.Random, trouble: str, regions: Sequence[str]) -> Drawn:
    """One of the two paths out of the Region is closed or slow by then."""
    return _lost_amid(chance, (trouble,), chance.choice(regions))


def _lost_with_both(chance: random.Random, _: str, regions: Sequence[str]) -> Drawn:
    """Both paths are closed by then: what the Region accepts meanwhile goes with it."""
    return _lost_amid(chance, ("replication-paused", "bus-down"), chance.choice(regions))


def _lost_amid(chance: random.Random, troubles: Sequence[str], region: str) -> Drawn:
    """The Region is lost while it is in trouble, which is over while it is gone."""
    lost = _lost(chance, region, chance.uniform(*FROM_S) + _AMID_S[1])
    faults = [lost]
    for kind in troubles:
        before_s, after_s = chance.uniform(*_AMID_S), chance.uniform(0.0, 60.0)
        extra_s = chance.uniform(5.0, 60.0)
        faults.append(failing(kind, region, lost.at_s - before_s, before_s + after_s, extra_s))
    return Drawn(tuple(faults), _QUICK, 2.0)


def _lost(chance: random.Random, region: str, at_s: float) -> Fault:
    return failing("region-lost", region, at_s, chance.uniform(*_LOST_S))


SEEN_HARMS = ("health-errors", "write-errors", "bad-deploy")
"""What observers see of a Region, and that leaves it reachable."""
RARE = (
    Rare("two drills", _two_drills, with_=("started-by-hand",)),
    Rare("long window", _long_window, harms=SEEN_HARMS),
    Rare("fails on probation", _fails_on_probation, harms=SEEN_HARMS),
    Rare("second fails", _second_fails, harms=SEEN_HARMS, with_=("region-down",)),
    Rare("forced back", _forced_back, harms=SEEN_HARMS, with_=("started-by-hand",)),
    Rare(
        "stale replica",
        _stale_replica,
        harms=("health-errors", "bad-deploy"),
        with_=("replication-paused",),
    ),
    Rare(
        "void order",
        _void_order,
        with_=("started-by-hand", "workflow-crash", "redriven-by-hand"),
    ),
    Rare("outlived reason", _outlived_reason, harms=SEEN_HARMS, with_=("workflow-slow",)),
    Rare("partition", _partition, with_=("link-cut",), size=4),
    Rare("lone witness", _lone_witness, with_=("link-cut", "workflow-slow"), size=3),
    Rare("blips", _blips, harms=("health-errors",), with_=("duplicates",), size=4),
    Rare("region lost", _lost_alone, with_=("region-lost",)),
    Rare(
        "region lost in trouble",
        _lost_in_trouble,
        harms=("replication-paused", "replication-slow", "bus-down"),
        with_=("region-lost",),
    ),
    Rare(
        "region lost with both paths closed",
        _lost_with_both,
        with_=("region-lost", "replication-paused", "bus-down"),
    ),
)
