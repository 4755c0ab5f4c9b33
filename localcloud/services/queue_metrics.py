"""AWS/SQS: how many messages each queue holds, and how old the oldest is, once a minute.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from typing import Final

from moto.sqs.models import Queue, sqs_backends

from localcloud.calls.endpoint import ACCOUNT
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services.metrics import MetricId, MetricStore, dimensions

PERIOD_S: Final = 60.0
LEFT_OUT_FROM: Final = 3
"""Receives after which a message that was not deleted counts in no age (the same page)."""


class QueueMetrics:
    """Measures every queue of every Region that has one."""

    def __init__(self, kernel: Kernel, network: Network, metrics: MetricStore) -> None:
        self._kernel, self._network, self._metrics = kernel, network, metrics
        kernel.process(self._run())

    def _run(self) -> Steps[None]:
        while True:
            yield self._kernel.env.timeout(PERIOD_S)
            for region, backend in list(sqs_backends[ACCOUNT].items()):
                if region not in self._network.down:
                    for queue in list(backend.queues.values()):
                        self._measure(region, queue)

    def _measure(self, region: str, queue: Queue) -> None:
        now, waiting = self._kernel.now, queue.messages
        # Of all that is not deleted, received by somebody just now or not.
        oldest = min(
            (
                message.sent_timestamp
                for message in queue._messages
                if message.approximate_receive_count < LEFT_OUT_FROM
            ),
            default=now * 1000,
        )
        for name, value, unit in (
            ("ApproximateNumberOfMessagesVisible", len(waiting), "Count"),
            (
                "ApproximateNumberOfMessagesNotVisible",
                queue.approximate_number_of_messages_not_visible,
                "Count",
            ),
            ("ApproximateAgeOfOldestMessage", now - oldest / 1000, "Seconds"),
        ):
            metric = MetricId(region, "AWS/SQS", name, dimensions(QueueName=queue.name))
            self._metrics.record(metric, float(value), now, unit)
