"""What DNS hears of each Region during a run: its record's check going and coming back.

It is how the benchmark counts everybody's moves, whoever made them: a design's switch, or Route
53's own checkers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.cloud import LocalCloud

Event = dict[str, Any]
CHECK = "RegionCheck"
"""What each Region's record hangs on, in the template and in every peer's."""


def follow(cloud: LocalCloud, hear: Callable[[Event], None]) -> None:
    """Call `hear` with a move (`what`: drain or restore, `region`, `t`) as DNS hears of it.

    Every Region is in DNS to begin with. To be called when the cloud has its stacks.
    """
    checks = {
        cloud.stacks[region].resources[CHECK].physical_id: region
        for region in cloud.topology.regions
    }
    in_dns = dict.fromkeys(checks.values(), True)

    def listen(event: Event) -> None:
        region = checks.get(event["id"]) if event["kind"] == "health_check" else None
        if region is None or event["healthy"] == in_dns[region]:
            return
        in_dns[region] = event["healthy"]
        what = "restore" if event["healthy"] else "drain"
        hear({"what": what, "region": region, "t": event["t"]})

    cloud.kernel.subscribe(listen)
