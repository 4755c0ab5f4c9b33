"""Sidestep's control plane under test: real handlers over moto's AWS, in several Regions.

What moto lacks is added where the SDK sends: the coordination table is one table in all its
Regions (MRSC), Regions fall silent, answers get lost, and Route 53's switch checks count versions.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import botocore.session
import pytest
import time_machine
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.loaders import create_loader
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

from sidestep.aws.incident_lease import control_of
from sidestep.aws.items import from_attributes, to_attributes
from sidestep.aws.messages import item_of
from sidestep.aws.regional import Mark, RegionalTable
from sidestep.control._parts import LEDGER_MARGIN_MS
from sidestep.core.control import ControlState
from sidestep.core.messages import Message, message_from, new_message
from sidestep.core.topology import wardens_of

ROOT = Path(__file__).parents[2]
LONDON, VIRGINIA, OREGON = REGIONS = ("eu-west-2", "us-east-1", "us-west-2")
"""London goes bad; Virginia, unless a test says otherwise, acts. Both others are its wardens."""
COORDINATION = ("eu-west-1", "eu-west-2", "eu-central-1")
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "SIDESTEP_APPLICATION": "demo",
    "SIDESTEP_REGIONS": ",".join(REGIONS),
    "SIDESTEP_COORDINATION_REGIONS": ",".join(COORDINATION),
    "SIDESTEP_DATA_TABLE": "sidestep-demo-data",
    "SIDESTEP_REGIONAL_TABLE": "sidestep-demo-regional",
    "SIDESTEP_COORDINATION_TABLE": "sidestep-demo-coordination",
    "SIDESTEP_BUS": "sidestep-demo",
    "SIDESTEP_DOMAIN": "api.sidestep.test",
    "SIDESTEP_POLICY": "{}",
    "SIDESTEP_NAME_SERVERS": "198.51.100.53",
    "SIDESTEP_CHECK_ID": "check",
    "SIDESTEP_API_ID": "api",
    "SIDESTEP_CLIENT_SUBNET": "198.18.0.0/24",
    "POWERTOOLS_METRICS_NAMESPACE": "Sidestep",
    "POWERTOOLS_TRACE_DISABLED": "true",
}
MODELS = create_loader()
"""The services' models, read once for all tests."""
Before = Callable[[], object]


@dataclass(frozen=True)
class Context:
    """What Powertools reads of Lambda's context."""

    function_name: str = "step"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:step"
    aws_request_id: str = "6bc28136-a3b1-4c3a-9f0e-5a9d1e6f7a10"
    left_ms: int = 20_000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's time-out."""
        return self.left_ms


OPEN, SHUT = 3, 4
"""Thresholds of a Region's check: as many as its children, and one more."""


class Switches:
    """Route 53's calculated checks of three children: threshold and version, by id."""

    def __init__(self) -> None:
        self.threshold = {f"toggle-{region}": OPEN for region in REGIONS}
        self.version = dict.fromkeys(self.threshold, 1)

    def answer(self, request: Any) -> AWSResponse:
        """GetHealthCheck and UpdateHealthCheck, with the version as an optimistic lock."""
        check = urlsplit(request.url).path.rsplit("/", 1)[-1]
        if request.method == "POST":
            asked = request.body.decode()
            if _number(asked, "HealthCheckVersion") != self.version[check]:
                return _xml(request, _ERROR.format("HealthCheckVersionMismatch"), 409)
            self.threshold[check] = _number(asked, "HealthThreshold")
            self.version[check] += 1
        told = _CHECK.format(check, self.threshold[check], self.version[check])
        root = "UpdateHealthCheckResponse" if request.method == "POST" else "GetHealthCheckResponse"
        return _xml(request, f"<{root}>{told}</{root}>", 200)


