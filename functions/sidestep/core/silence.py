"""Requests that got no answer: may the observer have been cut off itself at that moment? Pure.

An observer that reaches none of its peers is not believed (core/votes.py). One that is cut off in
the midst of a look has reached some of them, and its word counts for that look: what it met then
is silence, of every peer that it had not done with, until the look was over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sidestep.core.evidence import Probe, faults_weigh

ROUND_TRIP_MS = 500
"""A request that met silence may have been sent so long before the way was cut, where nothing is
known of how long answers take. Chosen: above the longest round trip between two Regions, 0.3 to
0.4 s, with what the Region does in between."""
SLOWER = 2
"""Where it is known: so many times as long as the last answers took. Chosen, for jitter."""


def may_be_ones_own(
    observer: str, looks: Mapping[str, Sequence[Probe]], usual_ms: Mapping[str, float]
) -> dict[str, int]:
    """For each Region, of the requests of these looks at it that got no answer, how many it may
    have been the observer's own fault that they did: nobody else answered it meanwhile.
    `usual_ms`: how long the Regions that answered the last look took for it.

    Where it has one peer only, none: nobody else can answer there, and the Region itself has to
    agree before it is left (core/findings.py).
    """
    peers = [region for region in looks if region != observer]
    if len(peers) < 2:
        return dict.fromkeys(looks, 0)
    answered = [
        begun_ms
        for peer in peers
        for look in looks[peer]
        for begun_ms, _, silent in _requests(look)
        if not silent
    ]
    return {
        region: sum(_alone(look, answered, usual_ms.get(region)) for look in looks[region])
        for region in looks
    }


def _alone(look: Probe, answered: Sequence[int], usual_ms: float | None) -> int:
    """How many failures of a look are silence in which nobody began to answer the observer."""
    if not look.saw:
        return 0
    took = [one.ms for one in look.requests if one.status is not None and not one.cold]
    took_ms = max([*took, *([] if usual_ms is None else [usual_ms])], default=ROUND_TRIP_MS)
    trip_ms = min(ROUND_TRIP_MS, SLOWER * took_ms)
    return sum(
        faults_weigh(look)
        for begun_ms, ended_ms, silent in _requests(look)
        if silent and not any(begun_ms + trip_ms <= at <= ended_ms for at in answered)
    )


def _requests(look: Probe) -> list[tuple[int, int, bool]]:
    """When each request of a look began and ended, by the observer's clock, and whether it got no
    answer: they are made one after the other."""
    found, at_ms = [], look.at_ms
    for one in look.requests:
        found.append((at_ms, at_ms + one.ms, one.status is None))
        at_ms += one.ms
    return found
