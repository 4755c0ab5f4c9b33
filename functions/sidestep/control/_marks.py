"""Keeps this Region's own drain marks in line with the control item: the gate's reconciler.

A warden that was away while its mark should have been cleared must not take a healthy Region
out when it comes back; its own observer corrects it, before a health check's threshold is
reached. Marks that stand are confirmed anew, since /drained ignores one that went stale.
"""

from __future__ import annotations

from sidestep.aws.gate import TrafficGate
from sidestep.aws.regional import RegionalTable
from sidestep.aws.settings import Settings
from sidestep.core.control import DRAINED, PROBATION, SERVING, ControlState
from sidestep.core.errors import LeaseLost
from sidestep.core.topology import wardens_of

CONFIRM_AFTER_MS = 120_000
"""Much less than /drained's 15 minutes of patience."""


def reconcile(
    control: ControlState, settings: Settings, own: RegionalTable, gate: TrafficGate, now: int
) -> None:
    """Correct or confirm this Region's marks. States that a holder is changing are left alone.

    Marks are read only for Regions that were ever drained, so the steady state costs nothing.
    """
    here = settings.region
    for region in settings.regions:
        state = control.of(region)
        if region == here or here not in wardens_of(region, settings.regions) or not state.epoch:
            continue
        if state.state not in (DRAINED, SERVING, PROBATION):
            continue
        mark = own.mark(region)
        wanted = state.state == DRAINED
        stands = mark is not None and mark.drained
        stale = mark is None or now - mark.confirmed_at > CONFIRM_AFTER_MS
        if stands == wanted and not (wanted and stale):
            continue
        try:
            gate.write(here, region, wanted, state.token, state.incident, now)
        except LeaseLost:
            continue  # a newer token was here since we read: its holder knows better
