"""The Regional table: drain marks, the write ledger, and the fault that a drill injects.

Nothing in it is replicated: each Region keeps, by itself, what it knows of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of
from sidestep.aws.items import from_attributes, to_attributes
from sidestep.aws.patience import PAGE_TRIES, patiently
from sidestep.core.messages import Message

LEDGER_DAYS = 7
"""How long a ledger entry is kept: longer than a Region is likely to be gone."""
FAULT_KEY = {"pk": {"S": "fault"}, "sk": {"S": "health"}}
"""Where a drill's fault is."""


@dataclass(frozen=True)
class Mark:
    """What this Region, as a warden, was told about another: `confirmed_at` in epoch ms."""

    region: str
    drained: bool
    token: int
    incident: str
    confirmed_at: int


@dataclass(frozen=True)
class DrillFault:
    """A drill's order to answer /health with 503 `until` (epoch ms); `incident` is the drill."""

    until: int
    incident: str


class RegionalTable:
    """One Region's own table. Every method raises as `failures.calling`."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def mark(self, region: str) -> Mark | None:
        """The mark on a Region, by a consistent read; None: never marked."""
        item = self._get({"pk": {"S": "drained"}, "sk": {"S": region}})
        return None if item is None else mark_of(region, item)

    def enter(self, message: Message, seen_at: int) -> bool:
        """Put an acknowledged write of another Region into the ledger, once.

        False: it was there already, and stays as it was. `seen_at` is epoch ms.
        """
        entry = to_attributes(
            {
                "pk": _ledger(message.region),
                "sk": message.history_sk,
                "item": message.to_dict(),
                "seen_at": seen_at,
                "expires_at": seen_at // 1000 + LEDGER_DAYS * 86_400,
            }
        )
        with calling(f"writing to {self._table}"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=entry,
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True

    def entries(self, origin: str, after: str) -> Iterator[Message]:
        """Writes of `origin` that this ledger knows after a place in it (`core.ledger.place`, or
        a message's `history_sk`).

        Oldest first, read page by page as they are taken.
        """
        query: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :origin AND sk > :after",
            "ExpressionAttributeValues": to_attributes(
                {":origin": _ledger(origin), ":after": after}
            ),
        }
        while True:
            page = patiently(partial(self._page, query), PAGE_TRIES)
            for item in page["Items"]:
                yield Message.from_dict(from_attributes(item)["item"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _page(self, query: dict[str, Any]) -> dict[str, Any]:
        with calling(f"reading from {self._table}"):
            page: dict[str, Any] = self._dynamodb.query(**query)
        return page

    def fault(self) -> DrillFault | None:
        """The injected fault, over or not; None: there is none."""
        item = self._get(FAULT_KEY)
        return None if item is None else DrillFault(int(item["until"]), str(item["incident"]))

    def inject(self, fault: DrillFault) -> None:
        """Make this Region's /health answer 503 until the fault's end. Again: prolongs it."""
        item = {**FAULT_KEY, **to_attributes({"until": fault.until, "incident": fault.incident})}
        with calling(f"writing to {self._table}"):
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def heal(self) -> None:
        """Take the injected fault away, whoever injected it. No fault: nothing to do."""
        with calling(f"writing to {self._table}"):
            self._dynamodb.delete_item(TableName=self._table, Key=FAULT_KEY)

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        with calling(f"reading from {self._table}"):
            answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None


def _ledger(origin: str) -> str:
    return f"ledger#{origin}"


def mark_of(region: str, item: Mapping[str, Any]) -> Mark:
    """The mark on a Region, from its item."""
    return Mark(
        region=region,
        drained=bool(item["drained"]),
        token=int(item["token"]),
        incident=str(item["incident"]),
        confirmed_at=int(item["confirmed_at"]),
    )
