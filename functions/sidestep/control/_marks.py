"""Keeps this Region's own drain marks in line with the control item: the gate's reconciler.

A warden that was away while its mark should have been cleared must not take a healthy Region
out when it comes back; its own observer corrects it, before a health check's threshold is
reached. Marks that stand are confirmed anew, since /drained ignores one that went stale.
"""

from __future__ import annotations

from collections.abc import Callable

from sidestep.aws.gate import TrafficGate
from sidestep.aws.regional import Mark, RegionalTable
from sidestep.aws.settings import Settings
from sidestep.core.control import DRAINED, PROBATION, SERVING, ControlState, RegionState
from sidestep.core.topology import wardens_of

CONFIRM_AFTER_MS = 120_000
"""Much less than /drained's 15 minutes of patience."""


class OwnMarks:
    """The marks that this Region keeps as a warden.

    A mark that was seen to be right is not read again for CONFIRM_AFTER_MS, unless the control
    item has a newer token or state: whoever marks changes the control item first.
    """

    def __init__(
        self,
        settings: Settings,
        table: RegionalTable,
        gate: TrafficGate,
        read_control: Callable[[], ControlState],
    ) -> None:
        self._here, self._table, self._gate = settings.region, table, gate
        self._read_control = read_control
        self._guarded = tuple(
            region
            for region in settings.regions
            if region != self._here and self._here in wardens_of(region, settings.regions)
        )
        self._right: dict[str, tuple[RegionState, int]] = {}

    def reconcile(self, control: ControlState, now: int) -> None:
        """Correct or confirm. Raises as `failures.calling`.

        States that a holder is on its way through are left alone, and Regions that were never
        drained have no marks.
        """
        for region in self._guarded:
            state = control.of(region)
            if not state.epoch or state.state not in (DRAINED, SERVING, PROBATION):
                continue
            known, at = self._right.get(region, (None, 0))
            if known is not None and _same(known, state) and now - at < CONFIRM_AFTER_MS:
                continue
            if self._make_right(region, state, now):
                self._right[region] = (state, now)

    def _make_right(self, region: str, state: RegionState, now: int) -> bool:
        seen = self._table.mark(region)
        drained = state.state == DRAINED
        stands = seen is not None and seen.drained
        if stands == drained and (not drained or _fresh(seen, now)):
            return True
        wanted = Mark(region, drained, state.token, state.incident, now)
        # The control item may be older than the mark. Read after it, it is not: a holder that
        # had marked since would have changed the control item before.
        if stands != drained and not _same(self._read_control().of(region), state):
            return False
        return self._gate.correct(self._here, seen, wanted)


def _same(one: RegionState, other: RegionState) -> bool:
    return (one.state, one.token, one.since_ms) == (other.state, other.token, other.since_ms)


def _fresh(mark: Mark | None, now: int) -> bool:
    return mark is not None and now - mark.confirmed_at < CONFIRM_AFTER_MS
