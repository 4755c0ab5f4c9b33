"""`sidestep invoke`: feed one sample event through the local cloud and tell what came out.

An event goes in where AWS would put it: a request at the front door, a bus event on its bus,
queue and stream records to the function behind that source, a StartExecution to Step Functions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.calls.wire import AwsError
from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import Function, Invocation
from sidestepctl.event_shapes import BUS, RECORDS, REQUEST, START, Shape, fault_of

SETTLE_S = 15.0
"""Simulated seconds before the event: checkers and observers have begun by then."""
WATCH_S = 30.0
"""Simulated seconds in which what an event sets off is told."""
_TOLD = frozenset({"workflow", "step", "decision", "move", "mark", "drill_fault", "notification"})

Feed = Callable[[LocalCloud, str, Mapping[str, Any]], str]


class NothingBehindError(Exception):
    """No function of ours reads what the records come from."""


class InvokeError(Exception):
    """The event cannot be fed: which file, what is wrong, what to do."""


def feed(path: str, region: str | None, seed: int) -> str:
    """Feed the event of a file to a new world; what came out, in lines. Raises InvokeError."""
    event = read(path)
    with LocalCloud(seed) as cloud:
        Chronicle(cloud)
        cloud.start()
        cloud.kernel.run(until=SETTLE_S)
        return feed_into(cloud, path, event, region)


def feed_into(cloud: LocalCloud, path: str, event: Mapping[str, Any], region: str | None) -> str:
    """Feed an event to a world that runs; what came out. Raises InvokeError, naming `path`."""
    found = _way_of(event)
    if found is None:
        raise InvokeError(
            f"{path}: no event that the system takes: it is no API request, bus event, queue or "
            "stream record and no StartExecution (samples: events/*.json)"
        )
    way, shape = found
    fault = fault_of(shape, event)
    if fault is not None:
        raise InvokeError(
            f"{path}: not the shape of {shape.words}: {fault} (samples: events/*.json)"
        )
    where = region or str(event.get("region") or cloud.topology.home)
    if where not in cloud.topology.regions:
        guarded = ", ".join(cloud.topology.regions)
        raise InvokeError(f"--region {where}: choose one of {guarded}")
    heard: list[str] = []

    def ended(function: Function, invocation: Invocation) -> None:
        _ended(cloud, function, invocation, heard)

    cloud.kernel.subscribe(lambda happened: _hear(happened, heard))
    cloud.lambdas.on_invocation.append(ended)
    try:
        first = way(cloud, where, event)
    except (AwsError, BotoCoreError, ClientError, NothingBehindError) as refused:
        raise InvokeError(f"{path}: {' '.join(str(refused).split())}") from None
    if way is not _request:
        cloud.kernel.run(until=cloud.kernel.env.now + WATCH_S)
    cloud.lambdas.on_invocation.remove(ended)
    return "\n".join([first, *heard])


def read(path: str) -> Mapping[str, Any]:
    """A file's event. Raises InvokeError."""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InvokeError(f"{path}: not JSON: {error}") from None
    if not isinstance(event, dict):
        raise InvokeError(f"{path}: an event is a JSON object, not {type(event).__name__}")
    return event


def _way_of(event: Mapping[str, Any]) -> tuple[Feed, Shape] | None:
    """How it goes in, by what marks its kind, and the shape that it has to have for that."""
    if event.get("version") == "2.0" and "routeKey" in event:
        return _request, REQUEST
    if "stateMachineArn" in event:
        return _start, START
    if event.get("Records"):
        return _records, RECORDS
    if event.get("detail-type") == "Scheduled Event":
        return _schedule, BUS
    return (_bus_event, BUS) if "detail-type" in event and "source" in event else None


# -- the ways in -------------------------------------------------------------------------------


