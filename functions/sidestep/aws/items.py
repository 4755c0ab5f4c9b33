"""DynamoDB's typed attributes, from plain values and back: numbers stay numbers, not Decimals.

Only what our items hold: text, numbers, truth, null, lists and maps. Anything else is a bug
and a TypeError.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Attributes = dict[str, dict[str, Any]]


def to_attributes(plain: Mapping[str, Any]) -> Attributes:
    """An item for PutItem, or values for an expression."""
    return {name: _typed(value) for name, value in plain.items()}


def from_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An item as plain values; a number without a fraction is an int."""
    return {name: _plain(value) for name, value in attributes.items()}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():  # before int, which it also is
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | float():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [_typed(one) for one in value]}
        case Mapping():
            return {"M": to_attributes(value)}
    raise TypeError(f"not an attribute value: {type(value).__name__}")


def _plain(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return _number(value)
        case "NULL":
            return None
        case "L":
            return [_plain(one) for one in value]
        case "M":
            return from_attributes(value)
    raise TypeError(f"an attribute type that our items do not use: {kind}")


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
