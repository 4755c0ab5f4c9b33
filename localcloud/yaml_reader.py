"""Reads YAML nodes, which know their lines, and says in which one something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
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
            words = " ".join(str(error).split())
            raise ScenarioError(f"{self.source}:1: not YAML: {words}") from None
        except RecursionError:
            raise ScenarioError(f"{self.source}:1: nested too deep to be read") from None

    def mapping(self, node: Any, known: set[str], what: str) -> dict[str, Any]:
        """Names and nodes of a mapping whose names are all known, each once."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what} must be a mapping of {', '.join(sorted(known))}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                raise self.error(key, f"{what} has no {name!r}: {instead(name, known, 'it has')}")
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

    def value(self, node: Any) -> Any:
        """A node as JSON has it. What YAML takes for a time of day or a date stays the text it was.

        Raises RecursionError for a node that holds itself.
        """
        if isinstance(node, yaml.MappingNode):
            return {self.plain(key): self.value(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one) for one in node.value]
        # YAML 1.1 reads 12:00 as the number 720 and 2026-12-24 as a date.
        if node.tag == "tag:yaml.org,2002:timestamp" or (
            node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float") and ":" in node.value
        ):
            return node.value
        try:
            return yaml.SafeLoader("").construct_document(node)
        except (yaml.YAMLError, ValueError):
            raise self.error(node, f"cannot be read as a value: {node.value!r}") from None

    def is_mapping(self, node: Any, name: str) -> None:
        """Raises ScenarioError where it is none."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{name} must be a mapping")

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
        what = "a number of seconds" if _is_seconds(name) else "a number"
        value = self._scalar(fields, name, inside, float, what)
        if not low <= value <= high:
            unit = " seconds" if _is_seconds(name) else ""
            problem = f"{name} must lie between {low:.10g} and {high:.10g}{unit}"
            raise self.error(fields[name], problem)
        return value

    def whole(
        self,
        fields: dict[str, Any],
        name: str,
        inside: Any,
        low: int,
        high: int,
        default: int | None = None,
    ) -> int:
        """A whole number within bounds; the default, where there is one, when it is not given."""
        value = self.number(fields, name, inside, low, high, default)
        if value != int(value):
            raise self.error(fields[name], f"{name} must be a whole number, not {value:.10g}")
        return int(value)

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


def _is_seconds(name: str) -> bool:
    return name.endswith("_s") and not name.endswith("_per_s")


def instead(name: str, known: Iterable[str], otherwise: str = "choose one of") -> str:
    """What to say where a name is none of these: which are close to it, else which there are."""
    listed = sorted(known)
    near = get_close_matches(name, listed)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"{otherwise} {', '.join(listed)}"


def twice(node: Any) -> Iterator[tuple[Any, str]]:
    """Each name that a mapping gives again, at any depth, and what is to be said of it."""
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first:
                yield key, f"{name} is given twice (first in line {first[name]})"
            first.setdefault(name, line)
            yield from twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from twice(one)


def at(root: Any, path: Sequence[str | int]) -> Any:
    """The node that a path leads to, or the last that there is on the way. A list or mapping is
    named by the line of its name, where there is one."""
    node = root
    for depth, step in enumerate(path, 1):
        if isinstance(node, yaml.SequenceNode):
            node = node.value[step]
            continue
        # Of a name that is given twice the last is the one that was judged.
        found = [pair for pair in node.value if str(pair[0].value) == step]
        if not found:
            return node
        key, node = found[-1]
        if depth == len(path) and not isinstance(node, yaml.ScalarNode):
            return key
    return node
