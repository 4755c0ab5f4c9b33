"""The write ledger of the surviving Regions, held against a replica of the data table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of
from sidestep.aws.messages import item_of, message_of
from sidestep.aws.regional import RegionalTable
from sidestep.core.errors import SidestepError, Throttled
from sidestep.core.messages import Message

BATCH = 100
"""Keys in one BatchGetItem (API_BatchGetItem)."""
_UNPROCESSED_TRIES = 5


@dataclass(frozen=True)
class Stretch:
    """Part of the ledgers: its writes, oldest first, each once."""

    entries: tuple[Message, ...]
    unread: Mapping[str, str]
    """The Regions whose ledger could not be read, with why."""
    end: str | None
    """The place at which the next stretch begins; None: there is none."""


class WriteLedger:
    """Ledgers by the Region that keeps them. Each may be away; what is missing is said."""

    def __init__(self, ledgers: Mapping[str, RegionalTable]) -> None:
        self._ledgers = ledgers

    def stretch(
        self, origin: str, after: str, limit: int, without: Collection[str] = ()
    ) -> Stretch:
        """The first writes of `origin` after a place that any surviving ledger knows, `limit` at
        most; the ledgers of the Regions in `without` are not asked."""
        found: dict[str, Message] = {}
        unread: dict[str, str] = {}
        ends: list[str] = []
        for region, ledger in self._ledgers.items():
            if region == origin or region in without:
                continue
            try:
                known = list(ledger.entries(origin, after, limit))
            except SidestepError as error:
                unread[region] = str(error)
                continue
            found |= {message.history_sk: message for message in known}
            if len(known) == limit:
                ends.append(known[-1].history_sk)  # it may know more after this
        places = sorted(place for place in found if not ends or place <= min(ends))
        cut = len(places) > limit
        places = places[:limit]
        end = places[-1] if places and (ends or cut) else None
        return Stretch(tuple(found[place] for place in places), unread, end)


class Replica:
    """One Region's replica of the data table, as assess and repair need it."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def held(self, ids: Iterable[str]) -> dict[str, Message]:
        """The messages that this replica holds of these ids. Raises as `failures.calling`."""
        wanted = sorted(set(ids))
        held: dict[str, Message] = {}
        for start in range(0, len(wanted), BATCH):
            keys = [
                {"pk": {"S": f"message#{one}"}, "sk": {"S": "message"}}
                for one in wanted[start : start + BATCH]
            ]
            for item in self._batch(keys):
                message = message_of(item)
                held[message.id] = message
        return held

    def _batch(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        ask = {self._table: {"Keys": keys, "ConsistentRead": True}}
        for _ in range(_UNPROCESSED_TRIES):
            with calling(f"reading from {self._table}"):
                answer = self._dynamodb.batch_get_item(RequestItems=ask)
            items.extend(answer["Responses"].get(self._table, []))
            ask = answer.get("UnprocessedKeys") or {}
            if not ask:
                return items
        raise Throttled(f"{self._table} left keys unread {_UNPROCESSED_TRIES} times in a row")

    def put_back(self, message: Message, now_ms: int) -> bool:
        """Put a write back unless the replica holds one under its id; whether it was put.

        The item says when it was put back, so that its arrival elsewhere is not taken for lag.
        """
        with calling(f"repairing {self._table}"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item={**item_of(message), "repaired_at": {"N": str(now_ms)}},
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                return False
        return True
