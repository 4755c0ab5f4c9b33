"""A DynamoDB stream as a Lambda event source: batches in order, at least once, retried.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html. A table here has one shard, so a batch
that keeps failing holds up all that come after it until it is given up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import simpy
from moto.events.models import EventPattern

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.compute.lambdas import Invocation
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.async_invoke import LambdaPort, execution_role
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.queues import Queues
from localcloud.services.tables import Change


@dataclass(frozen=True)
class StreamSource:
    """An event source mapping from a table's stream to a function; None means without limit."""

    region: str
    table: str
    function_name: str
    batch_size: int = 100
    window_s: float = 0.0
    from_start: bool = False
    """StartingPosition TRIM_HORIZON; LATEST otherwise."""
    maximum_retries: int | None = None
    maximum_age_s: float | None = None
    bisect: bool = False
    partial_failures: bool = False
    on_failure_queue_arn: str | None = None
    filters: tuple[str, ...] = ()
    """FilterCriteria patterns, as JSON; a record passes when one matches."""


@dataclass
class _Reader:
    """Where one mapping is in its stream."""

    source: StreamSource
    position: int
    patterns: list[EventPattern]
    wake: simpy.Event


class StreamSources:
    """Reads streams and invokes their functions."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        endpoint: Endpoint,
        dynamodb: DynamoDb,
        queues: Queues,
        lambdas: LambdaPort,
    ) -> None:
        self._kernel, self._network, self._dynamodb = kernel, network, dynamodb
        self._endpoint = endpoint
        self._queues, self._lambdas = queues, lambdas
        self._chance = kernel.fork("stream sources")
        self._readers: dict[tuple[str, str], list[_Reader]] = {}
        dynamodb.on_change.append(self._changed)

    def add(self, source: StreamSource) -> None:
        """Start reading.

        Raises LookupError: no such table, function, or stream; AwsError where the function's
        role may not read it.
        """
        table = self._dynamodb.table(source.region, source.table)
        if not table.streams:
            raise LookupError(f"{source.table} in {source.region} has no stream")
        caller = execution_role(self._lambdas, source.region, source.function_name)
        arn = f"{table.table_arn}/stream/{table.latest_stream_label}"
        self._endpoint.authorize(
            ApiCall("dynamodbstreams", "DescribeStream", source.region, {"StreamArn": arn}, caller)
        )
        start = 0 if source.from_start else len(table.shard.items)
        patterns = [EventPattern.load(pattern) for pattern in source.filters]
        reader = _Reader(source, start, patterns, self._kernel.env.event())
        self._readers.setdefault((source.region, source.table), []).append(reader)
        self._kernel.process(self._read(reader))

    def _changed(self, region: str, table: str, _: list[Change]) -> None:
        for reader in self._readers.get((region, table), ()):
            if not reader.wake.triggered:
                reader.wake.succeed()

    def _records(self, reader: _Reader) -> list[Any]:
        source = reader.source
        items: list[Any] = self._dynamodb.table(source.region, source.table).shard.items
        return items[reader.position :]

    def _read(self, reader: _Reader) -> Steps[None]:
        source, env = reader.source, self._kernel.env
        while True:
            if not self._records(reader):
                reader.wake = env.event()
                yield reader.wake
            yield env.timeout(self._chance.uniform(*modelled.STREAM_POLL_S) + source.window_s)
            while source.region in self._network.down:
                yield env.timeout(1.0)
            batch = [r.to_json() for r in self._records(reader)[: source.batch_size]]
            wanted = [record for record in batch if _passes(reader, record)]
            if wanted:
                yield from self._deliver(source, wanted)
                if self._chance.random() < modelled.STREAM_DUPLICATE_SHARE:
                    yield from self._invoke(source, wanted)
            reader.position += len(batch)

    def _deliver(self, source: StreamSource, batch: list[dict[str, Any]]) -> Steps[None]:
        """Deliver a batch until it is done with: taken, or given up."""
        pause, retries = modelled.STREAM_RETRY_S[0], 0
        while batch:
            invocation = yield from self._invoke(source, batch)
            done = _done(source, batch, invocation)
            if done == len(batch):
                return
            if done:
                batch, retries = batch[done:], 0
                continue
            if self._is_too_old(source, batch) or (
                source.maximum_retries is not None and retries >= source.maximum_retries
            ):
                self._give_up(source, batch, invocation, retries)
                return
            if source.bisect and len(batch) > 1:
                # Splitting does not count as a retry.
                half = len(batch) // 2
                yield from self._deliver(source, batch[:half])
                batch = batch[half:]
                continue
            retries += 1
            yield self._kernel.env.timeout(pause)
            pause = min(pause * 2, modelled.STREAM_RETRY_S[1])

    def _invoke(self, source: StreamSource, batch: list[dict[str, Any]]) -> Steps[Invocation]:
        table = self._dynamodb.table(source.region, source.table)
        stream_arn = f"{table.table_arn}/stream/{table.latest_stream_label}"
        records = [as_lambda_sees(record, stream_arn) for record in batch]
        return (
            yield from self._lambdas.invoke(
                source.region, source.function_name, {"Records": records}
            )
        )

    def _is_too_old(self, source: StreamSource, batch: list[dict[str, Any]]) -> bool:
        written = _epoch(batch[0]["dynamodb"]["ApproximateCreationDateTime"])
        limit = source.maximum_age_s
        return limit is not None and self._kernel.now - written > limit

    def _give_up(
        self,
        source: StreamSource,
        batch: list[dict[str, Any]],
        invocation: Invocation,
        retries: int,
    ) -> None:
        """Tell the on-failure queue where the records were: not the records themselves."""
        error = invocation.error or {}
        self._kernel.log(
            "stream.batch_dropped",
            region=source.region,
            table=source.table,
            function=source.function_name,
            records=len(batch),
            error=error.get("errorType", "batchItemFailures"),
        )
        if source.on_failure_queue_arn is None:
            return
        table = self._dynamodb.table(source.region, source.table)
        message = {
            "requestContext": {
                "functionArn": source.function_name,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": retries + 1,
            },
            "responseContext": {"statusCode": 200, "functionError": error.get("errorType")},
            "version": "1.0",
            "timestamp": datetime.fromtimestamp(self._kernel.now, UTC).isoformat(),
            "DDBStreamBatchInfo": {
                "shardId": table.shard.id,
                "startSequenceNumber": batch[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": batch[-1]["dynamodb"]["SequenceNumber"],
                "batchSize": len(batch),
                "streamArn": f"{table.table_arn}/stream/{table.latest_stream_label}",
            },
        }
        self._queues.send(source.on_failure_queue_arn, json.dumps(message))


def as_lambda_sees(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """A stream record as a function receives it: plain JSON, times in epoch seconds."""
    dynamodb = dict(record["dynamodb"])
    dynamodb["ApproximateCreationDateTime"] = _epoch(dynamodb["ApproximateCreationDateTime"])
    return {**record, "dynamodb": dynamodb, "eventSourceARN": stream_arn}


def _done(source: StreamSource, batch: list[dict[str, Any]], invocation: Invocation) -> int:
    """How many records from the front are finished with."""
    if invocation.error is not None:
        return 0
    payload = invocation.payload
    if not source.partial_failures or not isinstance(payload, dict):
        return len(batch)
    failed = {entry.get("itemIdentifier") for entry in payload.get("batchItemFailures") or ()}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
    if not failed:
        return len(batch)
    return min((n for n, number in enumerate(numbers) if number in failed), default=0)


def _passes(reader: _Reader, record: dict[str, Any]) -> bool:
    if not reader.patterns:
        return True
    seen = as_lambda_sees(record, "")
    return any(pattern.matches_event(seen) for pattern in reader.patterns)


def _epoch(at: datetime) -> float:
    """moto's naive UTC time as epoch seconds."""
    return at.replace(tzinfo=UTC).timestamp() if at.tzinfo is None else at.timestamp()
