"""Messages in a replica: put once, found by id."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.aws.clients import client
from sidestep.aws.messages import MessageStore
from sidestep.core.messages import message_from, new_message
from tests.api.data_plane import DataPlane

WRITTEN = message_from(new_message("a-key", "ada", "Tea at four?"), "us-east-1", 2_000)
NEWER = replace(WRITTEN, text="Tea at five?", digest="other", written_at=3_000, version=3_000)


@pytest.fixture
def store(plane: DataPlane) -> MessageStore:
    """The replica in the plane's Region."""
    return MessageStore(client("dynamodb", plane.region), "sidestep-demo-data")


def test_a_message_is_stored_once_and_the_first_stays(store: MessageStore) -> None:
    assert store.put_if_new(WRITTEN) is None

    assert store.put_if_new(NEWER) == WRITTEN
    assert store.get(WRITTEN.id) == WRITTEN


def test_a_message_that_is_not_there_is_none(store: MessageStore) -> None:
    assert store.get(WRITTEN.id) is None
