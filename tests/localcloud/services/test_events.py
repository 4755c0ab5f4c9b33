"""EventBridge: at least once, late, permitted, retried, dead-lettered; archives and schedules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.calls.endpoint import ACCOUNT, ApiCall
from localcloud.calls.wire import AwsError
from localcloud.faults.on_calls import CallFault
from localcloud.services import BusFault
from tests.localcloud.services.world import LONDON, OREGON, VIRGINIA, World

EVENTS = "events.amazonaws.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/forward"


def entry(n: int = 0, **more: Any) -> dict[str, Any]:
    detail = json.dumps({"n": n, "region": LONDON})
    return {"Source": "sidestep.api", "DetailType": "MessageWritten", "Detail": detail, **more}


def put(world: World, *entries: dict[str, Any], region: str = LONDON) -> Any:
    return world.client("events", region).put_events(Entries=[*entries] or [entry()])


def rule(world: World, *targets: dict[str, Any], region: str = LONDON, bus: str = "default") -> str:
    """A rule on everything from `sidestep.api`; its ARN."""
    events = world.client("events", region)
    if bus not in [found["Name"] for found in events.list_event_buses()["EventBuses"]]:
        events.create_event_bus(Name=bus)
    pattern = json.dumps({"source": ["sidestep.api"]})
    arn = events.put_rule(Name="all", EventPattern=pattern, EventBusName=bus)["RuleArn"]
    named = [{"Id": str(n), **target} for n, target in enumerate(targets)]
    events.put_targets(Rule="all", EventBusName=bus, Targets=named)
    return str(arn)


def to_lambda(world: World, region: str = LONDON, bus: str = "default", **more: Any) -> str:
    """Every event goes to the function `ledger`, which lets EventBridge in; the rule's ARN."""
    arn = world.lambdas.add(region, "ledger")
    made = rule(world, {"Arn": arn, **more}, region=region, bus=bus)
    world.services.policies.add_permission(arn, EVENTS, "lambda:InvokeFunction", made)
    return made


def queue(world: World, name: str, region: str = LONDON) -> str:
    """A queue that lets EventBridge in; its ARN."""
    arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
    policy = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": EVENTS},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
    }
    world.client("sqs", region).create_queue(
        QueueName=name, Attributes={"Policy": json.dumps(policy)}
    )
    return arn


def messages(world: World, arn: str) -> list[Any]:
    return world.services.queues.queue(arn).messages


def undelivered(world: World) -> list[Mapping[str, Any]]:
    return [event for event in world.kernel.history if event["kind"] == "event.undelivered"]


def test_an_event_reaches_its_target_later_in_the_shape_that_aws_sends(world: World) -> None:
    to_lambda(world)
    answer = put(world)
    assert world.lambdas.payloads("ledger") == []
    world.run(5)
    [event] = world.lambdas.payloads("ledger")
    assert answer["FailedEntryCount"] == 0
    assert event == {
        "version": "0",
        "id": answer["Entries"][0]["EventId"],
        "detail-type": "MessageWritten",
        "source": "sidestep.api",
        "account": ACCOUNT,
        "time": "2026-01-01T00:00:00Z",
        "region": LONDON,
        "resources": [],
        "detail": {"n": 0, "region": LONDON},
    }


def test_events_come_at_least_once_and_in_no_order(world: World) -> None:
    to_lambda(world)
    for start in range(0, 500, 10):
        put(world, *(entry(n) for n in range(start, start + 10)))
        world.run(0.01)
    world.run(60)
    seen = [event["detail"]["n"] for event in world.lambdas.payloads("ledger")]
    assert set(seen) == set(range(500))
    assert len(seen) > 500
    assert seen != sorted(seen)


def test_a_duplicate_is_the_same_event_with_the_same_id(world: World) -> None:
    to_lambda(world)
    for start in range(0, 500, 10):
        put(world, *(entry(n) for n in range(start, start + 10)))
    world.run(60)
    by_id: dict[str, list[Any]] = {}
    for event in world.lambdas.payloads("ledger"):
        by_id.setdefault(event["id"], []).append(event)
    assert len(by_id) == 500
    assert all(event == same[0] for same in by_id.values() for event in same)


