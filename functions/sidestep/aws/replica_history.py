"""One Region's writes as another Region's replica holds them, read through the history index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sidestep.aws.failures import calling
from sidestep.aws.messages import HISTORY_INDEX, message_of
from sidestep.aws.patience import PAGE_TRIES, patiently
from sidestep.core.ledger import instant
from sidestep.core.messages import Message, history_partitions


@dataclass(frozen=True)
class Known:
    """What a source of writes tells next: a write at its place, or None: nothing more up to it."""

    place: str
    message: Message | None


class ReplicaHistory:
    """One Region's replica, read by the time of writing.

    The index has no consistent read
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html):
    what came to the replica just now may be missing. Who counts and repairs has waited for DNS to
    move before, and looks once more when the Region returns.
    """

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def writes(self, origin: str, after: str, before: str) -> Iterator[Known]:
        """Writes of `origin` between two places (`core.ledger.place`), oldest first.

        Every Region's writes are read for them: a page is 1 MB before the filter, and may have
        none (API_Query). So each page but a day's last one also tells how far it came. Read page
        by page as they are taken. Raises as `failures.calling`.
        """
        if after >= before:
            return
        for day in history_partitions(instant(after), instant(before)):
            yield from self._day(day, origin, after, before)

    def _day(self, day: str, origin: str, after: str, before: str) -> Iterator[Known]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": HISTORY_INDEX,
            "KeyConditionExpression": "history_pk = :day AND history_sk BETWEEN :after AND :before",
            "FilterExpression": "#region = :origin",
            # REGION is a reserved word (developer guide, "Reserved words in DynamoDB").
            "ExpressionAttributeNames": {"#region": "region"},
            "ExpressionAttributeValues": {
                ":day": {"S": day},
                ":after": {"S": after},
                ":before": {"S": before},
                ":origin": {"S": origin},
            },
        }
        while True:
            page = patiently(partial(self._page, query), PAGE_TRIES)
            for item in page["Items"]:
                message = message_of(item)
                yield Known(message.history_sk, message)
            reached = page.get("LastEvaluatedKey")
            if not reached:
                return
            yield Known(reached["history_sk"]["S"], None)
            query["ExclusiveStartKey"] = reached

    def _page(self, query: dict[str, Any]) -> dict[str, Any]:
        with calling(f"reading the history of {self._table}"):
            page: dict[str, Any] = self._dynamodb.query(**query)
        return page
