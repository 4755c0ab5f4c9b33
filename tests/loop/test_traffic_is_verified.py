"""Clients leave a Region that is well: not said while one may still come, and said then."""

from __future__ import annotations

from localcloud.cloud import LocalCloud
from localcloud.run import clients_of
from sidestep.core.traffic import MINUTE_MS, WHOLE_AFTER_MS
from tests.loop.world import executions, go_on, start, until

LEFT, ACTS = "eu-west-2", "us-east-1"


def test_while_canaries_go_on_clients_are_said_to_have_left_after_a_whole_minute_without_them() -> (
    None
):
    with LocalCloud() as cloud:
        cloud.start()
        clients_of(cloud).start()
        go_on(cloud, 60)
        start(cloud, ACTS, "failover", {"region": LEFT})
        started_at = float(cloud.kernel.env.now)

        def ended() -> bool:
            (run,) = executions(cloud, ACTS, "failover")
            return run.status == "SUCCEEDED"

        assert until(cloud, ended, within_s=480)

        (incident,) = cloud.incidents()
        told_at = float(incident["steps"][-1]["at"]) / 1000 - cloud.kernel.env.epoch
        last = max(
            event["t"]
            for event in cloud.kernel.history
            if event["kind"] == "request" and event["region"] == LEFT
        )
        assert (incident["traffic"]["traffic_moved"], incident["traffic"]["requests"]) == (True, 0)
        assert last > started_at
        assert told_at - last > (WHOLE_AFTER_MS + MINUTE_MS) / 1000
