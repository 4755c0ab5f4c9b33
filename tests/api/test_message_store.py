"""Messages in a replica: put once, and put back from the ledger without harm to newer ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from data_plane import DataPlane

from sidestep.aws.clients import client
from sidestep.aws.messages import MessageStore
from sidestep.core.messages import message_from, new_message

WRITTEN = message_from(new_message("a-key", "ada", "Tea at four?"), "us-east-1", 2_000)
NEWER = replace(WRITTEN, text="Tea at five?", digest="other", written_at=3_000, version=3_000)
OLDER = replace(WRITTEN, text="Tea at three?", digest="other", written_at=1_000, version=1_000)


@pytest.fixture
def store(plane: DataPlane) -> MessageStore:
    """The replica in the plane's Region."""
    return MessageStore(client("dynamodb", plane.region), "sidestep-demo-data")


def test_a_lost_message_is_put_back_as_it_was_written(store: MessageStore) -> None:
    assert store.put_back(WRITTEN, at=9_000) is True

    assert store.get(WRITTEN.id) == WRITTEN


def test_a_message_put_back_is_marked_as_repaired(plane: DataPlane, store: MessageStore) -> None:
    store.put_back(WRITTEN, at=9_000)

    (item,) = plane.items("data")
    assert item["repaired_at"] == {"N": "9000"}


def test_a_newer_message_is_never_overwritten(store: MessageStore) -> None:
    store.put_if_new(NEWER)

    assert store.put_back(WRITTEN, at=9_000) is False
    assert store.get(WRITTEN.id) == NEWER


def test_an_older_message_gives_way(store: MessageStore) -> None:
    store.put_if_new(OLDER)

    assert store.put_back(WRITTEN, at=9_000) is True
    assert store.get(WRITTEN.id) == WRITTEN


def test_putting_back_what_is_there_changes_nothing(plane: DataPlane, store: MessageStore) -> None:
    store.put_if_new(WRITTEN)
    before = plane.items("data")

    assert store.put_back(WRITTEN, at=9_000) is False
    assert plane.items("data") == before


def test_a_message_that_is_not_there_is_none(store: MessageStore) -> None:
    assert store.get(WRITTEN.id) is None
