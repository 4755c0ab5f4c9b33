"""SQS as a Lambda event source: batches, partial failures, visibility time-out, redrive.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.sqs.models import Message

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.async_invoke import LambdaPort, execution_role
from localcloud.services.queues import Queues, region_and_name, system_attributes


@dataclass(frozen=True)
class QueueSource:
    """An event source mapping from a queue to a function."""

    queue_arn: str
    function_name: str
    batch_size: int = 10
    window_s: float = 0.0
    partial_failures: bool = False
    """FunctionResponseTypes: ReportBatchItemFailures."""


class QueueSources:
    """Polls queues and invokes their functions."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        endpoint: Endpoint,
        queues: Queues,
        lambdas: LambdaPort,
    ) -> None:
        self._kernel, self._network, self._endpoint = kernel, network, endpoint
        self._queues, self._lambdas = queues, lambdas
        self._chance = kernel.fork("queue sources")

    def add(self, source: QueueSource) -> None:
        """Start polling.

        Raises LookupError: no such queue or function; AwsError where the function's role may
        not receive from the queue.
        """
        queue = self._queues.queue(source.queue_arn)
        region, _ = region_and_name(source.queue_arn)
        caller = execution_role(self._lambdas, region, source.function_name)
        for operation in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
            params = {"QueueUrl": queue.physical_resource_id}
            self._endpoint.authorize(ApiCall("sqs", operation, region, params, caller))
        self._kernel.process(self._poll(source))

    def _poll(self, source: QueueSource) -> Steps[None]:
        region, _ = region_and_name(source.queue_arn)
        env = self._kernel.env
        while True:
            arrival = self._queues.arrival(source.queue_arn)
            if region in self._network.down:
                yield env.timeout(modelled.QUEUE_POLL_S)
                continue
            held = self._queues.queue(source.queue_arn)._messages
            if not held:
                yield arrival
                yield env.timeout(self._chance.uniform(*modelled.QUEUE_PICK_UP_S))
                if source.window_s:
                    yield env.timeout(source.window_s)
                continue
            messages = self._queues.receive(source.queue_arn, source.batch_size)
            if messages:
                yield from self._work(region, source, messages)
            else:
                # All that is left is in flight: visible again some time.
                yield arrival | env.timeout(modelled.QUEUE_POLL_S)

    def _work(self, region: str, source: QueueSource, messages: list[Message]) -> Steps[None]:
        records = [_record(region, source.queue_arn, message) for message in messages]
        invocation = yield from self._lambdas.invoke(
            region, source.function_name, {"Records": records}
        )
        if invocation.error is not None:
            return  # every message is seen again after the visibility time-out
        failed = self._failed(source, messages, invocation.payload)
        queue = self._queues.queue(source.queue_arn)
        for message in messages:
            if message.id not in failed:
                queue.delete_message(message.receipt_handle)

    @staticmethod
    def _failed(source: QueueSource, messages: list[Message], payload: Any) -> set[str]:
        """The messages to keep. A report that names an unknown message fails the whole batch."""
        if not source.partial_failures or not isinstance(payload, dict):
            return set()
        ids = {message.id for message in messages}
        named = {entry.get("itemIdentifier") for entry in payload.get("batchItemFailures") or ()}
        return named if named <= ids else ids


def _record(region: str, queue_arn: str, message: Message) -> dict[str, Any]:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, value in message.message_attributes.items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
