"""Alarms: judged on their data, acting on change of state only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.services.metrics import MetricId
from tests.localcloud.services.world import LONDON, OREGON, World

ERRORS = MetricId(LONDON, "Sidestep", "Errors")


def put_alarm(world: World, region: str = LONDON, **more: Any) -> None:
    """An alarm on errors: one minute above zero."""
    stated = {
        "AlarmName": "errors",
        "Namespace": ERRORS.namespace,
        "MetricName": ERRORS.name,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }
    world.client("cloudwatch", region).put_metric_alarm(
        **{name: value for name, value in stated.items() if value is not None}
    )


def state(world: World, region: str = LONDON) -> str:
    found = world.client("cloudwatch", region).describe_alarms(AlarmNames=["errors"])
    return str(found["MetricAlarms"][0]["StateValue"])


def fail(world: World, times: int = 1, metric: MetricId = ERRORS) -> None:
    world.metrics.record(metric, 1.0, world.kernel.now, times=times)


def listen(world: World, region: str = LONDON) -> None:
    """Send every event of the Region's default bus from CloudWatch to the function `heard`."""
    arn = world.lambdas.add(region, "heard")
    events = world.client("events", region)
    pattern = json.dumps({"source": ["aws.cloudwatch"]})
    rule = events.put_rule(Name="alarms", EventPattern=pattern)["RuleArn"]
    events.put_targets(Rule="alarms", Targets=[{"Id": "1", "Arn": arn}])
    world.services.policies.add_permission(
        arn, "events.amazonaws.com", "lambda:InvokeFunction", rule
    )


def heard(world: World) -> list[str]:
    """The states announced on the bus, each event once."""
    events = {event["id"]: event for event in world.lambdas.payloads("heard")}
    return [event["detail"]["state"]["value"] for event in events.values()]


def test_a_new_alarm_has_no_data_and_says_so(world: World) -> None:
    put_alarm(world)
    assert state(world) == "INSUFFICIENT_DATA"


def test_a_breach_is_announced_once_in_its_own_region_while_it_lasts(world: World) -> None:
    listen(world)
    put_alarm(world)
    world.run(180)
    assert state(world) == "OK"
    for _ in range(5):
        fail(world)
        world.run(60)
    assert state(world) == "ALARM"
    world.run(300)
    assert state(world) == "OK"
    assert heard(world) == ["OK", "ALARM", "OK"]


def test_the_event_has_the_shape_that_aws_sends(world: World) -> None:
    listen(world)
    put_alarm(world, AlarmDescription="why")
    fail(world)
    world.run(200)
    event = next(
        event
        for event in world.lambdas.payloads("heard")
        if event["detail"]["state"]["value"] == "ALARM"
    )
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["region"] == LONDON
    assert event["resources"] == [f"arn:aws:cloudwatch:{LONDON}:123456789012:alarm:errors"]
    detail = event["detail"]
    assert detail["alarmName"] == "errors"
    assert detail["previousState"]["value"] == "OK"
    assert detail["state"]["timestamp"].endswith("+0000")
    assert "Threshold Crossed" in detail["state"]["reason"]
    [metric] = detail["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["name"] == "Errors"
    assert detail["configuration"]["description"] == "why"


def test_two_of_three_minutes_are_needed_where_the_alarm_says_so(world: World) -> None:
    put_alarm(world, EvaluationPeriods=3, DatapointsToAlarm=2)
    fail(world)
    world.run(240)
    assert state(world) == "OK"
    for _ in range(2):
        fail(world)
        world.run(60)
    world.run(70)
    assert state(world) == "ALARM"


def test_an_alarm_on_a_rate_counts_failures_against_all(world: World) -> None:
    count = MetricId(LONDON, "Sidestep", "Count")

    def query(name: str, metric: str) -> dict[str, Any]:
        stat = {"Namespace": "Sidestep", "MetricName": metric}
        return {
            "Id": name,
            "MetricStat": {"Metric": stat, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        }

    rate = "IF(FILL(n, 0) >= 20, 100 * FILL(e, 0) / n, 0)"
    simple = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))
    put_alarm(
        world,
        **simple,
        Threshold=5.0,
        Metrics=[query("e", "Errors"), query("n", "Count"), {"Id": "r", "Expression": rate}],
    )
    fail(world, 10)
    fail(world, 19, count)
    world.run(180)
    assert state(world) == "OK"
    fail(world, 2)
    fail(world, 30, count)
    world.run(130)
    assert state(world) == "ALARM"


