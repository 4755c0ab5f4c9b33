"""A replica, history or ledger that is throttled for a moment is asked again, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from sidestep.aws.items import to_attributes
from sidestep.aws.messages import item_of
from sidestep.aws.patience import BATCH_TRIES, PAGE_TRIES
from sidestep.aws.regional import RegionalTable
from sidestep.aws.replica_history import ReplicaHistory
from sidestep.aws.write_ledger import Replica
from sidestep.core.errors import SidestepError, Throttled, Unreachable
from sidestep.core.ledger import place
from sidestep.core.messages import message_from, new_message
from tests.control.control_plane import LONDON

WRITTEN = message_from(new_message("one-key", "ada", "tea"), LONDON, 1000)
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")
AWAY = ConnectTimeoutError(endpoint_url="https://dynamodb")
UNPROCESSED: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {"data": {"Keys": []}}}


class Answering:
    """A table that answers each call with the next of these, and the last one from then on."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked = 0

    def query(self, **_: Any) -> Any:
        """A page."""
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    batch_get_item = query


def from_replica(table: Answering) -> Any:
    return Replica(table, "data").held([WRITTEN.id]).get(WRITTEN.id)


def from_history(table: Answering) -> Any:
    history = ReplicaHistory(table, "data").writes(LONDON, place(0), place(2000))
    return next(history).message


def from_ledger(table: Answering) -> Any:
    return next(RegionalTable(table, "regional").entries(LONDON, place(0)))


HELD: dict[str, Any] = {"Responses": {"data": [item_of(WRITTEN)]}}
PAGE: dict[str, Any] = {"Items": [item_of(WRITTEN)]}
ENTRIES: dict[str, Any] = {"Items": [to_attributes({"item": WRITTEN.to_dict()})]}
Read = Callable[[Answering], Any]
SOURCES = [
    pytest.param(from_replica, HELD, id="replica"),
    pytest.param(from_history, PAGE, id="history"),
    pytest.param(from_ledger, ENTRIES, id="ledger"),
]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, in seconds; nobody waits for them."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.mark.parametrize(("read", "well"), SOURCES)
def test_what_is_throttled_once_is_read_all_the_same(read: Read, well: Any) -> None:
    assert read(Answering(THROTTLED, well)) == WRITTEN


@pytest.mark.parametrize(
    ("read", "tries"),
    [(from_replica, BATCH_TRIES), (from_history, PAGE_TRIES), (from_ledger, PAGE_TRIES)],
)
def test_each_pause_is_longer_and_there_is_an_end(
    read: Read, tries: int, pauses: list[float]
) -> None:
    table = Answering(THROTTLED)

    with pytest.raises(Throttled):
        read(table)

    assert (table.asked, len(pauses)) == (tries, tries - 1)
    assert pauses == sorted(set(pauses))


@pytest.mark.parametrize(("read", "well"), SOURCES)
def test_whoever_does_not_answer_is_asked_once(read: Read, well: Any) -> None:
    table = Answering(AWAY, well)

    with pytest.raises(Unreachable):
        read(table)

    assert table.asked == 1


def test_keys_that_were_left_unprocessed_are_asked_for_after_a_pause(pauses: list[float]) -> None:
    assert from_replica(Answering(UNPROCESSED, UNPROCESSED, HELD)) == WRITTEN
    assert pauses == [0.1, 0.2]


def test_keys_that_stay_unprocessed_are_said(pauses: list[float]) -> None:
    with pytest.raises(SidestepError, match="left keys unread"):
        from_replica(Answering(UNPROCESSED))

    assert len(pauses) == BATCH_TRIES - 1
