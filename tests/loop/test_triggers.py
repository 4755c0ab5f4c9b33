"""What starts a failover: the schedule, an alarm, a person; and that two at once are one."""

from __future__ import annotations

from localcloud.cloud import LocalCloud
from tests.loop.world import (
    THE_ALARM_RULE,
    THE_SCHEDULE,
    break_health,
    drained,
    executions,
    go_on,
    set_alarm,
    start,
    states,
    until,
    world_without,
)

BROKEN = "eu-west-2"
OTHERS = ("us-east-1", "us-west-2")


def serves_no_more(cloud: LocalCloud, region: str) -> bool:
    return states(cloud) == dict.fromkeys(cloud.topology.regions, "SERVING") | {region: "DRAINED"}


def test_the_schedule_alone_finds_the_broken_region_and_drains_it() -> None:
    with world_without(THE_ALARM_RULE) as cloud:
        break_health(cloud, BROKEN)

        # A minute until every schedule has fired, two looks, and the drain.
        assert until(cloud, lambda: serves_no_more(cloud, BROKEN), within_s=60 + 20 + 20)
        assert drained(cloud) == [BROKEN]


def test_alarms_alone_find_the_broken_region_and_drain_it() -> None:
    """Without the schedule nothing is looked at until an alarm changes, and then once."""
    with world_without(THE_SCHEDULE) as cloud:
        break_health(cloud, BROKEN)
        go_on(cloud, 5)
        set_alarm(cloud, BROKEN, "api-5xx-rate")
        set_alarm(cloud, OTHERS[0], "replication-lag")
        go_on(cloud, 5)
        set_alarm(cloud, BROKEN, "write-errors")
        go_on(cloud, 5)
        set_alarm(cloud, OTHERS[0], "dead-letters")

        # The first failover may stand down (a vote is still missing): the next is a round later.
        assert until(cloud, lambda: serves_no_more(cloud, BROKEN), within_s=30)
        assert drained(cloud) == [BROKEN]
        looks = executions(cloud, OTHERS[0], "observe")
        assert {look.input["detail-type"] for look in looks} == {"CloudWatch Alarm State Change"}


def test_two_observers_that_a_person_starts_at_once_come_to_one_failover() -> None:
    """After two bad looks each calls the Region impaired; in the third each reads it of both."""
    with world_without(THE_SCHEDULE, THE_ALARM_RULE) as cloud:
        start(cloud, BROKEN, "observe", {"application": "demo"})  # it has been up before
        go_on(cloud, 10)
        break_health(cloud, BROKEN)
        for _ in range(3):
            for region in OTHERS:
                start(cloud, region, "observe", {"application": "demo"})
            go_on(cloud, 10)

        started = {region: executions(cloud, region, "failover") for region in OTHERS}
        assert until(cloud, lambda: serves_no_more(cloud, BROKEN), within_s=10)
        assert [[run.name for run in runs] for runs in started.values()] == [
            ["demo-eu-west-2-1"],
            ["demo-eu-west-2-1"],
        ]
        assert drained(cloud) == [BROKEN]
        assert cloud.control()["token"] == 1


def test_a_person_drains_the_region_that_they_name_however_often_they_start_it() -> None:
    with world_without() as cloud:
        go_on(cloud, 12)  # every Region has been observed once
        order = {"region": "us-west-2"}
        first = start(cloud, "us-east-1", "failover", order, name="by-hand")
        again = start(cloud, "us-east-1", "failover", order, name="by-hand")
        elsewhere = start(cloud, BROKEN, "failover", order)

        assert until(cloud, lambda: serves_no_more(cloud, "us-west-2"), within_s=15)
        assert first == again != elsewhere
        assert len(executions(cloud, "us-east-1", "failover")) == 1
        assert drained(cloud) == ["us-west-2"]
        assert cloud.control()["token"] == 1


def test_while_step_functions_is_away_in_one_region_another_regions_failover_drains() -> None:
    with world_without() as cloud:
        go_on(cloud, 12)  # every Region has been observed once
        cloud.stepfunctions.unavailable.add(OTHERS[0])
        break_health(cloud, BROKEN)

        assert until(cloud, lambda: serves_no_more(cloud, BROKEN), within_s=90)
        assert drained(cloud) == [BROKEN]
        assert executions(cloud, OTHERS[0], "failover") == []
        assert len(executions(cloud, OTHERS[1], "failover")) == 1
