"""A drill ends when another Region is impaired, even where its own fault is why nobody moves that.

With two Regions no failover begins: every serving Region looks impaired, and the decision holds.
"""

from __future__ import annotations

from localcloud.cloud import LocalCloud, Topology
from tests.loop.world import break_health, drained, executions, go_on, start, until

DRILLED, OTHER = "eu-west-2", "us-east-1"


def injected(cloud: LocalCloud) -> bool:
    (drill,) = executions(cloud, OTHER, "drill")
    return any(
        event.get("stateEnteredEventDetails", {}).get("name") == "Watch the automatic path drain it"
        for event in drill.history.events
    )


def test_of_two_regions_the_one_that_really_fails_is_drained_soon() -> None:
    with LocalCloud(topology=Topology(regions=(DRILLED, OTHER))) as cloud:
        cloud.start()
        go_on(cloud, 60)
        start(cloud, OTHER, "drill", {"region": DRILLED, "minutes": 15})
        assert until(cloud, lambda: injected(cloud), within_s=60)

        break_health(cloud, OTHER)

        assert until(cloud, lambda: drained(cloud) == [OTHER], within_s=120)
        (drill,) = executions(cloud, OTHER, "drill")
        assert (drill.status, drill.error) == ("FAILED", "RealIncident")
