"""A failover's first steps wait for no cold start: a suspicion woke their functions before."""

from __future__ import annotations

from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import COLD_START_S, Function, Invocation
from sidestep.control._awake import WAKE
from tests.loop.world import break_health, drained, go_on, until

BROKEN = "eu-west-2"
STEPS = ("claim", "recheck", "gate", "toggle")


def test_no_step_of_a_failover_starts_cold_before_both_switches_are_set() -> None:
    ended: dict[tuple[str, str], list[Invocation]] = {}

    def heard(function: Function, invocation: Invocation) -> None:
        step = function.name.rsplit("-", 1)[-1]
        if step in STEPS:
            ended.setdefault((function.region, step), []).append(invocation)

    with LocalCloud(1) as cloud:
        cloud.lambdas.on_invocation.append(heard)
        cloud.start()
        go_on(cloud, 90)
        assert ended == {}  # nobody suspects anything, so nothing is woken
        break_health(cloud, BROKEN)
        assert until(cloud, lambda: drained(cloud) == [BROKEN], within_s=90)
        go_on(cloud, 2)

        holder = cloud.control()["regions"][BROKEN]["holder"].split(":")[3]
    for step in STEPS:
        woken, *needed = ended[holder, step]
        assert woken.payload == WAKE
        assert woken.duration_s >= COLD_START_S[0]
        worked = [one for one in needed if one.payload != WAKE]
        assert worked
        assert max(one.duration_s for one in worked) < COLD_START_S[0]
