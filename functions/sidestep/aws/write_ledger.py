"""What the surviving Regions know of a Region's writes, and a replica to hold it against."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of
from sidestep.aws.messages import item_of, message_of
from sidestep.aws.patience import BATCH_TRIES, patiently
from sidestep.aws.regional import RegionalTable
from sidestep.aws.replica_history import Known, ReplicaHistory
from sidestep.core.errors import SidestepError, Throttled
from sidestep.core.messages import Message

BATCH = 100
"""Keys in one BatchGetItem (API_BatchGetItem)."""
PAGES = 8
"""Pages of replicas' histories that a stretch goes through at the most, however few writes are in
them: 1 MB each (API_Query), so that a stretch ends, and a lease is renewed, within seconds."""


@dataclass(frozen=True)
class Span:
    """What is gone through of a Region's writes: what ledgers know after a place, and what the
    replicas of the Regions `histories` hold after it and before another."""

    after: str
    before: str
    histories: tuple[str, ...]
    until: str | None = None
    """Where it ends for ledgers, too; None: they have no end."""


@dataclass(frozen=True)
class Unread:
    """A Region's `ledger` or `history` that could not be read, and why."""

    what: str
    region: str
    why: str


@dataclass(frozen=True)
class Stretch:
    """Part of what is known: its writes, oldest first, each once."""

    entries: tuple[Message, ...]
    unread: tuple[Unread, ...]
    """Whatever could not be read, of this stretch or an earlier one: it was not asked again."""
    end: str | None
    """The place at which the next stretch begins; None: there is none."""


class WriteLedger:
    """All that is known of a Region's writes elsewhere: the ledgers, and the histories of replicas,
    by the Region that keeps them. Each may be away; what is missing is said.

    A replica may hold what no ledger has: while a Region's bus refuses events its writes still
    replicate, and one in flight when it is lost has come to some replicas and never comes to the
    others.
    """

    def __init__(
        self, ledgers: Mapping[str, RegionalTable], histories: Mapping[str, ReplicaHistory]
    ) -> None:
        self._ledgers, self._histories = ledgers, histories

    def stretches(self, origin: str, span: Span, limit: int) -> Iterator[Stretch]:
        """The writes of `origin` that anybody else knows, `limit` at most in a stretch.

        All sources are read side by side, each page of each once; nothing is read ahead of what
        is taken but the page that it is on.
        """
        unread: list[Unread] = []
        known = heapq.merge(*self._sources(origin, span, unread), key=_order)
        last = span.after
        end: str | None = last
        while end is not None:
            entries: list[Message] = []
            passed, end = 0, None
            for one in known:
                if span.until is not None and one.place > span.until:
                    break
                if one.message is None:
                    passed += 1
                elif one.place > last:
                    entries.append(one.message)
                last = max(last, one.place)
                if len(entries) == limit or passed == PAGES:
                    end = last
                    break
            yield Stretch(tuple(entries), tuple(unread), end)

    def _sources(self, origin: str, span: Span, unread: list[Unread]) -> Iterator[Iterator[Known]]:
        for region, ledger in self._ledgers.items():
            if region != origin:
                entries = ledger.entries(origin, span.after)
                told = (Known(message.history_sk, message) for message in entries)
                yield _as_far_as_read("ledger", region, told, unread)
        for region in span.histories:
            held = self._histories[region].writes(origin, span.after, span.before)
            yield _as_far_as_read("history", region, held, unread)


def _as_far_as_read(
    what: str, region: str, source: Iterator[Known], unread: list[Unread]
) -> Iterator[Known]:
    """A source that ends where it cannot be read any more, which is noted."""
    try:
        yield from source
    except SidestepError as error:
        unread.append(Unread(what, region, str(error)))


def _order(known: Known) -> tuple[str, bool]:
    """By place; that a source has nothing more up to a place comes after all writes there."""
    return known.place, known.message is None


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

        def read_what_is_left() -> None:
            nonlocal ask
            with calling(f"reading from {self._table}"):
                answer = self._dynamodb.batch_get_item(RequestItems=ask)
            items.extend(answer["Responses"].get(self._table, []))
            ask = answer.get("UnprocessedKeys") or {}
            if ask:
                raise Throttled(f"{self._table} left keys unread {BATCH_TRIES} times in a row")

        patiently(read_what_is_left, BATCH_TRIES)
        return items

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
