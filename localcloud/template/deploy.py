"""Deploys translated templates: each Region's resources in the order of their dependencies.

What moto can hold is created by plain boto3 calls (the local cloud's hooks watch them); what
the local cloud's own services run is collected in the Stack. A resource type, property or
function that is not known here is an error by name, never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from localcloud.endpoint import ACCOUNT
from localcloud.template.intrinsics import Evaluator, TemplateError, references
from localcloud.template.stack import Resource, Stack
from localcloud.template.translate import Translated


@dataclass
class Deployment:
    """What a builder works with: its stack, the evaluator's values, and boto3 clients."""

    stack: Stack
    code: Mapping[str, Path]
    evaluator: Evaluator | None = None

    def client(self, service: str) -> Any:
        """A client in the stack's Region, as the operator who deploys."""
        make: Any = boto3.client
        return make(service, region_name=self.stack.region)

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the stack's Region."""
        return f"arn:aws:{service}:{self.stack.region}:{ACCOUNT}:{rest}"

    def generated(self, logical_id: str) -> str:
        """A name for a resource that was given none: CloudFormation's own has a random end."""
        return f"{self.stack.name}-{logical_id}"


Builder = Callable[[Deployment, str, dict[str, Any]], tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Kind:
    """How a resource type is made: its builder, and the properties that it has."""

    build: Builder
    used: frozenset[str]
    without_effect: frozenset[str]


_KINDS: dict[str, Kind] = {}


def builds(resource_type: str, used: str, without_effect: str = "") -> Callable[[Builder], Builder]:
    """Register a builder. `without_effect`: properties that change nothing on one machine."""

    def register(builder: Builder) -> Builder:
        _KINDS[resource_type] = Kind(
            builder, frozenset(used.split()), frozenset(without_effect.split()) | {"Tags"}
        )
        return builder

    return register


def deploy(translated: Translated, name: str, region: str, given: Mapping[str, str]) -> Stack:
    """Create a stack in a Region. Raises TemplateError naming resource and property."""
    stack = Stack(region, name)
    deployment = Deployment(stack, translated.code)
    template = translated.template
    evaluator = Evaluator(
        template,
        given,
        {
            "AWS::Region": region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": name,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/local",
            "AWS::URLSuffix": "amazonaws.com",
        },
        lambda logical: _find(stack, logical).physical_id,
        lambda logical, attribute: _attribute(stack, logical, attribute),
    )
    deployment.evaluator = evaluator
    wanted = {
        logical: spec
        for logical, spec in template["Resources"].items()
        if "Condition" not in spec or evaluator.condition(spec["Condition"])
    }
    for logical in _ordered(wanted):
        spec = wanted[logical]
        path = f"Resources.{logical}.Properties"
        properties = evaluator.value(spec.get("Properties", {}), path)
        stack.resources[logical] = _create(deployment, logical, spec["Type"], properties)
    for output, spec in template.get("Outputs", {}).items():
        if "Condition" not in spec or evaluator.condition(spec["Condition"]):
            stack.outputs[output] = evaluator.value(spec["Value"], f"Outputs.{output}")
    return stack


def _create(
    deployment: Deployment, logical: str, resource_type: str, properties: dict[str, Any]
) -> Resource:
    kind = _KINDS.get(resource_type)
    if kind is None:
        raise TemplateError(f"{logical}: the local cloud has no {resource_type}")
    unknown = set(properties) - kind.used - kind.without_effect
    if unknown:
        raise TemplateError(
            f"{logical}: the local cloud does not know {', '.join(sorted(unknown))} "
            f"of {resource_type}"
        )
    physical, attributes = kind.build(deployment, logical, properties)
    return Resource(resource_type, physical, attributes, properties)


def _find(stack: Stack, logical: str) -> Resource:
    if logical not in stack.resources:
        raise TemplateError(f"{stack.name} in {stack.region} has no resource {logical!r}")
    return stack.resources[logical]


def _attribute(stack: Stack, logical: str, attribute: str) -> Any:
    resource = _find(stack, logical)
    if attribute not in resource.attributes:
        raise TemplateError(f"{logical} ({resource.type}) has no attribute {attribute!r} here")
    return resource.attributes[attribute]


def _ordered(resources: Mapping[str, Any]) -> list[str]:
    """Resource names so that each comes after what it refers to. Raises at a circle."""
    order: list[str] = []
    state: dict[str, str] = {}

    def visit(logical: str, trail: tuple[str, ...]) -> None:
        if state.get(logical) == "done":
            return
        if state.get(logical) == "open":
            raise TemplateError(f"a circle of references: {' → '.join((*trail, logical))}")
        state[logical] = "open"
        spec = resources[logical]
        named = spec.get("DependsOn", [])
        needs = references(spec.get("Properties", {})) | (
            {named} if isinstance(named, str) else set(named)
        )
        for need in sorted(needs & set(resources)):
            visit(need, (*trail, logical))
        state[logical] = "done"
        order.append(logical)

    for logical in resources:
        visit(logical, ())
    return order
