"""One Region's data plane under test: real handlers over moto's AWS, faults at the SDK."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
import time_machine
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.loaders import create_loader
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

ROOT = Path(__file__).parents[2]
HERE, PEER, FAR = "eu-west-2", "us-east-1", "us-west-2"
ENVIRONMENT = {
    "AWS_REGION": HERE,
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "SIDESTEP_APPLICATION": "demo",
    "SIDESTEP_REGIONS": f"{HERE},{PEER},{FAR}",
    "SIDESTEP_COORDINATION_REGIONS": "eu-west-1,eu-west-2,eu-central-1",
    "SIDESTEP_DATA_TABLE": "sidestep-demo-data",
    "SIDESTEP_REGIONAL_TABLE": "sidestep-demo-regional",
    "SIDESTEP_COORDINATION_TABLE": "sidestep-demo-coordination",
    "SIDESTEP_BUS": "sidestep-demo",
    "SIDESTEP_DOMAIN": "api.sidestep.test",
    "SIDESTEP_POLICY": "{}",
    "POWERTOOLS_METRICS_NAMESPACE": "Sidestep",
}
MODELS = create_loader()
"""The services' models, read once for all tests."""
Handler = Callable[[Mapping[str, Any]], Any]
Fault = Callable[[str, Any], AWSResponse | None]


class Killed(BaseException):
    """The execution environment was stopped: nothing in it runs on."""