def test_a_high_resolution_alarm_fires_within_seconds(world: World) -> None:
    put_alarm(world, Period=10)
    world.run(60)
    fail(world)
    world.run(25)
    assert state(world) == "ALARM"


def test_a_standard_alarm_does_not_fire_before_its_minute_is_over(world: World) -> None:
    put_alarm(world)
    world.run(180)
    fail(world)
    world.run(59)
    assert state(world) == "OK"


def test_a_state_set_by_hand_acts_once_and_the_data_puts_it_back(world: World) -> None:
    listen(world)
    put_alarm(world)
    world.run(180)
    world.client("cloudwatch", LONDON).set_alarm_state(
        AlarmName="errors", StateValue="ALARM", StateReason="drill"
    )
    assert state(world) == "ALARM"
    world.run(130)
    assert state(world) == "OK"
    assert heard(world) == ["OK", "ALARM", "OK"]


def test_a_state_set_by_hand_that_is_the_same_announces_nothing(world: World) -> None:
    listen(world)
    put_alarm(world)
    world.run(180)
    world.client("cloudwatch", LONDON).set_alarm_state(
        AlarmName="errors", StateValue="OK", StateReason="drill"
    )
    world.run(60)
    assert heard(world) == ["OK"]


def test_a_state_set_by_hand_does_not_change_what_the_data_says(world: World) -> None:
    put_alarm(world)
    world.run(180)
    world.client("cloudwatch", LONDON).set_alarm_state(
        AlarmName="errors", StateValue="ALARM", StateReason="drill"
    )
    assert world.services.alarms.alarm_data(LONDON, "errors") == "OK"
    fail(world)
    world.run(70)
    assert world.services.alarms.alarm_data(LONDON, "errors") == "ALARM"


def test_an_alarm_on_route_53_metrics_outside_us_east_1_never_fires(world: World) -> None:
    put_alarm(world, OREGON, Namespace="AWS/Route53", TreatMissingData="missing")
    fail(world, metric=MetricId("us-east-1", "AWS/Route53", "Errors"))
    world.run(300)
    assert state(world, OREGON) == "INSUFFICIENT_DATA"


def test_an_alarm_in_a_lost_region_stands_still(world: World) -> None:
    put_alarm(world)
    world.run(180)
    fail(world)
    world.network.down.add(LONDON)
    world.run(300)
    assert [e["state"] for e in world.kernel.history if e["kind"] == "alarm"] == ["OK"]


def test_actions_publish_to_topics_and_page_people(world: World) -> None:
    sns = world.client("sns", LONDON)
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="oncall@example.com")
    put_alarm(world, AlarmActions=[topic])
    fail(world)
    world.run(300)
    [sent] = world.services.notifications.published[topic]
    assert json.loads(sent.message)["NewStateValue"] == "ALARM"
    [page] = [event for event in world.kernel.history if event["kind"] == "page"]
    assert page["to"] == "oncall@example.com"
    assert "errors" in page["subject"]


def test_a_changed_alarm_keeps_its_state(world: World) -> None:
    put_alarm(world)
    fail(world)
    world.run(130)
    before = state(world)
    put_alarm(world, Threshold=5.0)
    assert state(world) == before != "INSUFFICIENT_DATA"


def test_composite_alarms_and_unknown_functions_are_refused_by_name(world: World) -> None:
    client = world.client("cloudwatch", LONDON)
    with pytest.raises(ClientError, match="PutCompositeAlarm"):
        client.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(errors)")
    with pytest.raises(ClientError, match="SERVICE_QUOTA"):
        client.put_metric_alarm(
            AlarmName="x",
            EvaluationPeriods=1,
            Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "e", "Expression": "SERVICE_QUOTA(m)", "Period": 60}],
        )
