"""How much of the application's peak the Regions that remain can carry. Pure.

Moving traffic onto Regions that cannot carry it makes one Region's failure everybody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sidestep.core.maintenance import Fault, region_fault

FULL = 100
"""Percent of the whole application's peak: what a Region can carry unless told otherwise, and what
those that remain must carry together."""
MOST = 1000


def shortfall(able: Sequence[str], percent: Mapping[str, int]) -> str | None:
    """What these Regions lack to carry the application's peak, in words; None when nothing.

    `percent`: what each can carry of it; a Region that is not there carries all of it.
    """
    shares = {region: percent.get(region, FULL) for region in able}
    together = sum(shares.values())
    if together >= FULL:
        return None
    each = ", ".join(f"{region} {share} %" for region, share in shares.items()) or "none"
    return (
        f"the others that can serve carry {together} % of the peak ({each}), "
        f"{FULL} % must be carried"
    )


def faults(given: object, regions: Sequence[str] = ()) -> Iterator[Fault]:
    """All that is wrong in the shares as given. `regions`: the guarded ones, where known."""
    if not isinstance(given, Mapping):
        yield (), "must be a mapping of Region: percent"
        return
    for region, share in given.items():
        wrong = region_fault(region, regions)
        if wrong:
            yield (str(region),), wrong
        whole = isinstance(share, int) and not isinstance(share, bool)
        if not whole or not 0 <= share <= MOST:
            told = "nothing" if share is None else repr(share)
            yield (str(region),), f"of {region} is {told}: it must be a whole number, 0 to {MOST}"
