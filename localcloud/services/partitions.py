"""A table's items in the order that Query answers them, and the slice that one Query needs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item


@dataclass
class _Partition:
    """One partition of an index: its items in order."""

    order: list[tuple[Any, ...]] = field(default_factory=list)
    items: dict[tuple[Any, ...], Item] = field(default_factory=dict)


class SortedIndex:
    """A table's own key, or an index: items by partition, sorted as moto sorts them.

    One hash attribute, at most one range.
    """

    def __init__(self, hash_attr: str, sort: Sequence[str], required: Sequence[str]) -> None:
        self.hash_attr, self.sort, self.required = hash_attr, tuple(sort), tuple(required)
        self.partitions: dict[Any, _Partition] = {}

    def place(self, item: Item) -> tuple[Any, tuple[Any, ...]] | None:
        """The item's partition and its place there; None when the index does not hold it."""
        attrs = item.attrs
        if any(name not in attrs for name in self.required):
            return None
        hashed = attrs[self.hash_attr]
        return (hashed.type, hashed.cast_value), tuple(attrs[n].cast_value for n in self.sort)

    def remove(self, item: Item) -> None:
        """Forget an item, by what it was when it was inserted."""
        place = self.place(item)
        if place is None:
            return
        partition = self.partitions[place[0]]
        del partition.items[place[1]]
        del partition.order[bisect_left(partition.order, place[1])]

    def insert(self, item: Item) -> None:
        """Hold an item, in order."""
        place = self.place(item)
        if place is None:
            return
        partition = self.partitions.setdefault(place[0], _Partition())
        insort(partition.order, place[1])
        partition.items[place[1]] = item


def window(
    index: SortedIndex,
    hashed: DynamoType,
    comparison: tuple[str, list[DynamoType]] | None,
    limit: int | None,
    start: Mapping[str, Any] | None,
    forward: bool,
) -> list[Item]:
    """The items of a partition that moto's query must see to give its answer.

    One more than the limit, and one beyond the range condition: moto looks at the next item,
    whatever it is, to tell whether there is a LastEvaluatedKey.
    """
    partition = index.partitions.get((hashed.type, hashed.cast_value))
    if partition is None:
        return []
    order = partition.order
    low, high = _range(order, comparison)
    if start:
        after = tuple(DynamoType(start[n]).cast_value for n in index.sort if n in start)
        if len(after) == len(index.sort):
            if forward:
                low = max(low, bisect_right(order, after))
            else:
                high = min(high, bisect_left(order, after))
    if forward:
        high = min(len(order), high + 1)
        if limit:
            high = min(high, low + limit + 1)
    else:
        low = max(0, low - 1)
        if limit:
            low = max(low, high - limit - 1)
    return [partition.items[place] for place in order[low:high]]


def _range(
    order: list[tuple[Any, ...]], comparison: tuple[str, list[DynamoType]] | None
) -> tuple[int, int]:
    """Where in the order the first sort attribute meets the condition: [low, high)."""
    if comparison is None:
        return 0, len(order)
    operator, values = comparison[0].upper(), [value.cast_value for value in comparison[1]]

    def left(value: Any) -> int:
        return bisect_left(order, value, key=lambda place: place[0])

    def right(value: Any) -> int:
        return bisect_right(order, value, key=lambda place: place[0])

    if operator in ("=", "EQ"):
        return left(values[0]), right(values[0])
    if operator in ("<", "LT"):
        return 0, left(values[0])
    if operator in ("<=", "LE"):
        return 0, right(values[0])
    if operator in (">", "GT"):
        return right(values[0]), len(order)
    if operator in (">=", "GE"):
        return left(values[0]), len(order)
    if operator == "BETWEEN":
        return left(values[0]), right(values[1])
    if operator == "BEGINS_WITH" and isinstance(values[0], str):
        low = left(values[0])
        high = low
        while high < len(order) and order[high][0].startswith(values[0]):
            high += 1
        return low, high
    return 0, len(order)
