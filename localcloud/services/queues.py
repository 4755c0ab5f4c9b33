"""SQS: moto holds the messages; long polling and wake-ups happen in simulated time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import simpy
from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import Message, Queue, sqs_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel

LONG_POLL_STEP_S = 0.1


class Queues:
    """Every Region's queues."""

    def __init__(self, kernel: Kernel, endpoint: Endpoint) -> None:
        self._kernel = kernel
        self._arrivals: dict[tuple[str, str], simpy.Event] = {}
        # moto would wait for a message in real time, for ever while simulated time stands still.
        endpoint.answers("sqs", "ReceiveMessage")(self._receive)
        endpoint.after("sqs", "SendMessage", "SendMessageBatch")(self._sent)

    def send(self, queue_arn: str, body: str, attributes: Mapping[str, str] | None = None) -> None:
        """Put a message in a queue on a service's behalf. Raises LookupError: no such queue."""
        region, name = region_and_name(queue_arn)
        typed = {
            key: {"DataType": "String", "StringValue": value}
            for key, value in (attributes or {}).items()
        }
        try:
            sqs_backends[ACCOUNT][region].send_message(name, body, message_attributes=typed)
        except QueueDoesNotExist:
            raise LookupError(f"no queue {queue_arn}") from None
        self._wake(region, name)

    def queue(self, queue_arn: str) -> Queue:
        """The queue, as moto has it. Raises LookupError: no such queue."""
        region, name = region_and_name(queue_arn)
        found = sqs_backends[ACCOUNT][region].queues.get(name)
        if found is None:
            raise LookupError(f"no queue {queue_arn}")
        return found

    def receive(self, queue_arn: str, count: int) -> list[Message]:
        """Messages to work on now, hidden for the queue's visibility time-out."""
        region, name = region_and_name(queue_arn)
        queue = self.queue(queue_arn)
        found: list[Message] = sqs_backends[ACCOUNT][region].receive_message(
            name, count, 0, int(queue.visibility_timeout or 0)
        )
        return found

    def empty(self, region: str) -> None:
        """All messages of a Region's queues are gone; who still works on one may delete it."""
        for queue in sqs_backends[ACCOUNT][region].queues.values():
            for message in queue._messages:
                queue.deleted_messages.update(message.all_receipt_handles)
            queue._messages, queue._pending_messages = [], set()

    def arrival(self, queue_arn: str) -> simpy.Event:
        """Happens when the next message is sent to the queue."""
        key = region_and_name(queue_arn)
        if key not in self._arrivals:
            self._arrivals[key] = self._kernel.env.event()
        return self._arrivals[key]

    def _wake(self, region: str, name: str) -> None:
        waiting = self._arrivals.pop((region, name), None)
        if waiting is not None:
            waiting.succeed()

    def _sent(self, call: ApiCall, _: Mapping[str, Any] | None) -> None:
        self._wake(call.region, call.params["QueueUrl"].rstrip("/").rsplit("/", 1)[-1])

    def _receive(self, call: ApiCall) -> Mapping[str, Any]:
        name = call.params["QueueUrl"].rstrip("/").rsplit("/", 1)[-1]
        backend = sqs_backends[ACCOUNT][call.region]
        queue = backend.queues.get(name)
        if queue is None:
            raise AwsError(
                "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."
            )
        count = int(call.params.get("MaxNumberOfMessages", 1))
        if not 1 <= count <= 10:
            raise AwsError("InvalidParameterValue", f"MaxNumberOfMessages {count} is not 1 to 10")
        stated = call.params.get("WaitTimeSeconds")
        wait = int(queue.receive_message_wait_time_seconds if stated is None else stated)
        hidden = call.params.get("VisibilityTimeout", queue.visibility_timeout)
        deadline = self._kernel.now + wait
        while True:
            messages = backend.receive_message(
                name, count, 0, int(hidden), call.params.get("MessageAttributeNames") or []
            )
            before = self._kernel.now
            if messages or before >= deadline:
                break
            self._kernel.wait(LONG_POLL_STEP_S)
            if self._kernel.now == before:
                break  # outside a fiber simulated time does not pass
        wanted = {
            *(call.params.get("AttributeNames") or ()),
            *(call.params.get("MessageSystemAttributeNames") or ()),
        }
        return {"Messages": [_as_api(message, wanted) for message in messages]} if messages else {}


def region_and_name(queue_arn: str) -> tuple[str, str]:
    """The Region and name in a queue's ARN."""
    parts = queue_arn.split(":")
    return parts[3], parts[5]


def system_attributes(message: Message) -> dict[str, str]:
    """A message's system attributes."""
    return {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": str(message.sender_id),
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }


def _as_api(message: Message, wanted: set[str]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.body_md5,
        "Body": message.body,
    }
    system = system_attributes(message)
    attributes = {k: v for k, v in system.items() if "All" in wanted or k in wanted}
    if attributes:
        answer["Attributes"] = attributes
    if message.message_attributes:
        answer["MessageAttributes"] = message.message_attributes
        answer["MD5OfMessageAttributes"] = message.attribute_md5
    return answer