class ControlPlane:
    """Tables in every Region, switches, and what happens to the calls between."""

    def __init__(self, clock: time_machine.Traveller, env: pytest.MonkeyPatch) -> None:
        self.clock, self._env = clock, env
        self.switches = Switches()
        self.left_ms = Context.left_ms
        """How much time each invocation has left when it begins to note what it did."""
        self.silent: set[tuple[str, str]] = set()
        """(service, Region) pairs that do not answer; `*` is any service."""
        self.lost: set[tuple[str, str]] = set()
        """(operation, Region): done, but the answer does not arrive. Once."""
        self.refusing: dict[tuple[str, str], str] = {}
        """(operation, Region) → the error's code that is answered; `*` is any Region. A Query of an
        index is a `QueryIndex` here."""
        self.before: dict[str, Before] = {}
        """What happens just before an operation is carried out. Once."""
        self.calls: list[tuple[str, str]] = []
        self._environments = 0
        self._warm: dict[tuple[str, str, str], Callable[[Any], dict[str, Any]]] = {}
        core = botocore.session.Session()
        core.register_component("data_loader", MODELS)
        boto3.setup_default_session(botocore_session=core)
        make: Any = boto3.client
        self.dynamodb: dict[str, Any] = {
            r: make("dynamodb", r) for r in (*REGIONS, COORDINATION[0])
        }
        for region in REGIONS:
            self._table(region, "data")
            self._table(region, "regional")
        self._table(COORDINATION[0], "coordination")
        session: Any = boto3.DEFAULT_SESSION
        # For clients made from now on; botocore asks every hook, so moto's must not be one.
        session.events.unregister("before-send", botocore_stubber)
        session.events.register("before-send", self._send)

    # -- acting ------------------------------------------------------------------------------

    def invoke(self, handler: str, here: str = VIRGINIA, /, **event: Any) -> dict[str, Any]:
        """A step of a workflow that runs `here`, in an environment that is warm from the last."""
        key = (handler, here, os.environ["SIDESTEP_POLICY"])
        if key not in self._warm:
            self._warm[key] = self.cold_start(handler, here)
        return self._warm[key](event)

    def cold_start(self, step: str, region: str = VIRGINIA) -> Callable[[Any], dict[str, Any]]:
        """A new execution environment of a step's handler."""
        self._env.setenv("AWS_REGION", region)
        self._env.setenv("AWS_DEFAULT_REGION", region)
        self._env.setenv("SIDESTEP_CHECK_ID", f"toggle-{region}")
        regions = tuple(os.environ["SIDESTEP_REGIONS"].split(","))
        self._env.setenv("SIDESTEP_WARDENS", ",".join(wardens_of(region, regions)))
        self._env.setenv("POWERTOOLS_SERVICE_NAME", step)
        self._environments += 1
        source = ROOT / "functions" / "sidestep" / "control" / f"{step}.py"
        unique = f"sidestep.control.{step}__environment_{self._environments}"
        spec = importlib.util.spec_from_file_location(unique, source)
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        sys.modules[unique] = module
        try:
            spec.loader.exec_module(module)
        finally:
            del sys.modules[unique]
        return lambda event: json.loads(
            json.dumps(module.handler(event, Context(left_ms=self.left_ms)))
        )

    def policy(self, **values: Any) -> None:
        """The policy of execution environments from now on."""
        self._env.setenv("SIDESTEP_POLICY", json.dumps(values))

    def ask_claim(
        self,
        name: str = "one",
        kind: str = "failover",
        region: str = LONDON,
        here: str = VIRGINIA,
        **more: Any,
    ) -> dict[str, Any]:
        """ClaimFunction's answer to the execution `name` of a workflow in `here`."""
        given = {"region": region, "kind": kind, "execution": holder(name, kind, here)}
        return self.invoke("claim", here, **given, **more)

    def claim(self, name: str = "one", **how: Any) -> dict[str, Any]:
        """A claim that is held."""
        answer = self.ask_claim(name, **how)
        assert answer["held"], answer["why"]
        claim: dict[str, Any] = answer["claim"]
        return claim

    def let_out(self, name: str = "one", region: str = LONDON, **how: Any) -> dict[str, Any]:
        """Drain a Region by the gate, as after a count that found all heartbeats to be new; the
        claim, which is still held."""
        claim = self.claim(name, region=region, **how)
        assert self.invoke("gate", claim=claim, action="drain", checked_ms=self.now)["set"]
        counted = {"look_from": self.now - LEDGER_MARGIN_MS}
        self.record(claim, "counted", state="DRAINED", facts=counted)
        return claim

    def drained(self, region: str = LONDON, name: str = "drainer", **how: Any) -> dict[str, Any]:
        """The same, and the incident is put down; its last claim."""
        claim = self.let_out(name, region, **how)
        self.record(claim, "drained", release=True)
        return claim

    def record(self, claim: Mapping[str, Any], step: str, **more: Any) -> dict[str, Any]:
        """RecordFunction."""
        return self.invoke("record", claim=claim, step=step, outcome="as told", **more)

    def register(self) -> None:
        """Every Region's entry of the registry, as its observer keeps it."""
        for number, region in enumerate(REGIONS):
            entry = {
                "region": region,
                "check_id": f"toggle-{region}",
                "api_id": "api",
                "client_subnet": f"198.18.{number}.0/24",
                "at": self.now,
            }
            self.put("coordination", {"pk": "app#demo", "sk": f"region#{region}", **entry})

    def begin_again(self) -> None:
        """Nothing has happened, nothing is wrong; the handlers stay warm."""
        for left in (self.silent, self.lost, self.refusing, self.before):
            left.clear()
        self.switches, self.left_ms = Switches(), Context.left_ms
        for region, name in (
            *((r, n) for r in REGIONS for n in ("data", "regional")),
            (COORDINATION[0], "coordination"),
        ):
            table = {"TableName": f"sidestep-demo-{name}"}
            for item in self.dynamodb[region].scan(**table)["Items"]:
                key = {"pk": item["pk"], "sk": item["sk"]}
                self.dynamodb[region].delete_item(**table, Key=key)

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.clock.shift(seconds)

    # -- looking -----------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Epoch milliseconds."""
        return int(time.time() * 1000)

    def control(self) -> ControlState:
        """The control item."""
        item = self.get("coordination", "app#demo", "control")
        assert item is not None
        return control_of(item)

    def state(self, region: str = LONDON) -> str:
        """A Region's state."""
        return self.control().of(region).state

    def mark(self, warden: str, region: str = LONDON) -> Mark | None:
        """A warden's mark."""
        return RegionalTable(self.dynamodb[warden], "sidestep-demo-regional").mark(region)

    def marked(self, region: str = LONDON) -> set[str]:
        """The wardens that say that the Region is drained."""
        return {warden for warden in REGIONS if (m := self.mark(warden, region)) and m.drained}

    def incident(self, incident: str) -> dict[str, Any]:
        """An incident's record."""
        return self.get("coordination", "incidents#demo", incident) or {}

    def get(self, table: str, pk: str, sk: str, region: str = "") -> dict[str, Any] | None:
        """An item as it is, past all faults."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        got = self._at(table, region).get_item(TableName=f"sidestep-demo-{table}", Key=key)
        return from_attributes(got["Item"]) if "Item" in got else None

    def put(self, table: str, item: Mapping[str, Any], region: str = "") -> None:
        """Put an item, past all faults."""
        client = self._at(table, region)
        client.put_item(TableName=f"sidestep-demo-{table}", Item=to_attributes(item))

    def write(self, key: str, ledgers: tuple[str, ...], replicas: tuple[str, ...]) -> Message:
        """A message accepted in London: what these ledgers heard of it, which replicas hold it."""
        message = message_from(new_message(key, "ada", f"text of {key}"), LONDON, self.now)
        for region in ledgers:
            table = RegionalTable(self.dynamodb[region], "sidestep-demo-regional")
            table.enter(message, self.now)
        for region in replicas:
            self.dynamodb[region].put_item(TableName="sidestep-demo-data", Item=item_of(message))
        return message

    def beat(self, source: str, replica: str, at: int) -> None:
        """A heartbeat of `source`, as a replica holds it."""
        self.put("data", {"pk": "heartbeat", "sk": source, "at": at}, replica)

    def everything(self) -> Any:
        """Control item, marks and switches: what no refused step may change."""
        item = self.get("coordination", "app#demo", "control") or {}
        for state in item.get("regions", {}).values():
            state.pop("lease_until_ms")
        return item, [self.mark(w, r) for w in REGIONS for r in REGIONS], told_of(self.switches)

    # -- between -----------------------------------------------------------------------------

    def _send(self, event_name: str, request: Any, **_: Any) -> AWSResponse | None:
        """botocore's `before-send`: the request is signed and has not left."""
        service, operation = event_name.split(".")[1:]
        region = _region(request.url)
        if operation == "Query" and b'"IndexName"' in (request.body or b""):
            operation = "QueryIndex"
        self.calls.append((operation, region))
        if {(service, region), ("*", region), (service, "*")} & self.silent:
            raise ConnectTimeoutError(endpoint_url=request.url)
        code = self.refusing.get((operation, region)) or self.refusing.get((operation, "*"))
        if code is not None:
            return _refusal(request, code)
        happens = self.before.pop(operation, None)
        if happens is not None:
            happens()
        answer = self._carry_out(event_name, service, region, request)
        if (operation, region) in self.lost:
            self.lost.remove((operation, region))
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    def _carry_out(
        self, event_name: str, service: str, region: str, request: Any
    ) -> AWSResponse | None:
        if service == "route-53":
            return self.switches.answer(request)
        if b"sidestep-demo-coordination" in (request.body or b""):
            assert region in COORDINATION
            parts = urlsplit(request.url)
            host = str(parts.hostname).replace(region, COORDINATION[0])
            request.url = urlunsplit(parts._replace(netloc=host))
            del request.headers["host"]
            request.headers["host"] = host
        answer: AWSResponse | None = botocore_stubber(event_name, request)
        return answer

    def _at(self, table: str, region: str) -> Any:
        return self.dynamodb[COORDINATION[0] if table == "coordination" else region]

    def _table(self, region: str, name: str) -> None:
        index = ("history_pk", "history_sk") if name == "data" else ()
        typed = [{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", *index)]
        self.dynamodb[region].create_table(
            TableName=f"sidestep-demo-{name}",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_keys("pk", "sk"),
            AttributeDefinitions=typed,
            **({"GlobalSecondaryIndexes": [_history(index)]} if index else {}),
        )


def _keys(first: str, second: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": first, "KeyType": "HASH"},
        {"AttributeName": second, "KeyType": "RANGE"},
    ]


def _history(keys: Sequence[str]) -> dict[str, Any]:
    return {
        "IndexName": "history",
        "KeySchema": _keys(*keys),
        "Projection": {"ProjectionType": "ALL"},
    }


def holder(name: str, kind: str = "failover", here: str = VIRGINIA) -> str:
    """An execution's ARN."""
    return f"arn:aws:states:{here}:123456789012:execution:sidestep-demo-{kind}:{name}"


def probe(region: str, status: int | None = 200) -> dict[str, Any]:
    """A probe's answer, of now; status None: nothing answered."""
    asked = {"region": region, "at_ms": int(time.time() * 1000), "reached": status is not None}
    if status is None:
        return {**asked, "error": "ConnectTimeoutError: no answer"}
    body = {"status": "ok", "region": region}
    return {**asked, "status": status, "latency_ms": 80, "body": body}


def told_of(switches: Switches) -> dict[str, Any]:
    """The switches as a value."""
    return {"threshold": dict(switches.threshold), "version": dict(switches.version)}


_CHECK = (
    "<HealthCheck><Id>{}</Id><CallerReference>c</CallerReference><HealthCheckConfig>"
    "<Type>CALCULATED</Type><HealthThreshold>{}</HealthThreshold><ChildHealthChecks>"
    "<ChildHealthCheck>a</ChildHealthCheck><ChildHealthCheck>b</ChildHealthCheck>"
    "<ChildHealthCheck>c</ChildHealthCheck></ChildHealthChecks></HealthCheckConfig>"
    "<HealthCheckVersion>{}</HealthCheckVersion></HealthCheck>"
)
_ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code>"
    "<Message>as the test wants it</Message></Error><RequestId>r</RequestId></ErrorResponse>"
)


def _refusal(request: Any, code: str) -> AWSResponse:
    """An error in the protocol of whoever was asked."""
    if "route53" in request.url:
        return _xml(request, _ERROR.format(code), 400)
    headers: Any = HeadersDict({"Content-Type": "application/x-amz-json-1.0"})
    body = json.dumps({"__type": code, "message": "as the test wants it"}).encode()
    return AWSResponse(request.url, 400, headers, MockRawResponse(body))


def _number(xml: str, name: str) -> int:
    found = re.search(rf"<{name}>(\d+)</{name}>", xml)
    assert found, f"{name} is not in {xml}"
    return int(found[1])


def _xml(request: Any, body: str, status: int) -> AWSResponse:
    headers: Any = HeadersDict({"Content-Type": "text/xml"})
    return AWSResponse(request.url, status, headers, MockRawResponse(body.encode()))


def _region(url: str) -> str:
    found = re.search(r"[a-z]+-[a-z]+-\d", str(urlsplit(url).hostname))
    return found[0] if found else "global"
