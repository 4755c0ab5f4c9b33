"""The shapes of the events that `sidestep invoke` takes: what each has to hold to be fed at all.

What is inside a request, a bus event or a record is the system's own to judge.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WORDS = {str: "text", dict: "an object", list: "a list", bool: "true or false"}


@dataclass(frozen=True)
class Shape:
    """One kind of event, in words; `needed` and `may`: its fields by path, and of which type."""

    words: str
    needed: Mapping[str, type]
    may: Mapping[str, type]
    closed: bool = False
    """There are no other fields."""

    def faults(self, event: Mapping[str, Any]) -> Iterator[str]:
        """What is wrong with an event that should be one."""
        for path, kind in {**self.needed, **self.may}.items():
            found = _at(event, path)
            if found is None and path in self.needed:
                yield f"{path} is missing"
            elif found is not None and not isinstance(found, kind):
                yield f"{path} has to be {_WORDS[kind]}"
        for name in event if self.closed else ():
            if name not in {**self.needed, **self.may}:
                yield f"it has no {name}"


REQUEST = Shape(
    "an API request",
    {"requestContext.http.method": str, "rawPath": str},
    {"rawQueryString": str, "headers": dict, "body": str, "isBase64Encoded": bool},
)
"""HTTP APIs' payload format 2.0, as far as it makes a request:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
BUS = Shape("a bus event", {"detail-type": str, "source": str}, {"detail": dict, "region": str})
"""https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"""
RECORDS = Shape("a queue or stream event", {"Records": list}, {})
START = Shape(
    "a StartExecution",
    {"stateMachineArn": str},
    {"name": str, "input": str, "traceHeader": str},
    closed=True,
)
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""


def fault_of(shape: Shape, event: Mapping[str, Any]) -> str | None:
    """The first thing that keeps an event from being fed; None: nothing."""
    more = {REQUEST.words: _of_request, RECORDS.words: _of_records, START.words: _of_start}
    for fault in shape.faults(event):
        return fault
    return next(more[shape.words](event), None) if shape.words in more else None


def _of_request(event: Mapping[str, Any]) -> Iterator[str]:
    if not event["rawPath"].startswith("/"):
        yield "rawPath has to begin with /"
    for name, value in (event.get("headers") or {}).items():
        if not isinstance(value, str):
            yield f"headers.{name} has to be text"
    if event.get("isBase64Encoded"):
        try:
            base64.b64decode(event.get("body") or "", validate=True)
        except (binascii.Error, ValueError):
            yield "body is not in Base64, though isBase64Encoded says so"


def _of_records(event: Mapping[str, Any]) -> Iterator[str]:
    for number, record in enumerate(event["Records"]):
        if not isinstance(record, dict):
            yield f"Records[{number}] has to be an object"
        elif not _is_arn(record.get("eventSourceARN")):
            yield f"Records[{number}].eventSourceARN {record.get('eventSourceARN')!r} is no ARN"


def _of_start(event: Mapping[str, Any]) -> Iterator[str]:
    if not _is_arn(event["stateMachineArn"]):
        yield f"stateMachineArn {event['stateMachineArn']!r} is no ARN"


def _is_arn(value: object) -> bool:
    """Whether it has an ARN's six parts, a Region among them."""
    parts = value.split(":", 5) if isinstance(value, str) else []
    return len(parts) == 6 and parts[0] == "arn" and bool(parts[3])


def _at(event: Any, path: str) -> Any:
    """What a path of names leads to; None where it breaks off."""
    for name in path.split("."):
        event = event.get(name) if isinstance(event, Mapping) else None
    return event
