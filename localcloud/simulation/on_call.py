"""The person whom a page calls where only an order can go on: a day's drains are spent.

A drained Region that is well again stays out then, since one that goes bad once more could not be
drained (docs/policy.md). Pages about anything else end by themselves here, or by an incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.cloud import LocalCloud
from localcloud.faults.by_hand import start_by_hand
from localcloud.kernel import Steps
from sidestep.core.control import DRAINED
from sidestep.core.decide import HOLD

COMES_AFTER_S = 60.0
"""From one look of the person's to the next: about a page's way to somebody awake."""
_SPENT = "max_drains_per_day"


class OnCall:
    """Reads the pages about each Region, and brings back what nothing else will."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        self._pages: dict[str, bool] = {}
        """Region → whether the newest decision about it was a page for want of drains."""

    def hear(self, event: Mapping[str, Any]) -> None:
        """One event of the history."""
        if event["kind"] == "decision":
            spent = any(_SPENT in reason for reason in event["reasons"])
            self._pages[event["region"]] = event["page"] and event["action"] == HOLD and spent

    def start(self) -> None:
        """Be there from now on."""
        self._cloud.kernel.subscribe(self.hear)
        self._cloud.kernel.process(self._look())

    def _look(self) -> Steps[None]:
        while True:
            yield self._cloud.kernel.env.timeout(COMES_AFTER_S)
            states = self._cloud.control().get("regions", {})
            for region, state in states.items():
                out = state["state"] == DRAINED and not state["holder"]
                if out and self._pages.get(region):
                    yield from start_by_hand(self._cloud, "recovery", region, {})
