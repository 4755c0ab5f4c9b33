"""Clients leave a Region that is well: not said while one may still come, and said then; and no
return waits for it."""

from __future__ import annotations

from localcloud.cloud import LocalCloud
from localcloud.run import clients_of
from sidestep.core.traffic import MINUTE_MS, WHOLE_AFTER_MS
from tests.loop.world import executions, go_on, start, until

LEFT, ACTS, ELSE = "eu-west-2", "us-east-1", "us-west-2"
WITHIN_S = 160
"""From the order until nobody holds the incident: DNS moves within half a minute, has to name only
others for 75 s, and a heartbeat of 30 s later has to arrive; every look is ten seconds apart."""


def left_alone(cloud: LocalCloud) -> bool:
    """Whether the Region is drained and nobody holds its incident."""
    state = cloud.control().get("regions", {}).get(LEFT, {})
    return state.get("state") == "DRAINED" and not state["holder"]


def ended(cloud: LocalCloud, region: str, machine: str) -> bool:
    """Whether a Region's one execution has come to its end."""
    (run,) = executions(cloud, region, machine)
    return run.status == "SUCCEEDED"


def test_while_canaries_go_on_clients_are_said_to_have_left_after_a_whole_minute_without_them() -> (
    None
):
    with LocalCloud() as cloud:
        cloud.start()
        clients_of(cloud).start()
        go_on(cloud, 60)
        start(cloud, ACTS, "failover", {"region": LEFT})
        started_at = float(cloud.kernel.env.now)

        assert until(cloud, lambda: left_alone(cloud), within_s=WITHIN_S)
        put_down_at = float(cloud.kernel.env.now)
        assert until(cloud, lambda: ended(cloud, ACTS, "failover"), within_s=480)

        (incident,) = cloud.incidents()
        assert [step["step"] for step in incident["steps"]] == [
            *("claimed", "gate", "toggle", "drained", "drained", "left")
        ]
        told_at = float(incident["steps"][-1]["at"]) / 1000 - cloud.kernel.env.epoch
        last = max(
            event["t"]
            for event in cloud.kernel.history
            if event["kind"] == "request" and event["region"] == LEFT
        )
        assert (incident["traffic"]["traffic_moved"], incident["traffic"]["requests"]) == (True, 0)
        assert last > started_at
        assert put_down_at < told_at - 60
        assert told_at - last > (WHOLE_AFTER_MS + MINUTE_MS) / 1000


def test_a_return_does_not_wait_for_the_verification_which_ends_quietly() -> None:
    with LocalCloud() as cloud:
        cloud.start()
        clients_of(cloud).start()
        go_on(cloud, 60)
        start(cloud, ACTS, "failover", {"region": LEFT})
        assert until(cloud, lambda: left_alone(cloud), within_s=WITHIN_S)
        assert not ended(cloud, ACTS, "failover")

        start(cloud, ELSE, "recovery", {"region": LEFT})
        go_on(cloud, 30)

        (verification,) = executions(cloud, ACTS, "failover")
        assert (verification.status, verification.output["stood_aside"]) == ("SUCCEEDED", True)
        assert verification.output["what"] == "drained"
        assert "was claimed since it was put down" in verification.output["why"]
        assert until(cloud, lambda: ended(cloud, ELSE, "recovery"), within_s=300)
        (incident,) = cloud.incidents()
        assert (incident["status"], incident["traffic"]["traffic_moved"]) == ("closed", None)
        assert {int(step["token"]) for step in incident["steps"][:5]} == {1}
        assert {int(step["token"]) for step in incident["steps"][5:]} == {2}
