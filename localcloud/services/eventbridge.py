"""EventBridge: PutEvents, rules, archives and replays. moto keeps buses, rules and targets.

At least once, in no order, late: delivery itself is `event_delivery.Delivery`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from moto.events.models import EventBus, EventsBackend, Replay, ReplayState, Rule, events_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel, Steps
from localcloud.services.event_delivery import Delivery
from localcloud.services.identifiers import new_id

MAX_ENTRIES: Final = 10
"""Entries in one PutEvents call (botocore model, events, PutEventsRequestEntryList)."""
MAX_BYTES: Final = 256 * 1024
"""Size of one PutEvents call
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html)."""
ARCHIVE_RULE: Final = "Events-Archive-"
TARGETS: Final = frozenset({"lambda", "states", "sqs", "sns", "events"})


@dataclass(frozen=True)
class BusFault:
    """A share of a Region's PutEvents entries fails while the call succeeds."""

    region: str
    share: float


Arrived = Callable[[str, str, Mapping[str, Any]], None]
"""(Region, bus, event)."""


class EventBridge:
    """Every Region's buses."""

    def __init__(self, kernel: Kernel, endpoint: Endpoint, delivery: Delivery) -> None:
        self._ids = kernel.fork("event ids")
        self._kernel, self.delivery = kernel, delivery
        self._chance = kernel.fork("put events")
        self._faults: list[BusFault] = []
        self.on_arrival: list[Arrived] = []
        """Hears every event that a bus takes, its own Region's and those forwarded to it."""
        delivery.ingest = self.ingest
        endpoint.answers("events", "PutEvents")(self._put_events)
        endpoint.before("events", "PutTargets")(_check_targets)
        endpoint.answers("events", "StartReplay")(self._start_replay)

    def add_fault(self, fault: BusFault) -> BusFault:
        """Put a fault in force; hand the same object to `remove_fault` to end it."""
        self._faults.append(fault)
        return fault

    def remove_fault(self, fault: BusFault) -> None:
        """End a fault."""
        self._faults.remove(fault)

    # -- events coming in --------------------------------------------------------------------

    def service_event(self, region: str, event: Mapping[str, Any]) -> None:
        """An AWS service's own event (source, detail-type, resources, detail): default bus."""
        self.ingest(region, "default", self._complete(region, event))

    def ingest(self, region: str, bus: str, event: Mapping[str, Any]) -> None:
        """Match a complete event against a bus's rules and start delivering it.

        A bus that does not exist swallows events silently, as PutEvents on AWS (inferred); the
        simulation's history notes it.
        """
        found = _backend(region).event_buses.get(bus)
        if found is None:
            self._kernel.log("event.no_bus", region=region, bus=bus, source=event["source"])
            return
        for listener in self.on_arrival:
            listener(region, bus, event)
        for rule in found.rules.values():
            if rule.state == "ENABLED" and _matches(rule, event):
                self._send(region, rule, event)

    def _send(self, region: str, rule: Rule, event: Mapping[str, Any]) -> None:
        if rule.managed_by and rule.name.startswith(ARCHIVE_RULE):
            archive = _backend(region).archives.get(rule.name.removeprefix(ARCHIVE_RULE))
            if archive is not None:
                archive.events.append(dict(event))
            return
        for target in list(rule.targets):
            self.delivery.start(region, rule.arn, target, event)

    def _complete(self, region: str, event: Mapping[str, Any]) -> dict[str, Any]:
        at = event.get("time") or datetime.fromtimestamp(self._kernel.now, UTC)
        return {
            "version": "0",
            "id": new_id(self._ids),
            "detail-type": event["detail-type"],
            "source": event["source"],
            "account": ACCOUNT,
            "time": at if isinstance(at, str) else at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": list(event.get("resources", ())),
            "detail": event["detail"],
        }

    # -- PutEvents ---------------------------------------------------------------------------

    def _put_events(self, call: ApiCall) -> Mapping[str, Any]:
        entries = call.params.get("Entries", [])
        if not 1 <= len(entries) <= MAX_ENTRIES:
            raise AwsError("ValidationException", f"Entries: 1 to {MAX_ENTRIES} are allowed")
        size = sum(
            len(str(entry.get(name, "")).encode())
            for entry in entries
            for name in ("Source", "DetailType", "Detail", "Resources")
        )
        if size > MAX_BYTES:
            raise AwsError("ValidationException", f"Total size of the entries is over {MAX_BYTES}")
        answered = [self._put_entry(call.region, entry) for entry in entries]
        failed = sum("ErrorCode" in entry for entry in answered)
        return {"FailedEntryCount": failed, "Entries": answered}

    def _put_entry(self, region: str, entry: Mapping[str, Any]) -> dict[str, str]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _failed(
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        if entry["Source"].startswith("aws."):
            return _failed("NotAuthorizedForSourceException", "Not authorized for the source.")
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            return _failed("MalformedDetail", "Detail is malformed.")
        if any(f.region == region and self._chance.random() < f.share for f in self._faults):
            return _failed("InternalFailure", "Internal failure; retry the entry.")
        event = self._complete(
            region,
            {
                "source": entry["Source"],
                "detail-type": entry["DetailType"],
                "resources": entry.get("Resources") or (),
                "detail": detail,
                "time": entry.get("Time"),
            },
        )
        self.ingest(region, bus_name(entry.get("EventBusName") or "default"), event)
        return {"EventId": event["id"]}

    # -- replays -----------------------------------------------------------------------------

    def _start_replay(self, call: ApiCall) -> Mapping[str, Any]:
        params, backend = call.params, _backend(call.region)
        archive = backend.archives.get(params["EventSourceArn"].rsplit("/", 1)[-1])
        if archive is None:
            raise AwsError("ValidationException", "EventSourceArn names no archive")
        if params["Destination"]["Arn"] != archive.source_arn:
            raise AwsError("ValidationException", "Cross event bus replay is not permitted.")
        if params["ReplayName"] in backend.replays:
            raise AwsError("ResourceAlreadyExistsException", "the replay exists already")
        since, until = (_epoch(params[name]) for name in ("EventStartTime", "EventEndTime"))
        replay = Replay(
            ACCOUNT,
            call.region,
            params["ReplayName"],
            params.get("Description", ""),
            params["EventSourceArn"],
            since,
            until,
            params["Destination"],
        )
        backend.replays[replay.name] = replay
        events = [e for e in archive.events if since <= _epoch(e["time"]) <= until]
        self._kernel.process(self._replay(call.region, replay, events))
        return {
            "ReplayArn": replay.arn,
            "State": replay.state.value,
            "ReplayStartTime": replay.start_time,
        }

    def _replay(self, region: str, replay: Replay, events: list[Mapping[str, Any]]) -> Steps[None]:
        """Send archived events through the bus again, marked, to the rules that were asked for."""
        replay.state = ReplayState.RUNNING
        only = replay.destination.get("FilterArns")
        bus: EventBus = _backend(region).event_buses[bus_name(replay.destination["Arn"])]
        for event in events:
            yield self._kernel.env.timeout(0.01)
            again = {**event, "id": new_id(self._ids), "replay-name": replay.name}
            for rule in bus.rules.values():
                wanted = only is None or rule.arn in only
                if wanted and rule.state == "ENABLED" and _matches(rule, again):
                    self._send(region, rule, again)
        replay.state, replay.end_time = ReplayState.COMPLETED, self._kernel.now


def bus_name(name_or_arn: str) -> str:
    """A bus's name from its name or ARN."""
    return name_or_arn.rsplit("event-bus/", 1)[-1]


def _backend(region: str) -> EventsBackend:
    return events_backends[ACCOUNT][region]


def _matches(rule: Rule, event: Mapping[str, Any]) -> bool:
    # A rule without a pattern is a schedule: no event concerns it.
    return bool(rule.event_pattern.get_pattern()) and rule.event_pattern.matches_event(event)


def _failed(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}


def _epoch(at: Any) -> float:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    if isinstance(at, datetime):
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return float(at)


def _check_targets(call: ApiCall) -> None:
    for target in call.params.get("Targets", ()):
        service = target["Arn"].split(":")[2]
        if service not in TARGETS:
            raise AwsError(
                "ValidationException",
                f"the local cloud does not deliver events to {service} ({target['Arn']})",
            )
