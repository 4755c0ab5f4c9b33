"""What a rule's target receives: the event, a part of it, a constant, or a transformed text.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


class BadInput(ValueError):  # noqa: N818  # what it is, not that it is one
    """The target's input settings give no valid JSON, or use what is not supported."""


def input_for(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str = "") -> Any:
    """The payload that `target` (as PutTargets has it) receives for `event`. Raises BadInput."""
    if target.get("Input") is not None:
        return json.loads(target["Input"])
    if target.get("InputPath") is not None:
        return json_path(target["InputPath"], event)
    transformer = target.get("InputTransformer")
    if transformer is None:
        return dict(event)
    return transform(transformer, event, rule_arn)


def transform(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> Any:
    """Fill an InputTransformer's template. Raises BadInput."""
    paths = transformer.get("InputPathsMap") or {}
    values = {name: json_path(path, event) for name, path in paths.items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event.json": dict(event),
        "aws.events.event": {k: v for k, v in event.items() if k != "detail"},
    }
    filled = _fill(transformer["InputTemplate"], values)
    try:
        return json.loads(filled)
    except ValueError as error:
        raise BadInput(f"InputTemplate gives no JSON ({error}): {filled}") from None


_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|<([\w.-]+)>')
_PLACE = re.compile(r"<([\w.-]+)>")


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Put values in their places: bare ones as JSON, ones inside a string as text.

    A path that found nothing is an empty string inside quotes and null outside, as AWS does.
    """

    def text(found: re.Match[str]) -> str:
        value = _known(values, found[1])
        plain = "" if value is None else value if isinstance(value, str) else json.dumps(value)
        return json.dumps(plain)[1:-1]

    def piece(found: re.Match[str]) -> str:
        if found[2]:
            return json.dumps(_known(values, found[2]))
        return f'"{_PLACE.sub(text, found[1])}"'

    return _PIECE.sub(piece, template)


def _known(values: Mapping[str, Any], name: str) -> Any:
    if name not in values:
        raise BadInput(f"InputTemplate names <{name}>, which InputPathsMap does not define")
    return values[name]


_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]")


def json_path(path: str, event: Any) -> Any:
    """The value at `$.a.b[0]`; None where there is none. Raises BadInput for richer paths."""
    if not path.startswith("$"):
        raise BadInput(f"not a JSONPath: {path!r}")
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise BadInput(f"the local cloud does not support the JSONPath {path!r}")
        at = step.end()
        name, index = step[1] or step[3], step[2]
        if name is not None:
            event = event.get(name) if isinstance(event, Mapping) else None
        else:
            number = int(index)
            event = event[number] if isinstance(event, list) and number < len(event) else None
    return event