@dataclass(frozen=True)
class Context:
    """What the handlers and Powertools read of Lambda's context."""

    function_name: str
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = f"arn:aws:lambda:{HERE}:123456789012:function:f"
    aws_request_id: str = "6bc28136-a3b1-4c3a-9f0e-5a9d1e6f7a10"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a handler, read."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Faults:
    """What goes wrong at the SDK's last step, until it is mended; and what was called."""

    def __init__(self) -> None:
        self._struck: dict[tuple[str, str], Fault] = {}
        self.calls: list[str] = []
        self.hosts: set[str] = set()

    def strike(self, operation: str, fault: Fault, table: str = "") -> None:
        """From now on the operation (on this table) meets the fault."""
        self._struck[operation, table] = fault

    def mend(self) -> None:
        """Everything works again."""
        self._struck.clear()

    def hook(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        """botocore's `before-send`: the request is signed and has not left."""
        operation = event_name.rsplit(".", 1)[-1]
        self.calls.append(operation)
        self.hosts.add(str(urlsplit(request.url).hostname))
        body = request.body or b""
        table = json.loads(body).get("TableName", "") if body[:1] == b"{" else ""
        fault = self._struck.get((operation, table)) or self._struck.get((operation, ""))
        return (fault or works)(event_name, request)


def works(event_name: str, request: Any) -> AWSResponse | None:
    """The service does what it is asked and says so."""
    answer: AWSResponse | None = botocore_stubber(event_name, request)
    return answer


def says(code: str, status: int = 400) -> Fault:
    """The service answers with an error."""

    def fault(_: str, request: Any) -> AWSResponse:
        return answering(request, {"__type": code, "message": "as the test wants it"}, status)

    return fault


def answers(body: Mapping[str, Any]) -> Fault:
    """The service answers 200 with this, and does nothing."""
    return lambda _, request: answering(request, body, 200)


def answering(request: Any, body: Mapping[str, Any], status: int) -> AWSResponse:
    raw = json.dumps(body).encode()
    headers: Any = HeadersDict({"Content-Type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, status, headers, MockRawResponse(raw))


def silent(_: str, request: Any) -> AWSResponse | None:
    """Nothing answers."""
    raise ConnectTimeoutError(endpoint_url=request.url)


def done_but_silent(event_name: str, request: Any) -> AWSResponse | None:
    """The service does what it is asked; its answer is lost."""
    works(event_name, request)
    raise ReadTimeoutError(endpoint_url=request.url)


def killed(_: str, __: Any) -> AWSResponse | None:
    """The environment is stopped before the call goes out."""
    raise Killed


class DataPlane:
    """One Region: its tables, bus and queue; `heard` is what a rule on the bus delivered."""

    def __init__(self, region: str, clock: time_machine.Traveller) -> None:
        self.region, self.clock, self.faults = region, clock, Faults()
        self._environments = 0
        core = botocore.session.Session()
        core.register_component("data_loader", MODELS)
        boto3.setup_default_session(botocore_session=core)
        make: Any = boto3.client
        self._aws: dict[str, Any] = {
            name: make(name, region) for name in ("dynamodb", "events", "sqs")
        }
        self._make_tables()
        self.unsent_url = self._aws["sqs"].create_queue(QueueName="unsent")["QueueUrl"]
        self._heard_url = self._aws["sqs"].create_queue(QueueName="heard")["QueueUrl"]
        self._make_bus()
        session: Any = boto3.DEFAULT_SESSION
        # For clients made from now on; botocore asks every hook, so moto's must not be one.
        session.events.unregister("before-send", botocore_stubber)
        session.events.register("before-send", self.faults.hook)

    def cold_start(self, name: str) -> Handler:
        """A new execution environment of a handler."""
        module = self.module(name)
        return lambda event: module.handler(event, Context(name))

    def module(self, name: str) -> Any:
        """A handler's module, executed afresh."""
        self._environments += 1
        source = ROOT / "functions" / "sidestep" / "api" / f"{name}.py"
        unique = f"sidestep.api.{name}__environment_{self._environments}"
        spec = importlib.util.spec_from_file_location(unique, source)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[unique] = module
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules[unique]
        return module

    def request(self, handler: Handler, event: Mapping[str, Any]) -> Answer:
        """Ask a handler as API Gateway does."""
        said = handler(event)
        return Answer(said["statusCode"], said["headers"], json.loads(said["body"]))

    def items(self, table: str) -> list[dict[str, Any]]:
        """A table's items as DynamoDB holds them."""
        found: list[dict[str, Any]] = self._aws["dynamodb"].scan(
            TableName=f"sidestep-demo-{table}"
        )["Items"]
        return found

    def put(self, table: str, item: Mapping[str, Any]) -> None:
        self._aws["dynamodb"].put_item(TableName=f"sidestep-demo-{table}", Item=item)

    def heard(self) -> list[dict[str, Any]]:
        """Details of the events that the bus delivered since the last time."""
        return [json.loads(body)["detail"] for body in self._take(self._heard_url)]

    def unsent(self) -> list[str]:
        """Bodies of the messages in the queue of unsent events; they are taken out."""
        return self._take(self.unsent_url)

    def _take(self, url: str) -> list[str]:
        bodies: list[str] = []
        while True:
            got = self._aws["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            if not got.get("Messages"):
                return bodies
            for message in got["Messages"]:
                bodies.append(message["Body"])
                self._aws["sqs"].delete_message(
                    QueueUrl=url, ReceiptHandle=message["ReceiptHandle"]
                )

    def _make_tables(self) -> None:
        keys = [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ]
        typed = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
        index = [
            {"AttributeName": "history_pk", "KeyType": "HASH"},
            {"AttributeName": "history_sk", "KeyType": "RANGE"},
        ]
        indexed = [
            {"AttributeName": f"history_{name}", "AttributeType": "S"} for name in ("pk", "sk")
        ]
        create = self._aws["dynamodb"].create_table
        create(
            TableName="sidestep-demo-data",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=keys,
            AttributeDefinitions=typed + indexed,
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "history",
                    "KeySchema": index,
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        create(
            TableName="sidestep-demo-regional",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=keys,
            AttributeDefinitions=typed,
        )

    def _make_bus(self) -> None:
        events = self._aws["events"]
        events.create_event_bus(Name="sidestep-demo")
        events.put_rule(
            Name="heard", EventBusName="sidestep-demo", EventPattern='{"source":["sidestep.api"]}'
        )
        arn = f"arn:aws:sqs:{self.region}:123456789012:heard"
        events.put_targets(
            Rule="heard", EventBusName="sidestep-demo", Targets=[{"Id": "heard", "Arn": arn}]
        )


def sample(name: str) -> dict[str, Any]:
    """A sample event of events/, by its file's name."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event


def posting(body: Any, key: str | None = "a-key", **headers: str) -> dict[str, Any]:
    """A POST of /messages with this body (as JSON, unless it is text already) and key."""
    event = sample("api-write")
    event["body"] = body if isinstance(body, str) else json.dumps(body)
    del event["headers"]["idempotency-key"]
    if key is not None:
        event["headers"]["idempotency-key"] = key
    event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return event


def metrics_in(output: str) -> list[dict[str, Any]]:
    """The EMF documents among what was printed."""
    return [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
