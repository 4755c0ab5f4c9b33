"""AWS as Sidestep sees it, beyond moto: replication, events, event sources, metrics, alarms."""

from localcloud.services.async_invoke import AsyncSettings
from localcloud.services.eventbridge import BusFault
from localcloud.services.links import Disturbance
from localcloud.services.metrics import MetricId, MetricStore, dimensions
from localcloud.services.queue_source import QueueSource
from localcloud.services.stream_source import StreamSource
from localcloud.services.table_faults import TableFault
from localcloud.services.wiring import Services

__all__ = [
    "AsyncSettings",
    "BusFault",
    "Disturbance",
    "MetricId",
    "MetricStore",
    "QueueSource",
    "Services",
    "StreamSource",
    "TableFault",
    "dimensions",
]
