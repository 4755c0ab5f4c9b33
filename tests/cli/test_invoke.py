"""Every sample event, fed where AWS would put it, does what it is a sample of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud
from sidestepctl import invoke
from tests.cli.running import ROOT

EVENTS = ROOT / "events"
CAME_OUT = {
    "api-write": "POST /messages in eu-west-2 → 201",
    "api-write-base64": "POST /messages in eu-west-2 → 201",
    "api-write-other-body": "POST /messages in eu-west-2 → 409",
    "api-write-missing-field": "→ 400",
    "api-write-no-idempotency-key": "→ 400",
    "api-write-not-json": "→ 400",
    "api-write-too-long": "→ 400",
    "api-write-unknown-field": "→ 400",
    "api-write-wrong-content-type": "→ 415",
    "api-write-wrong-type": "→ 400",
    "api-history": "GET /history",
    "api-history-bad-limit": "GET /history?limit=1000 in eu-west-2 → 400",
    "api-health": "GET /health in eu-west-2 → 200",
    "api-drained": "→ 404",
    "api-canary": "POST /canary in eu-west-2 → 200",
    "bus-message-written": 'ledger in us-east-1 → {"entered": true}',
    "queue-unsent-event": 'reemit in eu-west-2 → {"batchItemFailures": []}',
    "stream-records": "to sidestep-demo-replicated in us-east-1: no error",
    "alarm-state-change": '"machine": "observe"',
    "schedule": "vote in us-east-1 → ",
    "start-failover": '"machine": "failover"',
    "start-drill": '"state": "See whether a drill may run"',
}
"""Event → what has to come out. In this order in one world: moves last."""


@pytest.fixture(scope="module")
def world() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        Chronicle(cloud)
        cloud.start()
        cloud.kernel.run(until=invoke.SETTLE_S)
        yield cloud


def test_each_sample_is_fed_here() -> None:
    assert set(CAME_OUT) == {path.stem for path in EVENTS.glob("*.json")}


@pytest.mark.parametrize("name", CAME_OUT)
def test_a_sample_does_what_it_is_a_sample_of(world: LocalCloud, name: str) -> None:
    event = json.loads((EVENTS / f"{name}.json").read_text())

    came_out = invoke.feed_into(world, name, event, None)

    assert CAME_OUT[name] in came_out


def request(**changed: Any) -> str:
    """A request that would be taken, but for this."""
    usual = {"version": "2.0", "routeKey": "GET /health", "rawPath": "/health"}
    return json.dumps(usual | {"requestContext": {"http": {"method": "GET"}}} | changed)


def start(**changed: Any) -> str:
    """The same of a StartExecution."""
    arn = "arn:aws:states:eu-west-2:123456789012:stateMachine:sidestep-demo-drill"
    return json.dumps({"stateMachineArn": arn} | changed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "an event is a JSON object, not list"),
        ('{"a": 1}', "no event that the system takes"),
        ('{"Records": [{"eventSourceARN": "x"}]}', "is no ARN"),
        ('{"Records": [{"eventSourceARN": "arn:aws:sqs:eu-west-2:1:other"}]}', "no event source"),
        (
            '{"stateMachineArn": "arn:aws:states:eu-west-2:123456789012:stateMachine:no"}',
            "StateMachineDoesNotExist",
        ),
        ('{"Records": [1]}', "Records[0] has to be an object"),
        ('{"Records": 1}', "of a queue or stream event: Records has to be a list"),
        ('{"Records": [{}]}', "Records[0].eventSourceARN None is no ARN"),
        (request(requestContext=1), "an API request: requestContext.http.method is missing"),
        (request(requestContext={"http": {"method": 1}}), "http.method has to be text"),
        (request(rawPath=None), "rawPath is missing"),
        (request(rawPath="health"), "rawPath has to begin with /"),
        (request(headers={"a": 1}), "headers.a has to be text"),
        (request(headers=[]), "headers has to be an object"),
        (request(body={"author": "ada"}), "body has to be text"),
        (request(body="a", isBase64Encoded=True), "body is not in Base64, though"),
        ('{"detail-type": "x", "source": 1}', "a bus event: source has to be text"),
        ('{"detail-type": "Scheduled Event"}', "a bus event: source is missing"),
        ('{"stateMachineArn": "sidestep-demo-drill"}', "'sidestep-demo-drill' is no ARN"),
        (start(stateMachineArn="arn:aws:states:a b:1:stateMachine:x"), "region_name 'a b'"),
        (start(nosuch=1), "a StartExecution: it has no nosuch"),
        (start(input={"region": "eu-west-2"}), "a StartExecution: input has to be text"),
        (start(input="{"), "InvalidExecutionInput"),
        (start(name=""), "Invalid length for parameter name"),
    ],
)
def test_what_is_no_event_is_one_clear_line(
    world: LocalCloud, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "event.json"
    path.write_text(text)

    with pytest.raises(invoke.InvokeError) as refused:
        invoke.feed_into(world, str(path), invoke.read(str(path)), None)

    assert said in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
