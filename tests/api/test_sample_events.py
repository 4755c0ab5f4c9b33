"""The sample events: each is there for a way in, and is what AWS really sends."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sidestep.aws.bus import MessageWritten
from sidestep.core.messages import digest
from tests.api.data_plane import HERE, ROOT, sample
from tests.template.one_stack import Stack

NAMES = sorted(path.stem for path in (ROOT / "events").glob("*.json"))


def of(prefix: str) -> list[str]:
    return [name for name in NAMES if name.startswith(prefix)]


def test_there_is_a_sample_for_every_way_in() -> None:
    ways = {"api", "bus", "stream", "queue", "alarm", "schedule", "start"}

    assert {name.split("-")[0] for name in NAMES} == ways
    assert {"start-drill", "start-failover"} <= set(NAMES)


@pytest.mark.parametrize("name", of("api-"))
def test_an_api_request_is_an_http_api_payload_of_version_2(name: str) -> None:
    event = sample(name)

    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"]
    method, route = event["routeKey"].split(" ")
    assert event["requestContext"]["http"]["method"] == method
    assert event["requestContext"]["http"]["path"] == event["rawPath"]
    assert route.split("/")[1] == event["rawPath"].split("/")[1]
    assert list(event["headers"]) == [header.lower() for header in event["headers"]]
    assert event["requestContext"]["stage"] == "$default"
    assert isinstance(event["isBase64Encoded"], bool)


@pytest.mark.parametrize("name", ["bus-message-written", "alarm-state-change", "schedule"])
def test_an_event_has_the_envelope_of_eventbridge(name: str) -> None:
    envelope = {
        *("version", "id", "detail-type", "source", "account"),
        *("time", "region", "resources", "detail"),
    }

    assert set(sample(name)) == envelope


def test_the_sample_alarm_is_one_that_a_stack_makes() -> None:
    event = sample("alarm-state-change")
    made = {
        alarm["AlarmName"]: alarm
        for alarm in Stack(HERE).of_type("AWS::CloudWatch::Alarm").values()
    }
    alarm, told = made[event["detail"]["alarmName"]], event["detail"]["configuration"]

    assert event["resources"][0].endswith(f":alarm:{alarm['AlarmName']}")
    assert told["description"] == alarm["AlarmDescription"]
    assert [one["id"] for one in told["metrics"]] == [one["Id"] for one in alarm["Metrics"]]
    assert told["metrics"][-1]["expression"] == alarm["Metrics"][-1]["Expression"]


def test_the_sample_writes_are_messages_that_the_write_path_would_have_made() -> None:
    (record,) = sample("queue-unsent-event")["Records"]
    details = [sample("bus-message-written")["detail"], json.loads(record["body"])]

    for detail in details:
        message = MessageWritten.from_detail(detail).message
        assert message.digest == digest(message.author, message.text)
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()


@pytest.mark.parametrize("name", of("start-"))
def test_a_start_is_what_the_aws_cli_takes_as_its_json_input(name: str) -> None:
    start = sample(name)

    assert set(start) == {"stateMachineArn", "name", "input"}
    assert json.loads(start["input"])["region"] == "eu-west-2"


def test_samples_are_written_the_same_way() -> None:
    for path in Path(ROOT / "events").iterdir():
        text = path.read_text()
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
