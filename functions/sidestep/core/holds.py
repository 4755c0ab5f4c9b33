"""What holds automation back, in words: orders, and how much may be moved how often. Pure.

Detection asks none of this; only acting does.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidestep.core.control import ControlState, Move, RegionState
from sidestep.core.maintenance import open_window, utc
from sidestep.core.policy import Policy

DAY_MS = 86_400_000
ORDER = "the time named, or an operator's order"
SEEN = "the time named, an operator's order, or an acknowledgement"


@dataclass(frozen=True)
class Hold:
    """What holds back, and what would end that, both in words; `page` that a person should look."""

    words: str
    change: str
    page: bool = True


def orders(region: str, control: ControlState, policy: Policy, now_ms: int) -> str | None:
    """Whether people want nothing of a Region to be moved by itself, in words."""
    if policy.observe_only:
        return "observe_only is on: detection is told, nothing is moved"
    return paused(region, control, now_ms) or window(region, policy, now_ms)


def before_drain(region: str, control: ControlState, policy: Policy, now_ms: int) -> Hold | None:
    """Why an automatic drain may not happen now; None when it may.

    Waiting after a Region's own last incident ends with its acknowledgement; the daily budget,
    which is everybody's, does not.
    """
    held = orders(region, control, policy, now_ms)
    if held:
        return Hold(held, ORDER)
    used_up = spent(control, policy, now_ms)
    if used_up:
        return Hold(used_up, ORDER)
    if control.acknowledgement(region) is not None:
        return None
    waiting = _undrained(control.of(region), policy, now_ms) or _cooling(
        region, control, policy, now_ms
    )
    return Hold(waiting, SEEN) if waiting else None


def drains(control: ControlState, now_ms: int) -> list[Move]:
    """The drains of the last 24 hours, of all Regions."""
    return [m for m in control.moves if m.what == "drain" and 0 <= now_ms - m.at_ms < DAY_MS]


def spent(control: ControlState, policy: Policy, now_ms: int) -> str | None:
    """Whether the daily budget of drains is used up, in words."""
    made = len(drains(control, now_ms))
    if made < policy.max_drains_per_day:
        return None
    return f"{made} drains in 24 hours, as many as max_drains_per_day allows"


def _undrained(state: RegionState, policy: Policy, now_ms: int) -> str | None:
    """How long to wait after failovers that were put down without a drain, in words."""
    if not state.undrained:
        return None
    wait = policy.undrained_retry_s * policy.cooldown_factor ** (state.undrained - 1)
    wait = min(wait, policy.cooldown_max_s)
    passed = (now_ms - state.since_ms) / 1000
    if passed >= wait:
        return None
    return (
        f"{state.incident} was put down without a drain {passed:.0f} s ago; the next is "
        f"tried {wait:.0f} s after it ({state.undrained} in a row)"
    )


def _cooling(region: str, control: ControlState, policy: Policy, now_ms: int) -> str | None:
    """How long to wait after a Region's last move and its drains of a day, in words."""
    moved = [m.at_ms for m in control.moves if m.region == region]
    times = sum(m.region == region for m in drains(control, now_ms))
    if not moved or not times:
        return None
    wait = patience_s(policy, times)
    passed = (now_ms - max(moved)) / 1000
    if passed >= wait:
        return None
    return (
        f"{region} moved {passed:.0f} s ago; cool-down is {wait:.0f} s "
        f"after {times} drains in 24 hours"
    )


def before_return(
    region: str, control: ControlState, policy: Policy, now_ms: int, alone: bool = False
) -> Hold | None:
    """Why a Region may not be brought back by itself now; None when it may.

    A return that fails is a drain more, so the daily budget is of returns too. Where nothing else
    serves (`alone`) it is not: a return is not backed out while nothing else could serve
    (docs/decisions/012). Then the wait between tries does not grow either.
    """
    used_up = None if alone else spent(control, policy, now_ms)
    if used_up:
        change = "those drains being a day old, or an operator starting its recovery"
        return Hold(f"{region} could return; {used_up}", change)
    state = control.of(region)
    wait = patience_s(policy, min(state.attempts, 1) if alone else state.attempts)
    passed = (now_ms - state.since_ms) / 1000
    if passed < wait and control.acknowledgement(region) is None:
        words = f"{region}'s return did not succeed {passed:.0f} s ago; the next is tried"
        words += f" {wait:.0f} s after it ({state.attempts} tried)"
        change = "that time passing, an operator starting its recovery, or an acknowledgement"
        return Hold(words, change, page=alone)
    held = orders(region, control, policy, now_ms)
    return Hold(f"{region} could return; {held}", "that order ending", alone) if held else None


def seen(region: str, control: ControlState, trouble_since_ms: int | None) -> str | None:
    """Who has acknowledged a Region's trouble after the last observer had begun to say so (epoch
    ms; None: nobody says so), in words; None for nobody. What came later has not been seen."""
    given = control.acknowledgement(region)
    if given is None or trouble_since_ms is None or trouble_since_ms > given.at_ms:
        return None
    return f"acknowledged by {given.owner}"


def patience_s(policy: Policy, times: int) -> float:
    """Seconds to wait after something happened so many times: growing, with an end; 0 for none."""
    if not times:
        return 0.0
    return min(policy.cooldown_s * policy.cooldown_factor ** (times - 1), policy.cooldown_max_s)


def paused(region: str, control: ControlState, now_ms: int) -> str | None:
    """Whose pause holds a Region, in words; None when there is none."""
    pause = control.pause_of(region, now_ms)
    if pause is None:
        return None
    what = "" if pause is control.paused else f"{region} is "
    left = (pause.until_ms - now_ms) / 1000
    return f"{what}paused by {pause.owner} for another {left:.0f} s: {pause.reason}"


def window(region: str, policy: Policy, now_ms: int) -> str | None:
    """The maintenance window that is open for a Region, and its end, in words; None for none."""
    found = open_window(policy.maintenance, region, now_ms)
    if found is None:
        return None
    opened, ends_ms = found
    return f"a maintenance window of {region} is open until {utc(ends_ms)} ({opened.words})"