def _request(cloud: LocalCloud, region: str, event: Mapping[str, Any]) -> str:
    """A request at a Region's front door, as the API's own route decides."""
    http = event["requestContext"]["http"]
    query = event.get("rawQueryString")
    path = event["rawPath"] + (f"?{query}" if query else "")
    host = f"{region}.{cloud.topology.domain}"
    given = event.get("headers") or {}
    headers = {k: v for k, v in given.items() if k.lower() != "host"}
    answer = cloud.kernel.finish(
        cloud.door.request(region, host, http["method"], path, headers, _body(event))
    )
    shown = "".join(f"{name}: {value}\n" for name, value in sorted(answer.headers.items()))
    return f"{http['method']} {path} in {region} → {answer.status}\n{shown}{answer.text}"


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else str(body).encode()


def _bus_event(cloud: LocalCloud, region: str, event: Mapping[str, Any]) -> str:
    """An event on the bus that it belongs to: AWS services' on the default bus, ours on ours."""
    own = not str(event["source"]).startswith("aws.")
    bus = f"sidestep-{cloud.topology.application}" if own else "default"
    cloud.services.events.ingest(region, bus, event)
    return f"{event['detail-type']} of {event['source']} on the bus {bus} in {region}"


def _schedule(cloud: LocalCloud, region: str, event: Mapping[str, Any]) -> str:
    arn = cloud.machine(region, "observe")
    execution = cloud.stepfunctions.start(arn, dict(event))
    return f"the schedule starts {execution.arn}"


def _start(cloud: LocalCloud, _: str, event: Mapping[str, Any]) -> str:
    arn = str(event["stateMachineArn"])
    client = cloud.client("stepfunctions", arn.split(":")[3])
    started = cloud.kernel.finish(cloud.kernel.call(lambda: client.start_execution(**event)))
    return f"StartExecution → {started['executionArn']}"


def _records(cloud: LocalCloud, _: str, event: Mapping[str, Any]) -> str:
    """To the function that the template puts behind the records' source."""
    record = event["Records"][0]
    source = str(record["eventSourceARN"])
    region = source.split(":")[3]
    function = _function_behind(cloud, region, source)
    invocation = cloud.kernel.finish(cloud.lambdas.invoke(region, function, event))
    error = f"error {invocation.error}" if invocation.error else "no error"
    return f"{len(event['Records'])} record(s) of {source} to {function} in {region}: {error}"


def _function_behind(cloud: LocalCloud, region: str, source: str) -> str:
    stack = cloud.stacks.get(region)
    if stack is None:
        raise NothingBehindError(f"nothing of ours is deployed in {region}")
    service, resource = source.split(":")[2], source.split(":", 5)[5]
    if service == "sqs":
        # A deployed queue's name ends in a suffix of its stack's; a sample has none.
        for queue in stack.queue_sources:
            if queue.queue_arn.rsplit(":", 1)[-1].startswith(resource.rsplit("-", 1)[0]):
                return queue.function_name
    for stream in stack.stream_sources:
        if resource.startswith(f"table/{stream.table}/"):
            return stream.function_name
    raise NothingBehindError(f"no event source mapping in {region} reads {source}")


# -- what came out -------------------------------------------------------------------------------


def _hear(event: Mapping[str, Any], heard: list[str]) -> None:
    if event["kind"] in _TOLD and event.get("action") != "none":
        shown = {k: v for k, v in event.items() if k not in ("t", "kind") and v not in (None, "")}
        heard.append(f"{event['t']:8.3f}  {event['kind']:<10} {_compact(shown)}")


def _ended(cloud: LocalCloud, function: Function, invocation: Invocation, heard: list[str]) -> None:
    short = function.name.rsplit("-", 1)[-1]
    if short in ("health", "drained") or (short == "replicated" and not invocation.payload):
        return  # what health checkers and probe items set off, all the time
    came = invocation.error if invocation.error is not None else invocation.payload
    at = float(cloud.kernel.env.now)
    heard.append(f"{at:8.3f}  {'function':<10} {short} in {function.region} → {_compact(came)}")


def _compact(value: Any, limit: int = 400) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= limit else f"{text[:limit]}…"
