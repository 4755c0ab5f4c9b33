"""The coordination table, through whichever of its Regions answers.

Strongly consistent in several Regions (MRSC): a conditional write or a consistent read means
what it says while any one of its Regions is gone. When a Region does not answer, the next is
asked; a write may then have been done already, so every write here is conditional or the
same however often it is made, and callers read again after a condition failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of
from sidestep.aws.items import from_attributes, to_attributes
from sidestep.core.errors import CoordinationUnavailable, Refused, Throttled, Unreachable

CONFLICT = "ReplicatedWriteConflictException"
"""Two Regions wrote one item at once (botocore's model of DynamoDB): try again."""
CONFLICT_TRIES = 4


class ConditionFailed(Exception):  # noqa: N818  # an answer, not a fault: the caller reads again
    """A conditional write found the item otherwise than expected."""


class CoordinationTable:
    """One application's partition of the coordination table.

    `clients` maps each coordination Region to its DynamoDB client, in the order to ask them;
    a Region that does not answer goes to the end of the order, for as long as this object lives.
    """

    def __init__(self, clients: Mapping[str, Any], table: str, application: str) -> None:
        self._clients = dict(clients)
        self._order = list(clients)
        self._table = table
        self._pk = f"app#{application}"
        self._incidents = f"incidents#{application}"

    def everything(self) -> dict[str, dict[str, Any]]:
        """Control, registry and ballots by sort key, strongly consistent, in one query."""
        items: dict[str, dict[str, Any]] = {}
        start: Mapping[str, Any] | None = None
        while True:
            query: dict[str, Any] = {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": self._pk}},
                "ConsistentRead": True,
            }
            if start:
                query["ExclusiveStartKey"] = start
            answer = self._ask("query", query)
            for item in answer["Items"]:
                plain = from_attributes(item)
                items[plain["sk"]] = plain
            start = answer.get("LastEvaluatedKey")
            if not start:
                return items

    def get(self, sk: str) -> dict[str, Any] | None:
        """One item, strongly consistent."""
        return self._get(self._pk, sk)

    def incident(self, incident: str) -> dict[str, Any] | None:
        """An incident's record."""
        return self._get(self._incidents, incident)

    def put(self, sk: str, attributes: Mapping[str, Any]) -> None:
        """Replace one item."""
        item = to_attributes({"pk": self._pk, "sk": sk, **attributes})
        self._ask("put_item", {"Item": item})

    def create(self, sk: str, attributes: Mapping[str, Any]) -> None:
        """Write an item that is not there yet. Raises ConditionFailed when it is."""
        item = to_attributes({"pk": self._pk, "sk": sk, **attributes})
        self._ask("put_item", {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"})

    def put_over(
        self, sk: str, was: Mapping[str, Any] | None, attributes: Mapping[str, Any]
    ) -> None:
        """Replace one item where it still has the values in which it was read (None: there was
        none), or has the new ones by a try of ours already. Raises ConditionFailed where not."""
        seen, now = _equal("was", was or {}), _equal("now", attributes)
        as_read = " AND ".join(seen) if was else "attribute_not_exists(pk)"
        names = {f"#{name}": name for name in {*attributes, *(was or {})}}
        values = {f":was_{name}": value for name, value in (was or {}).items()}
        values |= {f":now_{name}": value for name, value in attributes.items()}
        request = {
            "Item": to_attributes({"pk": self._pk, "sk": sk, **attributes}),
            "ConditionExpression": f"({as_read}) OR ({' AND '.join(now)})",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_attributes(values),
        }
        self._ask("put_item", request)

    def update(
        self, sk: str, expression: str, condition: str, names: Mapping[str, str], values: Any
    ) -> None:
        """Change an item where the condition holds. Raises ConditionFailed where not."""
        self._update(self._pk, sk, expression, condition, names, values)

    def update_incident(
        self, incident: str, expression: str, condition: str, names: Mapping[str, str], values: Any
    ) -> None:
        """Change an incident's record where the condition holds. Raises ConditionFailed."""
        self._update(self._incidents, incident, expression, condition, names, values)

    def _get(self, pk: str, sk: str) -> dict[str, Any] | None:
        answer = self._ask("get_item", {"Key": _key(pk, sk), "ConsistentRead": True})
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def _update(
        self,
        pk: str,
        sk: str,
        expression: str,
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
    ) -> None:
        request: dict[str, Any] = {
            "Key": _key(pk, sk),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
        }
        # DynamoDB refuses maps that are empty.
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        if values:
            request["ExpressionAttributeValues"] = to_attributes(values)
        self._ask("update_item", request)

    def _ask(self, operation: str, params: dict[str, Any]) -> Any:
        """Ask the Regions in order until one answers. Raises CoordinationUnavailable, or Refused
        where each of them refuses: one may have no table any more, or let nobody in."""
        silent: list[str] = []
        refused: list[Refused] = []
        for region in list(self._order):
            try:
                return self._ask_one(getattr(self._clients[region], operation), params, region)
            except (Unreachable, Throttled, Refused) as failure:
                silent.append(str(failure))
                refused += [failure] if isinstance(failure, Refused) else []
                self._order.remove(region)
                self._order.append(region)
        if len(refused) == len(silent):
            raise refused[0]
        raise CoordinationUnavailable(
            f"no Region of {self._table} answers ({'; '.join(silent)}): "
            "nothing is moved; Route 53's own health checks go on",
            silent,
        )

    def _ask_one(self, call: Callable[..., Any], params: dict[str, Any], region: str) -> Any:
        for attempt in range(CONFLICT_TRIES):
            with calling(f"{self._table} in {region}"):
                try:
                    return call(TableName=self._table, **params)
                except ClientError as error:
                    if code_of(error) == "ConditionalCheckFailedException":
                        raise ConditionFailed from error
                    if code_of(error) != CONFLICT or attempt == CONFLICT_TRIES - 1:
                        raise
        raise AssertionError("the last attempt returns or raises")


def in_order(regions: Sequence[str], here: str) -> list[str]:
    """The coordination Regions, this function's own first where it is one."""
    return sorted(regions, key=lambda region: region != here)


def _equal(which: str, attributes: Mapping[str, Any]) -> list[str]:
    return [f"#{name} = :{which}_{name}" for name in attributes]


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