def test_put_events_can_fail_in_part_while_the_call_succeeds(world: World) -> None:
    to_lambda(world)
    fault = world.services.events.add_fault(BusFault(LONDON, 0.5))
    answer = put(world, *(entry(n) for n in range(10)))
    failed = [n for n, found in enumerate(answer["Entries"]) if "ErrorCode" in found]
    assert 0 < answer["FailedEntryCount"] == len(failed) < 10
    world.run(30)
    arrived = {event["detail"]["n"] for event in world.lambdas.payloads("ledger")}
    assert arrived == set(range(10)) - set(failed)
    world.services.events.remove_fault(fault)
    assert put(world, *(entry(n) for n in range(10)))["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Detail": "not json"}, "MalformedDetail"),
        ({"Detail": ""}, "InvalidArgument"),
        ({"Source": "aws.ec2"}, "NotAuthorizedForSourceException"),
    ],
)
def test_a_bad_entry_fails_alone(world: World, wrong: dict[str, str], code: str) -> None:
    answer = put(world, entry(1), entry(2, **wrong))
    assert answer["FailedEntryCount"] == 1
    assert "EventId" in answer["Entries"][0]
    assert answer["Entries"][1]["ErrorCode"] == code


def test_more_than_ten_entries_are_refused(world: World) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        put(world, *(entry(n) for n in range(11)))


