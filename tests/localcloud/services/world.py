"""A small world for the services' tests: kernel, network, endpoint, tables to write to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from localcloud.calls.endpoint import ACCOUNT, Caller, Endpoint, current_caller
from localcloud.compute.lambdas import Function, Invocation
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import Services
from localcloud.services.eventual import EventualTable
from localcloud.services.strong import StrongTable

LONDON, VIRGINIA, OREGON, OHIO = "eu-west-2", "us-east-1", "us-west-2", "us-east-2"
ONCE = Config(retries={"total_max_attempts": 1})


class FakeLambda:
    """Lambda functions that are Python callables here; what they were called with is kept."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._code: dict[tuple[str, str], Callable[[Any], Any]] = {}
        self.calls: list[tuple[float, str, Any]] = []
        """(seconds since the start, function, payload) of every invocation."""
        self.throttled = False

    def add(self, region: str, name: str, code: Callable[[Any], Any] = lambda _: None) -> str:
        """Deploy a function; its ARN."""
        self._code[region, name] = code
        return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"

    def payloads(self, name: str) -> list[Any]:
        """What a function was called with, in order."""
        return [payload for _, called, payload in self.calls if called == name]

    def times(self, name: str) -> list[float]:
        """When a function was called, in seconds since the start."""
        return [at for at, called, _ in self.calls if called == name]

    def invoke(self, region: str, name: str, payload: Any) -> Steps[Invocation]:
        """As `localcloud.compute.lambdas.Lambdas.invoke`: an exception is the function's error."""
        if self.throttled:
            return Invocation(None, {"errorType": "TooManyRequestsException"}, 0.0)
        self.calls.append((float(self._kernel.env.now), name, payload))
        yield self._kernel.env.timeout(0.01)
        try:
            return Invocation(self._code[region, name](payload), None, 0.01)
        except RuntimeError as error:
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Invocation(None, failure, 0.01)

    def functions(self, region: str) -> list[Function]:
        """The functions of a Region."""
        return [
            Function(
                name,
                where,
                f"arn:aws:lambda:{where}:{ACCOUNT}:function:{name}",
                "",
                Path(),
                "role",
                {},
            )
            for where, name in self._code
            if where == region
        ]


class World:
    """Three Regions and the services of one test."""

    def __init__(self, seed: int = 7) -> None:
        self._clients: dict[tuple[str, str], Any] = {}
        self.kernel, self.network = Kernel(seed), Network()
        self.endpoint = Endpoint(self.kernel, self.network)
        self.lambdas = FakeLambda(self.kernel)
        self.services = Services(self.kernel, self.network, self.endpoint, self.lambdas)
        self.metrics, self.dynamodb = self.services.metrics, self.services.dynamodb

    def client(self, service: str, region: str) -> Any:
        """A stock boto3 client that does not retry."""
        if (service, region) not in self._clients:
            made = boto3.client(service, region_name=region, config=ONCE)
            self._clients[service, region] = made
        return self._clients[service, region]

    def run(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.kernel.run(until=self.kernel.env.now + seconds)

    def start_in(self, region: str, work: Callable[[], Any]) -> Any:
        """Start `work` as a handler in a Region would run: in a fiber, as a role. A process."""

        def called() -> Any:
            current_caller.set(Caller(region, "arn:aws:iam::123456789012:role/handler", "handler"))
            return work()

        return self.kernel.process(self.kernel.call(called))

    def in_region(self, region: str, work: Callable[[], Any]) -> Any:
        """Run `work` in a Region to its end, and give its result."""
        return self.kernel.run(until=self.start_in(region, work))

    def make_table(self, name: str, *regions: str, **more: Any) -> None:
        """A table with keys `pk` and `sk` in each Region."""
        attributes = more.pop("AttributeDefinitions", [])
        for region in regions:
            self.client("dynamodb", region).create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                    *attributes,
                ],
                BillingMode="PAY_PER_REQUEST",
                **more,
            )

    def eventual(self, name: str, *regions: str) -> EventualTable:
        """An MREC global table, streams on."""
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self.make_table(name, *regions, StreamSpecification=stream)
        return self.services.make_eventual(name, [*regions])

    def strong(
        self, name: str, *regions: str, witness: str | None = None, **more: Any
    ) -> StrongTable:
        """An MRSC global table."""
        self.make_table(name, *regions, **more)
        return self.services.make_strong(name, [*regions], witness)

    def put(self, region: str, table: str, pk: str, **attributes: str) -> None:
        """Put an item with string attributes, as the operator."""
        self.client("dynamodb", region).put_item(TableName=table, Item=item(pk, **attributes))

    def get(self, region: str, table: str, pk: str, consistent: bool = False) -> Any:
        """The item's plain attributes, or None."""
        found = self.client("dynamodb", region).get_item(
            TableName=table, Key=item(pk), ConsistentRead=consistent
        )
        if "Item" not in found:
            return None
        return {name: next(iter(value.values())) for name, value in found["Item"].items()}


def item(pk: str, **attributes: str) -> dict[str, dict[str, str]]:
    """An item in DynamoDB JSON; its sort key is `s`."""
    return {name: {"S": value} for name, value in {"pk": pk, "sk": "s", **attributes}.items()}
