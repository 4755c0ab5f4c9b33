"""A small world for the services' tests: kernel, network, endpoint, tables to write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from localcloud.endpoint import Caller, Endpoint, current_caller
from localcloud.kernel import Kernel
from localcloud.network import Network
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.eventual import EventualTable
from localcloud.services.links import ReplicationControl
from localcloud.services.metrics import MetricStore
from localcloud.services.strong import StrongTable

LONDON, VIRGINIA, OREGON, OHIO = "eu-west-2", "us-east-1", "us-west-2", "us-east-2"
ONCE = Config(retries={"total_max_attempts": 1})


class World:
    """Three Regions and the services of one test."""

    def __init__(self) -> None:
        self.kernel, self.network = Kernel(seed=7), Network()
        self.endpoint = Endpoint(self.kernel, self.network)
        self.metrics = MetricStore()
        self.control = ReplicationControl()
        self.dynamodb = DynamoDb(self.endpoint)

    def client(self, service: str, region: str) -> Any:
        """A stock boto3 client that does not retry."""
        return boto3.client(service, region_name=region, config=ONCE)

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
        table = EventualTable(
            self.kernel, self.network, self.dynamodb, self.metrics, self.control, name, [*regions]
        )
        self.dynamodb.replicate(table)
        return table

    def strong(
        self, name: str, *regions: str, witness: str | None = None, **more: Any
    ) -> StrongTable:
        """An MRSC global table."""
        self.make_table(name, *regions, **more)
        table = StrongTable(
            self.kernel, self.network, self.dynamodb, name, [*regions], witness=witness
        )
        self.dynamodb.replicate(table)
        self.dynamodb.install_replication_hooks(self.endpoint)
        return table

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
