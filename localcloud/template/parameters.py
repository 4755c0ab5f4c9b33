"""A stack's parameters, checked as CloudFormation checks them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localcloud.template.errors import TemplateError

_TYPES = frozenset({"String", "Number", "CommaDelimitedList", "List<Number>"})
_KNOWN = frozenset(
    {
        "AllowedPattern",
        "AllowedValues",
        "ConstraintDescription",
        "Default",
        "Description",
        "MaxLength",
        "MaxValue",
        "MinLength",
        "MinValue",
        "NoEcho",
        "Type",
    }
)


def parameters(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]
) -> dict[str, str | list[str]]:
    """The values of a stack's parameters; lists as lists. Raises TemplateError by name."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    return {name: _value(name, spec, given.get(name)) for name, spec in declared.items()}


def _value(name: str, spec: Mapping[str, Any], given: str | None) -> str | list[str]:
    where = f"Parameters.{name}"
    kind, more = str(spec["Type"]), sorted(set(spec) - _KNOWN)
    if kind not in _TYPES:
        raise TemplateError(f"{where}: the local cloud has no parameters of type {kind}")
    if more:
        raise TemplateError(f"{where}: the local cloud does not know {', '.join(more)}")
    value = given if given is not None else spec.get("Default")
    if value is None:
        raise TemplateError(f"{where}: it has no default and was not given")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    listed = kind in ("CommaDelimitedList", "List<Number>")
    parts = [part.strip() for part in text.split(",")] if listed else [text]
    for part in parts:
        _check(where, spec, part, number="Number" in kind)
    return parts if listed else text


def _check(where: str, spec: Mapping[str, Any], value: str, *, number: bool) -> None:
    """Raise TemplateError when a value, or one of a list, is not as declared."""
    allowed = spec.get("AllowedValues")
    if allowed is not None and value not in [str(one) for one in allowed]:
        raise TemplateError(f"{where}: {value!r} is none of {', '.join(map(str, allowed))}")
    pattern = spec.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        reason = spec.get("ConstraintDescription", f"it must match {pattern}")
        raise TemplateError(f"{where}: {value!r} is not allowed: {reason}")
    size = float(len(value))
    low, high = spec.get("MinLength"), spec.get("MaxLength")
    if number:
        try:
            size = float(value)
        except ValueError:
            raise TemplateError(f"{where}: {value!r} is no number") from None
        low, high = spec.get("MinValue"), spec.get("MaxValue")
    if (low is not None and size < float(low)) or (high is not None and size > float(high)):
        raise TemplateError(f"{where}: {value!r} is outside {low} to {high}")
