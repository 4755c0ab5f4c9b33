"""Accepting a write: the promise that a 2xx makes, in one function over ports.

Acknowledged means: the message is in this Region's table, and its event is with the bus
or, where the bus does not take it, in the queue from which it is emitted again. Put and
emit are not atomic, so whoever retries with the same key makes up for what was cut off
between them: every call emits, and those who hear an event twice know it by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sidestep.aws.bus import MessageWritten
from sidestep.core.errors import Refused, SidestepError
from sidestep.core.messages import Message, NewMessage, message_from


class Messages(Protocol):
    """The table of messages."""

    def put_if_new(self, message: Message) -> Message | None:
        """Store it, or return the one that is there under its id."""


class Bus(Protocol):
    """Who tells the others."""

    def emit(self, event: MessageWritten) -> None:
        """Return once it is accepted; raise SidestepError when it is not."""


class Unsent(Protocol):
    """Where an event waits that the bus did not take."""

    def keep(self, event: MessageWritten) -> None:
        """Return once it is durable; raise SidestepError when it is not."""


class KeyReused(Refused):
    """The idempotency key names another message already."""


@dataclass(frozen=True)
class Accepted:
    """An acknowledged write. `unsent`: why its event waits in the queue; empty when it does not."""

    message: Message
    seen_before: bool
    unsent: str = ""


def accept(
    new: NewMessage,
    *,
    application: str,
    region: str,
    now_ms: int,
    messages: Messages,
    bus: Bus,
    unsent: Unsent,
) -> Accepted:
    """Store the message once and have it told; the same key and body again is the same message.

    Raises KeyReused when the key names another message, and SidestepError when the write
    cannot be acknowledged. Then it may be stored or not, told or not: the same request again
    finds out.
    """
    message = message_from(new, region, now_ms)
    held = messages.put_if_new(message)
    if held is not None and held.digest != message.digest:
        raise KeyReused("this Idempotency-Key was used for a message with another body")
    # A put that timed out and was tried again by the SDK meets its own first attempt.
    seen_before = held is not None and held != message
    stored = held or message
    event = MessageWritten(application, stored)
    try:
        bus.emit(event)
    except SidestepError as failure:
        unsent.keep(event)
        return Accepted(stored, seen_before, unsent=str(failure))
    return Accepted(stored, seen_before)