def test_a_function_that_does_not_let_eventbridge_in_gets_nothing(world: World) -> None:
    target = queue(world, "dead")
    arn = world.lambdas.add(LONDON, "ledger")
    rule(world, {"Arn": arn, "DeadLetterConfig": {"Arn": target}})
    put(world)
    world.run(5)
    assert world.lambdas.payloads("ledger") == []
    [message] = messages(world, target)
    assert message.message_attributes["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert json.loads(message.body)["source"] == "sidestep.api"


def test_a_permission_for_another_rule_is_no_permission(world: World) -> None:
    arn = world.lambdas.add(LONDON, "ledger")
    made = rule(world, {"Arn": arn})
    world.services.policies.add_permission(arn, EVENTS, "lambda:InvokeFunction", made + "-other")
    put(world)
    world.run(5)
    assert world.lambdas.payloads("ledger") == []
    assert undelivered(world)[0]["dead_letter"] is None


def test_a_function_that_fails_is_tried_three_times_by_lambda(world: World) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError

    made = to_lambda(world)
    world.lambdas.add(LONDON, "ledger", broken)
    put(world)
    world.run(600)
    first, second, third = world.lambdas.times("ledger")
    assert 60 <= second - first < 62
    assert 120 <= third - second < 122
    dropped = [e for e in world.kernel.history if e["kind"] == "lambda.event_dropped"]
    assert len(dropped) == 1
    assert made


def test_a_throttled_function_gets_its_event_once_it_is_free(world: World) -> None:
    to_lambda(world)
    world.lambdas.throttled = True
    put(world)
    world.run(300)
    assert world.lambdas.payloads("ledger") == []
    world.lambdas.throttled = False
    world.run(300)
    assert len(world.lambdas.payloads("ledger")) == 1


def forward(world: World, **more: Any) -> None:
    """Events of London's bus `app` go to Oregon's, and there to `ledger`."""
    to_lambda(world, OREGON, "app")
    bus = f"arn:aws:events:{OREGON}:{ACCOUNT}:event-bus/app"
    rule(world, {"Arn": bus, "RoleArn": ROLE, **more}, bus="app")


def test_a_forwarded_event_keeps_its_id_and_its_region_of_origin(world: World) -> None:
    forward(world)
    answer = put(world, entry(EventBusName="app"))
    world.run(10)
    event = world.lambdas.payloads("ledger")[0]
    assert event["id"] == answer["Entries"][0]["EventId"]
    assert event["region"] == LONDON


def test_forwarding_waits_out_a_lost_link(world: World) -> None:
    forward(world)
    world.network.isolated.add(OREGON)
    put(world, entry(EventBusName="app"))
    world.run(1800)
    assert world.lambdas.payloads("ledger") == []
    world.network.isolated.clear()
    world.run(1200)
    assert len(world.lambdas.payloads("ledger")) == 1


def test_forwarding_needs_the_rules_role_to_allow_it(world: World) -> None:
    forward(world)

    def deny(call: ApiCall) -> None:
        if call.caller.role_arn == ROLE:
            raise AwsError("AccessDeniedException", f"{ROLE} may not {call.operation}")

    world.endpoint.authorize = deny
    put(world, entry(EventBusName="app"))
    world.run(60)
    assert world.lambdas.payloads("ledger") == []
    assert undelivered(world)[0]["code"] == "AccessDeniedException"


def test_delivery_gives_up_after_its_retry_policy_and_keeps_the_event(world: World) -> None:
    dead = queue(world, "dead")
    policy = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    forward(world, DeadLetterConfig={"Arn": dead}, RetryPolicy=policy)
    world.network.isolated.add(OREGON)
    put(world, entry(EventBusName="app"))
    world.run(300)
    [message] = messages(world, dead)
    attributes = {k: v["StringValue"] for k, v in message.message_attributes.items()}
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"] == "3"


def test_by_default_delivery_is_tried_for_about_a_day(world: World) -> None:
    forward(world)
    world.network.isolated.add(OREGON)
    put(world, entry(EventBusName="app"))
    world.run(18 * 3600)
    assert undelivered(world) == []
    world.run(7 * 3600)
    assert len(undelivered(world)) == 1


def test_a_state_machine_is_started_as_the_targets_role(world: World) -> None:
    started: list[ApiCall] = []
    world.endpoint.answers("stepfunctions", "StartExecution")(
        lambda call: started.append(call) or {"executionArn": "arn:aws:states:::x", "startDate": 0}
    )
    machine = f"arn:aws:states:{LONDON}:{ACCOUNT}:stateMachine:observe"
    rule(world, {"Arn": machine, "RoleArn": ROLE, "Input": '{"trigger": "event"}'})
    put(world)
    world.run(30)
    assert started[0].caller.role_arn == ROLE
    assert started[0].params["stateMachineArn"] == machine
    assert json.loads(started[0].params["input"]) == {"trigger": "event"}


def test_a_start_that_is_refused_is_not_tried_again_and_one_that_fails_is(world: World) -> None:
    attempts: list[str] = []

    def answer(call: ApiCall) -> Mapping[str, Any]:
        attempts.append(call.params["stateMachineArn"][-1])
        raise AwsError("StateMachineDoesNotExist", "gone")

    world.endpoint.answers("stepfunctions", "StartExecution")(answer)
    world.endpoint.faults.add(
        CallFault(service="stepfunctions", region=VIRGINIA, error=AwsError("Throttling", "slow"))
    )
    for region in (LONDON, VIRGINIA):
        machine = f"arn:aws:states:{region}:{ACCOUNT}:stateMachine:{region[0]}"
        rule(world, {"Arn": machine, "RoleArn": ROLE}, region=region)
        put(world, region=region)
    world.run(600)
    assert set(attempts) == {"e"}
    assert {event["region"] for event in undelivered(world)} == {LONDON}
    world.endpoint.faults = type(world.endpoint.faults)(world.kernel.fork("none"))
    world.run(1200)
    assert set(attempts) == {"e", "u"}


def test_input_is_transformed_as_the_target_asks(world: World) -> None:
    transformer = {
        "InputPathsMap": {"n": "$.detail.n", "where": "$.detail.region", "none": "$.detail.x"},
        "InputTemplate": '{"n": <n>, "region": <where>, "words": "<n> in <where>", "x": <none>}',
    }
    to_lambda(world, InputTransformer=transformer)
    put(world, entry(7))
    world.run(30)
    assert world.lambdas.payloads("ledger")[0] == {
        "n": 7,
        "region": LONDON,
        "words": f"7 in {LONDON}",
        "x": None,
    }


def test_a_bus_in_a_lost_region_delivers_when_it_is_back(world: World) -> None:
    to_lambda(world)
    put(world)
    world.network.down.add(LONDON)
    world.run(600)
    assert world.lambdas.payloads("ledger") == []
    world.network.down.clear()
    world.run(10)
    assert len(world.lambdas.payloads("ledger")) == 1


def test_an_archive_keeps_events_and_replays_them_marked(world: World) -> None:
    to_lambda(world, bus="app")
    events = world.client("events", LONDON)
    bus = f"arn:aws:events:{LONDON}:{ACCOUNT}:event-bus/app"
    archive = events.create_archive(ArchiveName="kept", EventSourceArn=bus)["ArchiveArn"]
    put(world, entry(1, EventBusName="app"))
    world.run(3600)
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 1
    events.start_replay(
        ReplayName="again",
        EventSourceArn=archive,
        EventStartTime=world.kernel.start,
        EventEndTime=world.kernel.now,
        Destination={"Arn": bus},
    )
    world.run(60)
    assert events.describe_replay(ReplayName="again")["State"] == "COMPLETED"
    replayed = [e for e in world.lambdas.payloads("ledger") if e.get("replay-name") == "again"]
    assert replayed[0]["detail"]["n"] == 1
    assert events.describe_archive(ArchiveName="kept")["EventCount"] == 1


def test_a_target_that_is_not_supported_is_refused_by_name(world: World) -> None:
    with pytest.raises(ClientError, match="firehose"):
        rule(world, {"Arn": f"arn:aws:firehose:{LONDON}:{ACCOUNT}:deliverystream/x"})


def schedule(world: World, region: str, expression: str) -> None:
    arn = world.lambdas.add(region, f"tick-{region}")
    events = world.client("events", region)
    made = events.put_rule(Name="tick", ScheduleExpression=expression)["RuleArn"]
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": arn}])
    world.services.policies.add_permission(arn, EVENTS, "lambda:InvokeFunction", made)


def test_a_rate_schedule_fires_each_minute_each_region_at_a_second_of_its_own(
    world: World,
) -> None:
    for region in (LONDON, OREGON):
        schedule(world, region, "rate(1 minute)")
    world.run(600)
    first = {}
    for region in (LONDON, OREGON):
        ids = {event["id"] for event in world.lambdas.payloads(f"tick-{region}")}
        assert len(ids) == 10
        first[region] = world.lambdas.times(f"tick-{region}")[0]
    assert abs(first[LONDON] - first[OREGON]) > 1
    event = world.lambdas.payloads(f"tick-{LONDON}")[0]
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"][0].endswith(":rule/tick")


def test_a_disabled_schedule_and_one_in_a_lost_region_do_not_fire(world: World) -> None:
    schedule(world, LONDON, "rate(1 minute)")
    schedule(world, OREGON, "rate(1 minute)")
    world.client("events", LONDON).disable_rule(Name="tick")
    world.network.down.add(OREGON)
    world.run(300)
    world.network.down.clear()
    world.run(55)
    assert world.lambdas.payloads(f"tick-{LONDON}") == []
    assert len({event["id"] for event in world.lambdas.payloads(f"tick-{OREGON}")}) <= 1


@pytest.mark.parametrize(
    ("expression", "said"),
    [("cron(0 * * * ? *)", "cron"), ("rate(1 minutes)", "one minute"), ("daily", "not a schedule")],
)
def test_a_schedule_that_is_not_supported_is_refused_by_name(
    world: World, expression: str, said: str
) -> None:
    with pytest.raises(ClientError, match=said):
        world.client("events", LONDON).put_rule(Name="tick", ScheduleExpression=expression)
