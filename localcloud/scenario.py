"""Scenarios: what goes wrong, where and when, and what should come of it; one YAML file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")

CATALOGUE = Path(__file__).parent / "scenarios"


class ScenarioError(Exception):
    """A scenario that cannot be run: which file and line, what is wrong, what to do."""


@dataclass(frozen=True)
class Fault:
    """A fault of the world's: `kind` in `region`, from `at_s` for `for_s` simulated seconds.

    Seconds count from when clients begin to send traffic.
    """

    kind: str
    region: str
    at_s: float
    for_s: float


@dataclass(frozen=True)
class Scenario:
    """What a run does to the system. Either a drill by workflow, or faults of the world's own.

    `expect`: `moved` (traffic leaves the Region and comes back) or `held` (nothing moves).
    """

    name: str
    why: str
    expect: str
    drill_region: str | None
    faults: tuple[Fault, ...]

    @property
    def region(self) -> str:
        """The Region that the scenario is about."""
        return self.drill_region or self.faults[0].region


FAULT_KINDS = ("region-down", "region-isolated", "region-dark", "health-errors")
EXPECTATIONS = ("moved", "held")


def names() -> list[str]:
    """The catalogue's scenarios."""
    return sorted(path.stem for path in CATALOGUE.glob("*.yaml"))


def load(name_or_path: str) -> Scenario:
    """A scenario of the catalogue by name, or of the user's own by its file's path.

    Raises ScenarioError, with the line, when there is none or it does not hold together.
    """
    own = Path(name_or_path)
    path = own if own.suffix in (".yaml", ".yml") else CATALOGUE / f"{name_or_path}.yaml"
    if not path.is_file():
        raise ScenarioError(
            f"no scenario {name_or_path!r}: choose one of {', '.join(names())}, "
            "or give the path of a .yaml file"
        )
    return parse(path.read_text(), str(own if own == path else path.name))


def parse(text: str, source: str) -> Scenario:
    """A scenario from its YAML. Raises ScenarioError with source and line."""
    try:
        root = yaml.compose(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{source}:{line}: not YAML: {error.problem}") from None
    reader = _Reader(source)
    top = reader.mapping(root, {"name", "why", "drill", "faults", "expect"}, "a scenario")
    name = reader.text(top, "name", root)
    why = reader.text(top, "why", root)
    expect = reader.text(top, "expect", root)
    if expect not in EXPECTATIONS:
        raise reader.error(top["expect"], f"expect is {expect!r}: say {' or '.join(EXPECTATIONS)}")
    if ("drill" in top) == ("faults" in top):
        raise reader.error(root, "give either drill or faults, and not both")
    region = None
    if "drill" in top:
        region = reader.text(
            reader.mapping(top["drill"], {"region"}, "drill"), "region", top["drill"]
        )
    faults = tuple(_fault(reader, node) for node in reader.sequence(top.get("faults")))
    return Scenario(name, " ".join(why.split()), expect, region, faults)


def _fault(reader: _Reader, node: Any) -> Fault:
    fields = reader.mapping(node, {"kind", "region", "at_s", "for_s"}, "a fault")
    kind = reader.text(fields, "kind", node)
    if kind not in FAULT_KINDS:
        known = ", ".join(FAULT_KINDS)
        raise reader.error(fields["kind"], f"no fault {kind!r}: choose one of {known}")
    region = reader.text(fields, "region", node)
    return Fault(
        kind, region, reader.seconds(fields, "at_s", node), reader.seconds(fields, "for_s", node)
    )


class _Reader:
    """Reads YAML nodes, which know their lines, and says where something is wrong."""

    def __init__(self, source: str) -> None:
        self.source = source

    def error(self, node: Any, problem: str) -> ScenarioError:
        line = node.start_mark.line + 1 if node is not None else 1
        return ScenarioError(f"{self.source}:{line}: {problem}")

    def mapping(self, node: Any, known: set[str], what: str) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what} must be a mapping of {', '.join(sorted(known))}")
        fields: dict[str, Any] = {}
        for key, value in node.value:
            if key.value not in known:
                raise self.error(
                    key, f"{what} has no {key.value!r}: it has {', '.join(sorted(known))}"
                )
            fields[key.value] = value
        return fields

    def sequence(self, node: Any) -> list[Any]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.error(node, "faults must be a list with at least one fault")
        return list(node.value)

    def text(self, fields: dict[str, Any], name: str, inside: Any) -> str:
        return self._scalar(fields, name, inside, str, "text")

    def seconds(self, fields: dict[str, Any], name: str, inside: Any) -> float:
        value = self._scalar(fields, name, inside, float, "a number of seconds")
        if not 0 <= value <= 86_400:
            raise self.error(fields[name], f"{name} must lie between 0 and 86400 seconds")
        return value

    def _scalar(
        self,
        fields: dict[str, Any],
        name: str,
        inside: Any,
        kind: Callable[[str], T],
        what: str,
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
