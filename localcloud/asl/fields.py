"""Reads one JSON object of a definition strictly: every field must be asked for.

A field nobody asked for is refused by name, so that nothing in a definition is ever ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localcloud.asl.errors import DefinitionError
from localcloud.asl.expressions import Template, template
from localcloud.asl.screening import Allowed

JSONPATH_FIELDS = frozenset(
    {
        "InputPath", "OutputPath", "ResultPath", "ResultSelector", "Parameters", "Result",
        "ItemsPath", "MaxConcurrencyPath", "SecondsPath", "TimestampPath", "TimeoutSecondsPath",
        "HeartbeatSecondsPath", "ErrorPath", "CausePath", "ToleratedFailureCountPath",
        "ToleratedFailurePercentagePath", "Variable",
    }
)  # fmt: skip
"""Fields of the JSONPath query language (transforming-data page, the comparison table)."""

NOT_RUN_HERE = frozenset(
    {"Credentials", "ItemReader", "ItemBatcher", "ResultWriter", "Label", "Iterator"}
)
"""Fields of Step Functions that this interpreter does not run."""


class Fields:
    """The fields of the object at `location`; `prefix` is how causes name its templates."""

    def __init__(self, value: Any, location: str, prefix: str = "") -> None:
        if not isinstance(value, dict):
            raise DefinitionError("Expected an object", location)
        self.location = location
        self._prefix = prefix
        self._left: dict[str, Any] = dict(value)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def at(self, name: str) -> str:
        """Where the field is."""
        return f"{self.location}/{name}"

    def wrong(self, name: str, message: str) -> DefinitionError:
        """An error at the field."""
        return DefinitionError(message, self.at(name))

    def take(self, name: str) -> Any:
        """The field's value as written. Raises DefinitionError when it is missing."""
        if name not in self._left:
            raise DefinitionError(f"The field '{name}' is missing", self.location)
        return self._left.pop(name)

    def text(self, name: str) -> str:
        """A required string that is not empty."""
        value = self.take(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "Expected a string that is not empty")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string, or None when the field is absent."""
        return self.text(name) if name in self else None

    def one_of(self, name: str, values: Iterable[str]) -> str:
        """A required string out of a few."""
        value, known = self.text(name), tuple(values)
        if value not in known:
            raise self.wrong(name, f"Expected one of {', '.join(known)}, found '{value}'")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """A number between two bounds, inclusive, or the default when the field is absent."""
        if name not in self:
            return default
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong(name, "Expected a number")
        if not low <= value <= high:
            raise self.wrong(name, f"Expected a number from {low} to {high}, found {value}")
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number between two bounds, inclusive, or the default."""
        value = self.number(name, default, low, high)
        if not isinstance(value, int):
            raise self.wrong(name, "Expected a whole number")
        return value

    def items(self, name: str) -> list[Any]:
        """A required array that is not empty."""
        value = self.take(name)
        if not isinstance(value, list) or not value:
            raise self.wrong(name, "Expected an array that is not empty")
        return value

    def template(self, name: str, allowed: Allowed) -> Template | None:
        """A template of any JSON, or None when the field is absent."""
        if name not in self:
            return None
        return template(self.take(name), f"{self._prefix}{name}", self.at(name), allowed)

    def numeric(
        self, name: str, allowed: Allowed, low: float, high: float, whole: bool = True
    ) -> Template | None:
        """A number between two bounds or an expression for one; None when absent."""
        found = self.template(name, allowed)
        if found is None or not found.is_literal:
            if found is not None and not isinstance(found.source, str):
                raise self.wrong(name, "Expected a number or one JSONata expression")
            return found
        value = found.source
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            raise self.wrong(name, f"Expected a number from {low} to {high}, found {value!r}")
        return found

    def close(self) -> None:
        """Every field has been asked for: refuse what is left, by name."""
        for name in self._left:
            if name in JSONPATH_FIELDS or name.endswith(".$"):
                message = f"The field '{name}' is only supported for the JSONPath QueryLanguage"
            elif name in NOT_RUN_HERE:
                message = f"The field '{name}' is not run by the local cloud"
            else:
                message = f"The field '{name}' is not supported"
            raise self.wrong(name, message)
