"""Where accepted writes are told: the Region's event bus, and the queue of what it did not take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sidestep.aws.failures import THROTTLES, calling
from sidestep.core.errors import InvalidInput, Throttled, Unreachable
from sidestep.core.messages import Message

SOURCE = "sidestep.api"
DETAIL_TYPE = "MessageWritten"


@dataclass(frozen=True)
class MessageWritten:
    """The event of an accepted write. `region` is where the message was written."""

    application: str
    message: Message

    def to_detail(self) -> dict[str, Any]:
        """The event's detail, as the contract page has it."""
        return {
            "application": self.application,
            "region": self.message.region,
            "item": self.message.to_dict(),
        }

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> MessageWritten:
        """Read a detail. Raises InvalidInput when it is not such an event."""
        application, item = detail.get("application"), detail.get("item")
        if not isinstance(application, str) or not isinstance(item, Mapping):
            raise InvalidInput("not a MessageWritten event: it needs application, region and item")
        event = cls(application, Message.from_dict(item))
        if detail.get("region") != event.message.region:
            raise InvalidInput(
                f"a MessageWritten event of {detail.get('region')!r} "
                f"about a message of {event.message.region!r}"
            )
        return event


class MessageBus:
    """One Region's event bus."""

    def __init__(self, events: Any, bus: str) -> None:
        self._events, self._bus = events, bus

    def emit(self, event: MessageWritten) -> None:
        """Put the event on the bus; on return the bus has accepted it.

        Raises as `failures.calling`, also when PutEvents answers 200 with the entry failed.
        """
        entry = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(event.to_detail(), ensure_ascii=False),
            "EventBusName": self._bus,
        }
        with calling(f"emitting to {self._bus}"):
            answer = self._events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            kind = Throttled if failed.get("ErrorCode") in THROTTLES else Unreachable
            raise kind(
                f"emitting to {self._bus}: "
                f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage', '')}"
            )


class UnsentEvents:
    """The queue of events that the bus did not take: they are emitted again from there."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs, self._url = sqs, url

    def keep(self, event: MessageWritten) -> None:
        """Queue the event. Raises as `failures.calling`."""
        body = json.dumps(event.to_detail(), ensure_ascii=False)
        with calling("queueing an unsent event"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body)


def event_in(body: str) -> MessageWritten:
    """The event in a queued message's body. Raises InvalidInput."""
    try:
        detail = json.loads(body)
    except ValueError as error:
        raise InvalidInput(f"not JSON: {error}") from None
    if not isinstance(detail, Mapping):
        raise InvalidInput("not a MessageWritten event: not an object")
    return MessageWritten.from_detail(detail)
