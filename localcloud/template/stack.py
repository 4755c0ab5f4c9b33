"""A deployed stack: what was created, and what the local cloud's own services have to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.compute.frontdoor import Api
from localcloud.compute.lambdas import Function
from localcloud.services import QueueSource, StreamSource
from localcloud.services.async_invoke import AsyncSettings


@dataclass(frozen=True)
class Resource:
    """One resource as it stands: Ref gives `physical_id`, GetAtt one of `attributes`."""

    type: str
    physical_id: str
    attributes: Mapping[str, Any]
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class GlobalTable:
    """A table with replicas, to be joined once every replica's table is there."""

    name: str
    regions: tuple[str, ...]
    """Those with a replica."""
    strong: bool
    witness: str | None = None
    """The Region that holds no data but counts, of a strongly consistent table."""


@dataclass(frozen=True)
class Machine:
    """A state machine with its substitutions made."""

    arn: str
    name: str
    role_arn: str
    definition: str
    express: bool


@dataclass(frozen=True)
class Permission:
    """A Lambda function's resource policy statement."""

    function_arn: str
    principal: str
    action: str
    source_arn: str | None


@dataclass
class Stack:
    """One Region's stack."""

    region: str
    name: str
    resources: dict[str, Resource] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    apis: list[Api] = field(default_factory=list)
    front_names: dict[str, str] = field(default_factory=dict)
    """API Gateway's own (alias target) domain names → custom domain names."""
    machines: list[Machine] = field(default_factory=list)
    tables: list[GlobalTable] = field(default_factory=list)
    queue_sources: list[QueueSource] = field(default_factory=list)
    stream_sources: list[StreamSource] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    asynchronous: dict[str, AsyncSettings] = field(default_factory=dict)
    """Functions whose asynchronous invocation is not the default."""
    outputs: dict[str, Any] = field(default_factory=dict)
