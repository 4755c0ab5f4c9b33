"""What can go wrong inside DynamoDB: a table that throttles, or fails some reads or writes."""

from __future__ import annotations

from dataclasses import dataclass

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel
from localcloud.services.dynamodb import READS, WRITES, DynamoDb, tables_of
from localcloud.services.metrics import MetricId, MetricStore, dimensions


@dataclass(frozen=True)
class TableFault:
    """A fault of one Region's tables; `table` None means all of them. Shares are 0 to 1."""

    region: str
    table: str | None = None
    failing_reads: float = 0.0
    failing_writes: float = 0.0
    throttled_reads: float = 0.0
    throttled_writes: float = 0.0


class TableFaults:
    """The faults in force; also their metrics, as AWS/DynamoDB publishes them."""

    def __init__(
        self, kernel: Kernel, endpoint: Endpoint, dynamodb: DynamoDb, metrics: MetricStore
    ) -> None:
        self._kernel, self._dynamodb, self._metrics = kernel, dynamodb, metrics
        self._chance = kernel.fork("table faults")
        self._active: list[TableFault] = []
        endpoint.before("dynamodb", *WRITES)(lambda call: self._strike(call, True))
        endpoint.before("dynamodb", *READS)(lambda call: self._strike(call, False))

    def add(self, fault: TableFault) -> TableFault:
        """Put a fault in force; hand the same object to `remove` to end it."""
        self._active.append(fault)
        return fault

    def remove(self, fault: TableFault) -> None:
        """End a fault. Ending one that is not in force is an error of the caller's."""
        self._active.remove(fault)

    def _strike(self, call: ApiCall, write: bool) -> None:
        for fault in self._active:
            if fault.region != call.region:
                continue
            for name in tables_of(call):
                if fault.table in (None, name):
                    self._judge(fault, name, call, write)

    def _judge(self, fault: TableFault, name: str, call: ApiCall, write: bool) -> None:
        throttled = fault.throttled_writes if write else fault.throttled_reads
        failing = fault.failing_writes if write else fault.failing_reads
        if self._happens(throttled):
            kind = "WriteThrottleEvents" if write else "ReadThrottleEvents"
            self._count(call.region, kind, TableName=name)
            self._count(call.region, "ThrottledRequests", TableName=name, Operation=call.operation)
            raise self._throttle(call.region, name)
        if self._happens(failing):
            self._count(call.region, "SystemErrors", TableName=name, Operation=call.operation)
            raise AwsError("InternalServerError", "Internal server error", 500)

    def _happens(self, share: float) -> bool:
        return share > 0 and (share >= 1 or self._chance.random() < share)

    def _throttle(self, region: str, name: str) -> AwsError:
        try:
            on_demand = self._dynamodb.table(region, name).billing_mode == "PAY_PER_REQUEST"
        except LookupError:
            on_demand = True
        if on_demand:
            return AwsError(
                "ThrottlingException",
                "Throughput exceeds the current capacity of your table or index.",
            )
        return AwsError(
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        )

    def _count(self, region: str, name: str, **where: str) -> None:
        metric = MetricId(region, "AWS/DynamoDB", name, dimensions(where))
        self._metrics.record(metric, 1.0, self._kernel.now, "Count")
