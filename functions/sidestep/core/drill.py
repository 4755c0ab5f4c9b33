"""May a drill run, and must it end? Nothing that holds a drill back holds a failover back.

A drill's fault may be what holds the failover of another Region back (too few others can serve):
so it ends when another is called impaired, and not only when that one is being drained.
"""

from __future__ import annotations

from sidestep.core import holds
from sidestep.core.capacity import shortfall
from sidestep.core.control import SERVING, ControlState
from sidestep.core.findings import View, counting, find, unheard
from sidestep.core.policy import Policy

MAX_MINUTES = 60
"""Longest that a drill's fault may stand."""


def unseen(view: View, policy: Policy, now_ms: int) -> tuple[str, ...]:
    """Regions whose observers have no ballot that counts: it is not known how things are."""
    known = {ballot.observer for ballot in counting(view, policy, now_ms)}
    return tuple(region for region in view.regions if region not in known)


def obstacles(region: str, view: View, policy: Policy, now_ms: int) -> tuple[str, ...]:
    """All that is in the way of a drill on a Region, in words: what is open, held, suspected, or
    too few to take the Region's traffic."""
    counted = counting(view, policy, now_ms)
    found = [*in_trouble(view.control, view.regions, "")]
    for one in view.regions:
        suspicion = find(one, counted, policy).reasons
        if suspicion:
            found.append(f"{one} is suspected: {'; '.join(suspicion)}")
    orders = (holds.orders(one, view.control, policy, now_ms) for one in view.regions)
    # What holds all of them is said once.
    found += dict.fromkeys(words for words in orders if words)
    if len(view.regions) - 1 < policy.min_serving_regions:
        found.append(f"{policy.min_serving_regions} Regions must go on serving")
    short = shortfall([one for one in view.regions if one != region], policy.capacity_percent)
    if short is not None:
        found.append(short)
    return tuple(found)


def elsewhere(region: str, view: View, policy: Policy, now_ms: int) -> tuple[str, ...]:
    """What is wrong in other Regions than the drill's, in words: then it must end."""
    counted = counting(view, policy, now_ms)
    moving = in_trouble(view.control, view.regions, but=region)
    mute = unheard(view, policy, now_ms)
    bad = (find(one, counted, policy, mute) for one in view.regions if one != region)
    return (*moving, *(f"{found.region} is impaired" for found in bad if found.impaired))


def in_trouble(control: ControlState, regions: tuple[str, ...], but: str) -> tuple[str, ...]:
    """Regions, `but` one, that do not serve or whose incident is in somebody's hands."""
    return tuple(
        f"{region} is {control.of(region).state}"
        for region in regions
        if region != but and (control.of(region).state != SERVING or control.of(region).unfinished)
    )
