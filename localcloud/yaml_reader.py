"""Reads YAML nodes, which know their lines, and says in which one something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import yaml

T = TypeVar("T")


class ScenarioError(Exception):
    """A scenario that cannot be run: which file and line, what is wrong, what to do."""


class Reader:
    """Reads one file; `source` is how errors name it."""

    def __init__(self, source: str) -> None:
        self.source = source

    def error(self, node: Any, problem: str) -> ScenarioError:
        """An error at a node's line; at the first line for no node."""
        line = node.start_mark.line + 1 if node is not None else 1
        return ScenarioError(f"{self.source}:{line}: {problem}")

    def compose(self, text: str) -> Any:
        """The document's root node."""
        try:
            return yaml.compose(text)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ScenarioError(f"{self.source}:{line}: not YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            raise ScenarioError(f"{self.source}:1: not YAML: {error}") from None

    def mapping(self, node: Any, known: set[str], what: str) -> dict[str, Any]:
        """Names and nodes of a mapping whose names are all known, each once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what} must be a mapping of {', '.join(sorted(known))}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                raise self.error(key, f"{what} has no {name!r}: it has {', '.join(sorted(known))}")
            if name in fields:
                raise self.error(key, f"{name} is given twice")
            fields[name] = value
        return fields

    def sequence(self, node: Any, name: str, one: str) -> list[Any]:
        """A list's nodes; none where there is no list."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.error(node, f"{name} must be a list with at least one {one}")
        return list(node.value)

    def values(self, node: Any, name: str) -> dict[str, Any]:
        """A mapping of plain values, as YAML reads them; {} where there is none."""
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{name} must be a mapping")
        read: dict[str, Any] = yaml.SafeLoader("").construct_document(node)
        return read

    def plain(self, node: Any) -> str:
        """A scalar's text."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.error(node, "must be text")
        return str(node.value)

    def text(self, fields: dict[str, Any], name: str, inside: Any) -> str:
        """A text that has to be there."""
        return self._scalar(fields, name, inside, str, "text")

    def one_of(self, fields: dict[str, Any], name: str, inside: Any, known: Sequence[str]) -> str:
        """One of a few words."""
        value = self.text(fields, name, inside)
        if value not in known:
            choice = f"{', '.join(known[:-1])} or {known[-1]}"
            raise self.error(fields[name], f"{name} is {value!r}: say {choice}")
        return value

    def number(
        self,
        fields: dict[str, Any],
        name: str,
        inside: Any,
        low: float,
        high: float,
        default: float | None = None,
    ) -> float:
        """A number within bounds; the default, where there is one, when it is not given."""
        if name not in fields and default is not None:
            return default
        what = "a number of seconds" if name.endswith("_s") else "a number"
        value = self._scalar(fields, name, inside, float, what)
        if not low <= value <= high:
            unit = " seconds" if name.endswith("_s") else ""
            problem = f"{name} must lie between {low:.10g} and {high:.10g}{unit}"
            raise self.error(fields[name], problem)
        return value

    def _scalar(
        self, fields: dict[str, Any], name: str, inside: Any, kind: Callable[[str], T], what: str
    ) -> T:
        node = fields.get(name)
        if node is None:
            raise self.error(inside, f"{name} is missing")
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.error(node, f"{name} must be {what}")
        try:
            return kind(node.value)
        except ValueError:
            raise self.error(node, f"{name} must be {what}, not {node.value!r}") from None
