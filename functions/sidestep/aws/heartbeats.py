"""Heartbeats: each Region writes one to its own replica and reads everybody's there."""

from __future__ import annotations

from typing import Any

from sidestep.aws.failures import calling

_PK = "heartbeat"


class ReplicaHeartbeats:
    """The heartbeats in one Region's replica of the data table."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def beat(self, region: str, at_ms: int) -> None:
        """Write a Region's heartbeat here. Raises as `failures.calling`."""
        with calling(f"writing a heartbeat to {self._table}"):
            self._dynamodb.put_item(
                TableName=self._table,
                Item={"pk": {"S": _PK}, "sk": {"S": region}, "at": {"N": str(at_ms)}},
            )

    def newest(self) -> dict[str, int]:
        """When each Region's newest heartbeat in this replica was written (epoch ms)."""
        with calling(f"reading heartbeats from {self._table}"):
            answer = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": _PK}},
                ConsistentRead=True,
            )
        return {item["sk"]["S"]: int(item["at"]["N"]) for item in answer["Items"]}
