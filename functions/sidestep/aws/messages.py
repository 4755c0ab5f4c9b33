"""Messages in the data table: put once, get, and read newest first by the history index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of
from sidestep.aws.items import from_attributes, to_attributes
from sidestep.core.messages import Cursor, Message

HISTORY_INDEX = "history"


class MessageStore:
    """One Region's replica of the data table."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def put_if_new(self, message: Message) -> Message | None:
        """Store a message unless this replica holds one under its id; then return that one.

        The condition judges the local copy only (MREC): two Regions that have not replicated
        yet can both store, and the last writer wins. Raises as `failures.calling`; after
        Unreachable the message may be stored or not.
        """
        with calling(f"writing to {self._table}"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item_of(message),
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                # botocore parses modelled error members beside "Error".
                answered: Mapping[str, Any] = error.response
                return message_of(answered["Item"])
        return None

    def get(self, message_id: str) -> Message | None:
        """The message as this replica holds it, by a consistent read. Raises as above."""
        with calling(f"reading from {self._table}"):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=_key(message_id), ConsistentRead=True
            )
        return message_of(answer["Item"]) if "Item" in answer else None

    def day(self, cursor: Cursor, limit: int) -> list[Message]:
        """At most `limit` (1 to 100) messages of the cursor's day, newest first, from its place on.

        Fewer than `limit` means that the day has no more: 100 messages of the greatest size
        are about half of the 1 MB at which a query would stop short. The index lags its table
        by a little, so a message just written may be missing. Raises as above.
        """
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": HISTORY_INDEX,
            "KeyConditionExpression": "history_pk = :day",
            "ExpressionAttributeValues": {":day": {"S": f"history#{cursor.day}"}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if cursor.after is not None:
            query["KeyConditionExpression"] += " AND history_sk < :after"
            query["ExpressionAttributeValues"][":after"] = {"S": cursor.after}
        with calling(f"reading from {self._table}"):
            answer = self._dynamodb.query(**query)
        return [message_of(item) for item in answer["Items"]]


def item_of(message: Message) -> dict[str, dict[str, Any]]:
    """A message as its item in the data table, keys and index keys included."""
    return {
        **_key(message.id),
        **to_attributes(message.to_dict()),
        "history_pk": {"S": message.history_pk},
        "history_sk": {"S": message.history_sk},
    }


def message_of(item: Mapping[str, Any]) -> Message:
    """The message in an item. Raises InvalidInput when it is none."""
    return Message.from_dict(from_attributes(item))


def _key(message_id: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"message#{message_id}"}, "sk": {"S": "message"}}
