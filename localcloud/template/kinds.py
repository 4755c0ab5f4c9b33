"""How a resource type is made: what its builder reads, what changes nothing here, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.calls.endpoint import ACCOUNT
from localcloud.template.errors import TemplateError
from localcloud.template.stack import Stack

Properties = dict[str, Any]
Built = tuple[str, dict[str, Any]]
"""A resource's physical id (what Ref gives) and its attributes (what GetAtt gives)."""


@dataclass
class Deployment:
    """What a builder works with: its stack, where code is, and who calls AWS for it."""

    stack: Stack
    code: Mapping[str, Path]
    make_client: Callable[[str, str], Any]
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None) -> Any:
        """A client in the stack's Region or another, as the operator who deploys."""
        where = region or self.stack.region
        if (service, where) not in self._clients:
            self._clients[service, where] = self.make_client(service, where)
        return self._clients[service, where]

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the stack's Region."""
        return f"arn:aws:{service}:{self.stack.region}:{ACCOUNT}:{rest}"

    def generated(self, logical_id: str, longest: int = 64) -> str:
        """A name for a resource that was given none: the stack's, its own, and a fixed end.

        CloudFormation's end is random; here it is a digest of the rest, so that a name
        tells Regions apart even where it is cut to `longest` characters.
        """
        name = f"{self.stack.name}-{logical_id}"
        end = digest(name, self.stack.region)[:8]
        return f"{name[: longest - len(end) - 1]}-{end}"


def digest(*parts: str) -> str:
    """Hexadecimal digits that are the same in every run."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


Builder = Callable[[Deployment, str, Properties], Built]
"""(deployment, logical id, evaluated properties) → the resource. May raise TemplateError."""


@dataclass(frozen=True)
class Kind:
    """A resource type: its builder, the properties that it reads, and those without effect."""

    build: Builder
    used: frozenset[str]
    no_effect: Mapping[str, str]
    """Property → why it changes nothing in the local cloud."""


_KINDS: dict[str, Kind] = {}


def builds(
    resource_type: str, used: str, no_effect: Mapping[str, str] | None = None
) -> Callable[[Builder], Builder]:
    """Register a builder. `used` and the keys of `no_effect` are property names, by spaces."""

    def register(builder: Builder) -> Builder:
        why = {"Tags": "nothing here reads tags"}
        for names, reason in (no_effect or {}).items():
            why |= dict.fromkeys(names.split(), reason)
        _KINDS[resource_type] = Kind(builder, frozenset(used.split()), why)
        return builder

    return register


def kind_of(logical_id: str, resource_type: str, properties: Collection[str]) -> Kind:
    """How to make a resource. Raises TemplateError for a type or property not known here."""
    kind = _KINDS.get(resource_type)
    if kind is None:
        raise TemplateError(f"Resources.{logical_id}: the local cloud has no {resource_type}")
    unknown = sorted(set(properties) - kind.used - set(kind.no_effect))
    if unknown:
        raise TemplateError(
            f"Resources.{logical_id}.Properties: the local cloud does not know "
            f"{', '.join(unknown)} of {resource_type}"
        )
    return kind


def only(given: Mapping[str, Any], known: str, where: str) -> None:
    """Raise TemplateError when a nested value has more keys than are `known` (by spaces)."""
    unknown = sorted(set(given) - set(known.split()))
    if unknown:
        raise TemplateError(f"{where}: the local cloud does not know {', '.join(unknown)}")


def picked(properties: Mapping[str, Any], names: str) -> Properties:
    """Of a resource's properties those that are `names` (by spaces) and given."""
    return {name: properties[name] for name in names.split() if name in properties}


def flag(value: Any) -> bool:
    """A boolean, which parameters and conditions may have made text."""
    return value is True or str(value).lower() == "true"
