"""Where Step Functions is slow between a look and its ballot, the look is no younger for that."""

from __future__ import annotations

import pytest

from localcloud.cloud import LocalCloud
from sidestep.core.policy import Policy
from tests.loop.world import (
    THE_ALARM_RULE,
    THE_SCHEDULE,
    break_health,
    drained,
    executions,
    go_on,
    mend_health,
    start,
    world_without,
)

BROKEN = "eu-west-2"
OTHERS = ("us-east-1", "us-west-2")
LOOKS, APART_S = 3, 7.0
"""After two bad looks each observer calls the Region impaired; with the third each reads it of
both."""


def look(cloud: LocalCloud, then_slow_s: float) -> None:
    """Both others look at once, and their executions stand still between that and the ballot."""
    for region in OTHERS:
        start(cloud, region, "observe", {"application": "demo"})
    go_on(cloud, 0.2)
    ends = [cloud.stepfunctions.slow_down(region, then_slow_s) for region in OTHERS]
    go_on(cloud, APART_S - 0.2)
    for end in ends:
        end()


@pytest.mark.parametrize(("late_s", "moved"), [(4.0, [BROKEN]), (40.0, [])])
def test_an_old_look_does_not_drain_a_region_that_is_well_again(
    late_s: float, moved: list[str]
) -> None:
    assert 4.0 < Policy().vote_max_age_s < 40.0
    with world_without(THE_SCHEDULE, THE_ALARM_RULE) as cloud:
        start(cloud, BROKEN, "observe", {"application": "demo"})  # it has been up before
        go_on(cloud, 10)
        break_health(cloud, BROKEN)
        for _ in range(LOOKS):
            look(cloud, late_s)
        mend_health(cloud, BROKEN)
        go_on(cloud, late_s + 10)

        voted = [run.status for region in OTHERS for run in executions(cloud, region, "observe")]
        assert voted == ["SUCCEEDED"] * LOOKS * len(OTHERS)
        assert drained(cloud) == moved
