"""A message: what a client may send, how it is named, and how history is ordered and paged."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sidestep.core.errors import InvalidInput

MAX_AUTHOR = 64
MAX_TEXT_BYTES = 4096
MAX_KEY = 128
MAX_BODY_BYTES = 16_384
_DAY_MS = 86_400_000

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "A message",
    "type": "object",
    "required": ["author", "text"],
    "additionalProperties": False,
    "properties": {
        "author": {"type": "string", "minLength": 1, "maxLength": MAX_AUTHOR},
        "text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_BYTES},
    },
}
"""What POST /messages takes. `text` is limited in bytes too: see `new_message`."""


@dataclass(frozen=True)
class NewMessage:
    """A valid request to write: `key` is the client's idempotency key."""

    key: str
    author: str
    text: str


@dataclass(frozen=True)
class Message:
    """A stored message. `written_at` and `version` are epoch milliseconds at the writing Region.

    The version is the time of writing: a message is written once, and two writes of one key
    in two Regions are ordered by it, as last writer wins orders them.
    """

    id: str
    author: str
    text: str
    digest: str
    region: str
    written_at: int
    version: int

    @property
    def history_pk(self) -> str:
        """The day's partition of the history index."""
        return history_partition(self.written_at)

    @property
    def history_sk(self) -> str:
        """Its place within the day: time, then id."""
        return f"{self.written_at:013d}#{self.id}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, as it travels on the bus."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Message:
        """Raises InvalidInput when a field is missing or of another type."""
        try:
            return cls(
                id=str(data["id"]),
                author=str(data["author"]),
                text=str(data["text"]),
                digest=str(data["digest"]),
                region=str(data["region"]),
                written_at=int(data["written_at"]),
                version=int(data["version"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(f"not a message: {error!r}") from None


@dataclass(frozen=True)
class Cursor:
    """Where a page of history ended: the day, and the last item's place in it (None: before it)."""

    day: str
    after: str | None


def new_message(key: str, author: str, text: str) -> NewMessage:
    """A request checked beyond its schema. Raises InvalidInput naming the field."""
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput(f"Idempotency-Key must be 1 to {MAX_KEY} printable characters")
    size = len(text.encode())
    if size > MAX_TEXT_BYTES:
        raise InvalidInput(f"text is {size} bytes, more than {MAX_TEXT_BYTES}")
    if not text.strip() or not author.strip():
        raise InvalidInput("author and text must not be blank")
    return NewMessage(key, author, text)


def message_id(key: str) -> str:
    """The message's id: the same key is the same item in every Region."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def digest(author: str, text: str) -> str:
    """What tells two bodies under one key apart."""
    body = json.dumps([author, text], ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def message_from(new: NewMessage, region: str, now_ms: int) -> Message:
    """The message to store, as written in `region` at `now_ms`."""
    return Message(
        id=message_id(new.key),
        author=new.author,
        text=new.text,
        digest=digest(new.author, new.text),
        region=region,
        written_at=now_ms,
        version=now_ms,
    )


def history_partition(at_ms: int) -> str:
    """The history partition of an instant."""
    return f"history#{_day(at_ms)}"


def history_partitions(from_ms: int, to_ms: int) -> Iterator[str]:
    """The history partitions from one instant's to another's, the oldest first."""
    for day in range(from_ms // _DAY_MS, to_ms // _DAY_MS + 1):
        yield history_partition(day * _DAY_MS)


def first_cursor(now_ms: int) -> Cursor:
    """Where newest-first history begins."""
    return Cursor(_day(now_ms), None)


def day_before(cursor: Cursor) -> Cursor:
    """The beginning of the day before."""
    day = datetime.strptime(cursor.day, "%Y-%m-%d").replace(tzinfo=UTC) - timedelta(days=1)
    return Cursor(day.strftime("%Y-%m-%d"), None)


def encode_cursor(cursor: Cursor) -> str:
    """An opaque token for a client."""
    raw = json.dumps([cursor.day, cursor.after]).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(token: str) -> Cursor:
    """The cursor that `encode_cursor` made. Raises InvalidInput for anything else."""
    try:
        day, after = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        datetime.strptime(day, "%Y-%m-%d")  # only to see that it is a day
    except (ValueError, TypeError, binascii.Error):
        raise InvalidInput("cursor is not one that this API gave; leave it out to begin") from None
    if after is not None and not isinstance(after, str):
        raise InvalidInput("cursor is not one that this API gave; leave it out to begin")
    return Cursor(day, after)


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
