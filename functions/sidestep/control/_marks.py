"""Keeps drain marks in line with the control item, here and about here: the gate's reconciler.

A warden that was away while its mark should have been cleared must not keep a healthy Region
out for long when it comes back. Its own observer corrects it, once it is at work again; the
Region's observer, which is at work all along, does so as soon as the warden answers. Marks that
stand are confirmed anew, since /drained ignores one that went stale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidestep.aws.gate import TrafficGate
from sidestep.aws.regional import Mark, RegionalTable
from sidestep.aws.settings import Settings
from sidestep.core.control import DRAINED, PROBATION, SERVING, ControlState, RegionState
from sidestep.core.topology import wardens_of

CONFIRM_AFTER_MS = 120_000
"""Much less than /drained's 15 minutes of patience."""


@dataclass(frozen=True)
class Marks:
    """Those that one warden keeps: as it reads them, and as they are written there."""

    table: RegionalTable
    gate: TrafficGate


class DrainMarks:
    """The marks that this Region keeps as a warden, and those on it that its wardens still keep
    though it is back. `marks_in`: a warden's.

    A mark that was seen to be right is not read again for CONFIRM_AFTER_MS, elsewhere never,
    unless the control item has a newer token or state: whoever marks changes that first.
    """

    def __init__(
        self,
        settings: Settings,
        marks_in: Callable[[str], Marks],
        read_control: Callable[[], ControlState],
    ) -> None:
        self._here, self._marks_in = settings.region, marks_in
        self._read_control = read_control
        self._wardens = wardens_of(self._here, settings.regions)
        self._turn = 0
        self._guarded = tuple(
            region
            for region in settings.regions
            if region != self._here and self._here in wardens_of(region, settings.regions)
        )
        self._right: dict[tuple[str, str], tuple[RegionState, int]] = {}
        """(Warden, Region) → as what it was last seen to be right, and when."""

    def reconcile(self, control: ControlState, now: int) -> None:
        """Correct or confirm what is kept here. Raises as `failures.calling`.

        States that a holder is on its way through are left alone, and Regions that were never
        drained have no marks.
        """
        for region in self._guarded:
            state = control.of(region)
            if not state.epoch or state.state not in (DRAINED, SERVING, PROBATION):
                continue
            if not self._is_right(self._here, region, state, now - CONFIRM_AFTER_MS):
                self._make_right(self._here, region, state, now)

    def come_back(self, control: ControlState, now: int) -> None:
        """Clear what a warden still keeps on this Region, which is back. Raises as
        `failures.calling`.

        One warden a round, in turn: deciding waits for it, and a dead one takes its time.
        """
        state = control.of(self._here)
        if not state.epoch or state.state not in (SERVING, PROBATION):
            return
        left = [one for one in self._wardens if not self._is_right(one, self._here, state)]
        if left:
            self._turn += 1
            self._make_right(left[self._turn % len(left)], self._here, state, now)

    def _is_right(self, warden: str, region: str, state: RegionState, since: int = 0) -> bool:
        known, at = self._right.get((warden, region), (None, 0))
        return known is not None and _same(known, state) and at > since

    def _make_right(self, warden: str, region: str, state: RegionState, now: int) -> None:
        if self._corrected(warden, region, state, now):
            self._right[warden, region] = (state, now)

    def _corrected(self, warden: str, region: str, state: RegionState, now: int) -> bool:
        marks = self._marks_in(warden)
        seen = marks.table.mark(region)
        drained = state.state == DRAINED
        stands = seen is not None and seen.drained
        if stands == drained and (not drained or _fresh(seen, now)):
            return True
        wanted = Mark(region, drained, state.token, state.incident, now)
        # The control item may be older than the mark. Read after it, it is not: a holder that
        # had marked since would have changed the control item before.
        if stands != drained and not _same(self._read_control().of(region), state):
            return False
        return marks.gate.correct(warden, seen, wanted)


def _same(one: RegionState, other: RegionState) -> bool:
    return (one.state, one.token, one.since_ms) == (other.state, other.token, other.since_ms)


def _fresh(mark: Mark | None, now: int) -> bool:
    return mark is not None and now - mark.confirmed_at < CONFIRM_AFTER_MS
