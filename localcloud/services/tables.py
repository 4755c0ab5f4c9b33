"""moto's DynamoDB table with two additions: changes are kept, and Query looks only where it must.

moto's Query sorts and filters the whole table for every call. Here each index keeps its
items sorted by partition, and moto's own query runs over the slice that can matter: the
answer is moto's, the cost is proportional to the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.core.utils import utcnow
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamShard, Table
from moto.moto_api._internal import mock_random

from localcloud.services.partitions import SortedIndex, window

Key = tuple[tuple[str, str], ...]
"""A primary key as something hashable: the type and value of each key attribute."""


@dataclass
class Change:
    """One accepted write: `old` and `new` are whole items (None: there was none, there is none)."""

    key: Key
    old: Item | None
    new: Item | None


class ChangeShard(StreamShard):  # type: ignore[misc]  # moto is not typed for us
    """Where moto's table tells every put, update and delete: our choke point.

    `pending` holds what was not yet taken (`LocalTable.take_changes`). Stream records are made
    only if the table has a stream. It refers to nothing but its table, so that moto's roll-back
    of a cancelled transaction (a copy of the table) forgets the cancelled changes too.
    """

    def __init__(self, table: LocalTable) -> None:
        super().__init__(table.account_id, table)
        self.pending: list[Change] = []
        self.user_identity: dict[str, str] | None = None
        """Who makes the present change, where AWS says so (time to live)."""

    def add(self, old: Item | None, new: Item | None) -> None:
        table: LocalTable = self.table
        table.reindex(old, new)
        # moto makes a new item in two steps, key first: one write to the world.
        second_half = (
            old is None and new is not None and self.pending and self.pending[-1].new is new
        )
        # A write that changes nothing makes no stream record, as on AWS.
        if table.streams and not (old is not None and new is not None and old == new):
            if second_half:
                self.items.pop()
            self._record(old, new)
        if not second_half:
            self.pending.append(Change(table.key_of(new or old), old, new))

    def _record(self, old: Item | None, new: Item | None) -> None:
        view = (self.table.stream_specification or {})["StreamViewType"]
        sequence = len(self.items) + self.starting_sequence_number
        record = _StreamRecord(self.table, view, old, new, sequence)
        if self.user_identity is not None:
            record.record["userIdentity"] = self.user_identity
        self.items.append(record)


class _StreamRecord:
    """One record of a stream, as moto's, but of its own Region and weighed as items are:
    moto writes each one out as JSON to see how long it is."""

    def __init__(
        self, table: LocalTable, view: str, old: Item | None, new: Item | None, sequence: int
    ) -> None:
        images = {
            name: item.to_json()["Attributes"]
            for name, item, views in (
                ("NewImage", new, ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")),
                ("OldImage", old, ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")),
            )
            if item is not None and view in views
        }
        item = old if old is not None else new
        assert item is not None
        keys = {table.hash_key_attr: item.hash_key.to_json()}
        if table.range_key_attr is not None:
            keys[table.range_key_attr] = item.range_key.to_json()
        self.record: dict[str, Any] = {
            "eventID": mock_random.uuid4().hex,
            "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            "eventSource": "aws:dynamodb",
            "eventVersion": "1.0",
            "awsRegion": table.region_name,
            "dynamodb": {
                "StreamViewType": view,
                "ApproximateCreationDateTime": utcnow(),
                "SequenceNumber": str(sequence),
                "SizeBytes": sum(map(_weight, (keys, *images.values()))),
                "Keys": keys,
                **images,
            },
        }

    def to_json(self) -> dict[str, Any]:
        """As moto's GetRecords asks for it."""
        return self.record


