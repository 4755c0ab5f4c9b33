"""Replication lag from heartbeats, and when a replica counts as caught up.

Each Region's observer writes a heartbeat item to its own replica every round; every other
Region reads it in its own. No value is unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidestep.core.control import CLOCK_SKEW_MS

EVACUATION_FACTOR = 10
"""AWS's evacuation rule: no metric proves replication complete; without writes, wait ten times
the recent maximum latency (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
bp-global-table-design.prescriptive-guidance.evacuation.html)."""


@dataclass(frozen=True)
class CaughtUp:
    """Whether a replica holds all that a Region wrote before `since`. None: it cannot be known."""

    caught_up: bool | None
    lag_ms: int | None
    why: str


def lags(heartbeats: Mapping[str, int], now_ms: int) -> dict[str, int]:
    """Age in milliseconds of each source's newest heartbeat, as seen here.

    It is the lag plus up to one round between heartbeats; a clock ahead of ours counts as 0.
    """
    return {source: max(0, now_ms - at) for source, at in heartbeats.items()}


def caught_up(
    source: str, newest_ms: int | None, since_ms: int, now_ms: int, worst_lag_ms: int
) -> CaughtUp:
    """Whether `source`'s writes before `since_ms` are here, from its newest heartbeat here.

    Items replicate one by one in no promised order, so a heartbeat later than `since_ms` is
    necessary and not enough: the evacuation rule's wait has to pass as well. A heartbeat bears
    the time of `source`'s clock, which may be CLOCK_SKEW_MS ahead of the one that told `since_ms`.
    """
    if newest_ms is None:
        return CaughtUp(None, None, f"no heartbeat of {source} has ever been seen here")
    lag = max(0, now_ms - newest_ms)
    if newest_ms < since_ms + CLOCK_SKEW_MS:
        behind = (since_ms + CLOCK_SKEW_MS - newest_ms) / 1000
        return CaughtUp(
            False, lag, f"{source}'s newest heartbeat here is {behind:.1f} s too old to tell"
        )
    settle = EVACUATION_FACTOR * worst_lag_ms
    if now_ms - since_ms < settle:
        return CaughtUp(
            False, lag, f"waiting ten times the recent worst lag, {settle / 1000:.1f} s"
        )
    return CaughtUp(True, lag, f"{source}'s heartbeat of after the start is here")


def worst(ways: Sequence[CaughtUp]) -> CaughtUp:
    """Several ways as one: behind beats unknown, unknown beats caught up, and none is unknown."""
    if not ways:
        return CaughtUp(None, None, "no other serving Region has a replica to ask")
    order = {False: 0, None: 1, True: 2}
    return min(ways, key=lambda way: (order[way.caught_up], -(way.lag_ms or 0)))
