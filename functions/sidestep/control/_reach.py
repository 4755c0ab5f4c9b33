"""From when on a drained Region's writes are looked for, to be put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidestep.aws.regional import LEDGER_DAYS
from sidestep.control import _parts
from sidestep.core.control import RegionState

HISTORY_HEAD_MS = 60 * 60_000
"""How far before a Region's drain replicas' histories are read where no count has said from when
on: they are of all Regions' writes, and a week of them would not be read within an hour."""


@dataclass(frozen=True)
class Reach:
    """Times are epoch ms."""

    recent: int
    """From here on ledgers and histories are gone through, and first: most of what is missing is of
    the Region's last minutes."""
    earlier: int | None
    """From here until `recent` ledgers alone are gone through, after that; None: nothing is."""
    counted: bool
    """Whether a count has said from when on: else what is earlier is in no history that is read."""


def reach(
    told: Mapping[str, Any], state: RegionState, given: int | None, backed_out: bool, now: int
) -> Reach:
    """As far back as the incident's record `told` and the step's own `since` (`given`) say.

    It never begins later than the Region's drain, or than its return where that was backed out.
    After a return that was backed out what was written during it comes first: of what was missing
    before, the return's own repair has been through the histories.
    """
    points = (given, told.get("look_from"), (told.get("at_risk") or {}).get("since"))
    counted = [int(one) for one in points if one is not None]
    point = _parts.ledger_since(_restored(told, state), state, now)
    if backed_out:
        first = min(counted, default=point)
        return Reach(point, first if first < point else None, bool(counted))
    if counted:
        return Reach(min(point, *counted), None, True)
    return Reach(point - HISTORY_HEAD_MS, now - LEDGER_DAYS * 86_400_000, False)


def _restored(told: Mapping[str, Any], state: RegionState) -> int | None:
    """When the Region was restored within this incident; None: it was not."""
    opened = told.get("opened_at")
    restored = state.restored_at_ms
    return restored if opened is not None and restored >= int(opened) else None
