"""What holds automation back, in words: orders, and how much may be moved how often. Pure.

Detection asks none of this; only acting does.
"""

from __future__ import annotations

from sidestep.core.control import ControlState
from sidestep.core.maintenance import open_window, utc
from sidestep.core.policy import Policy

DAY_MS = 86_400_000


def orders(region: str, control: ControlState, policy: Policy, now_ms: int) -> str | None:
    """Whether people want nothing of a Region to be moved by itself, in words."""
    if policy.observe_only:
        return "observe_only is on: detection is told, nothing is moved"
    return paused(region, control, now_ms) or window(region, policy, now_ms)


def before_drain(region: str, control: ControlState, policy: Policy, now_ms: int) -> str | None:
    """Why an automatic drain may not happen now; None when it may."""
    held = orders(region, control, policy, now_ms)
    if held:
        return held
    state = control.of(region)
    if state.undrained:
        wait = policy.undrained_retry_s * policy.cooldown_factor ** (state.undrained - 1)
        wait = min(wait, policy.cooldown_max_s)
        passed = (now_ms - state.since_ms) / 1000
        if passed < wait:
            return (
                f"{state.incident} was put down without a drain {passed:.0f} s ago; the next is "
                f"tried {wait:.0f} s after it ({state.undrained} in a row)"
            )
    drains = [m for m in control.moves if m.what == "drain" and 0 <= now_ms - m.at_ms < DAY_MS]
    if len(drains) >= policy.max_drains_per_day:
        return f"{len(drains)} drains in 24 hours, as many as max_drains_per_day allows"
    moved = [m.at_ms for m in control.moves if m.region == region]
    mine = sum(m.region == region for m in drains)
    if moved and mine:
        wait = patience_s(policy, mine)
        passed = (now_ms - max(moved)) / 1000
        if passed < wait:
            return (
                f"{region} moved {passed:.0f} s ago; cool-down is {wait:.0f} s "
                f"after {mine} drains in 24 hours"
            )
    return None


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