def _weight(attributes: Mapping[str, Any]) -> int:
    """Bytes of names and values
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
    return sum(len(name.encode()) + _size(value) for name, value in attributes.items())


def _size(value: Mapping[str, Any]) -> int:
    sized: int = DynamoType(value).size()
    return sized


class LocalTable(Table):  # type: ignore[misc]  # moto is not typed for us
    """A moto table that keeps its changes and answers Query from sorted partitions."""

    shard: ChangeShard
    streams: bool
    _indexes: dict[str | None, SortedIndex]
    _slice: list[Item] | None

    @classmethod
    def adopt(cls, table: Table) -> LocalTable:
        """Take over a table that moto has just made; the caller puts it in moto's place for it."""
        made = cls.__new__(cls)
        made.__dict__.update(table.__dict__)
        made._slice = None
        made.streams = table.stream_shard is not None
        made.shard = ChangeShard(made)
        made.stream_shard = made.shard
        made._indexes = {}
        made._build_indexes()
        return made

    # -- changes -----------------------------------------------------------------------------

    def take_changes(self) -> list[Change]:
        """The changes since last asked."""
        taken, self.shard.pending = self.shard.pending, []
        return taken

    def key_of(self, item: Item | None) -> Key:
        """The primary key of an item."""
        assert item is not None
        pairs = [(item.hash_key.type, str(item.hash_key.value))]
        if item.range_key is not None:
            pairs.append((item.range_key.type, str(item.range_key.value)))
        return tuple(pairs)

    def find(self, key: Key) -> Item | None:
        """The item with this key, or None."""
        typed = [DynamoType({kind: value}) for kind, value in key]
        found: Item | None = self.get_item(typed[0], typed[1] if len(typed) > 1 else None)
        return found

    def store(self, key: Key, item: Mapping[str, Any] | None) -> None:
        """Put this item (attributes in DynamoDB JSON) or, with None, delete the key's."""
        if item is not None:
            self.put_item(dict(item), overwrite=True)
            return
        typed = [DynamoType({kind: value}) for kind, value in key]
        self.delete_item(typed[0], typed[1] if len(typed) > 1 else None)

    def empty(self) -> None:
        """Every item is gone, and no stream tells of it: the table is a new one."""
        self.items.clear()
        self.shard.pending = []
        self._build_indexes()

    def set_stream_specification(self, streams: dict[str, Any] | None) -> None:
        """moto's, with our shard in place of its own."""
        super().set_stream_specification(streams)
        if "shard" in self.__dict__:
            self.streams = bool((self.stream_specification or {}).get("StreamEnabled"))
            if self.streams:
                self.shard.created_on = utcnow()
            self.stream_shard = self.shard

    # -- indexes -----------------------------------------------------------------------------

    def _build_indexes(self) -> None:
        keys = [k for k in (self.hash_key_attr, self.range_key_attr) if k]
        by_range = [self.range_key_attr] if self.range_key_attr else [self.hash_key_attr]
        indexes: dict[str | None, SortedIndex] = {
            None: SortedIndex(self.hash_key_attr, by_range, keys)
        }
        for described in self.all_indexes():
            hashes = [k["AttributeName"] for k in described.schema if k["KeyType"] == "HASH"]
            ranges = [k["AttributeName"] for k in described.schema if k["KeyType"] == "RANGE"]
            if len(hashes) != 1 or len(ranges) > 1:
                continue  # multi-attribute keys: moto's own way serves them
            first = ranges or ([self.range_key_attr] if self.range_key_attr else [])
            sort = list(dict.fromkeys([*first, *keys]))
            indexes[described.name] = SortedIndex(hashes[0], sort, [hashes[0], *ranges])
        for index in indexes.values():
            for item in Table.all_items(self):
                index.insert(item)
        self._indexes = indexes

    def reindex(self, old: Item | None, new: Item | None) -> None:
        """Keep the sorted partitions in step with one change."""
        if len(self._indexes) != 1 + len(self.all_indexes()):
            self._build_indexes()  # UpdateTable added or removed one
            return
        for index in self._indexes.values():
            if old is not None:
                index.remove(old)
            elif new is not None and self._is_placed(index, new):
                # The second half of moto's two-step new item: its first half had the key only.
                index.remove(new)
            if new is not None:
                index.insert(new)

    @staticmethod
    def _is_placed(index: SortedIndex, item: Item) -> bool:
        place = index.place(item)
        return (
            place is not None
            and place[0] in index.partitions
            and place[1] in index.partitions[place[0]].items
        )

    # -- Query -------------------------------------------------------------------------------

    def all_items(self) -> list[Item]:
        """Every item, or during a Query those that can matter to it."""
        if self._slice is not None:
            return self._slice
        items: list[Item] = super().all_items()
        return items

    def query(
        self,
        hash_key: DynamoType | None,
        range_comparison: str | None,
        range_objs: list[DynamoType],
        limit: int,
        exclusive_start_key: dict[str, Any],
        scan_index_forward: bool,
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        consistent_read: bool = False,
        filter_expression: Any = None,
        hash_key_conditions: list[tuple[str, DynamoType]] | None = None,
        range_key_conditions: list[tuple[str, str, list[DynamoType]]] | None = None,
        **filter_kwargs: Any,
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """moto's query over the slice of one partition that can be in the answer."""
        index = self._indexes.get(index_name)
        hashed = hash_key
        if index_name is not None and hash_key_conditions and len(hash_key_conditions) == 1:
            hashed = hash_key_conditions[0][1]
        if index is not None and hashed is not None and not filter_kwargs:
            comparison = (range_comparison, range_objs) if range_comparison else None
            self._slice = window(
                index, hashed, comparison, limit, exclusive_start_key, scan_index_forward
            )
        try:
            answer: tuple[list[Item], int, dict[str, Any] | None] = super().query(
                hash_key,
                range_comparison,
                range_objs,
                limit,
                exclusive_start_key,
                scan_index_forward,
                projection_expressions,
                index_name,
                consistent_read,
                filter_expression,
                hash_key_conditions,
                range_key_conditions,
                **filter_kwargs,
            )
        finally:
            self._slice = None
        return answer


_read = TypeDeserializer().deserialize


def plain(item: Item) -> dict[str, Any]:
    """An item as plain Python values (numbers are Decimal)."""
    return values_of(item.to_json()["Attributes"])


def values_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes in DynamoDB JSON as plain Python values."""
    return {name: _read(value) for name, value in attributes.items()}
