"""The items by which a Region sees whether its own replica takes writes: /health's, a canary's."""

from __future__ import annotations

from typing import Any

from sidestep.aws.failures import calling


class ProbeItem:
    """One Region's item of a kind (`probe` or `canary`). How long a call may take is the given
    client's.

    Each has a partition key of its own: one key takes 1,000 write units a second
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html),
    in every replica, and canaries are open to anybody. A flood of them is to heat neither
    /health's key nor another Region's.
    """

    def __init__(self, dynamodb: Any, table: str, kind: str, region: str) -> None:
        self._dynamodb, self._table = dynamodb, table
        self._key = {"pk": {"S": f"{kind}#{region}"}, "sk": {"S": kind}}

    def write(self, at: int) -> None:
        """Write the time, in epoch milliseconds. Raises as `failures.calling`."""
        item = {**self._key, "at": {"N": str(at)}}
        with calling(f"writing to {self._table}"):
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def read(self) -> int | None:
        """The time last written, by a consistent read; None: no item. Raises as above."""
        with calling(f"reading from {self._table}"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=self._key, ConsistentRead=True
            )
        found = answer.get("Item", {}).get("at")
        return None if found is None else int(found["N"])
