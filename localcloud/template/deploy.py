"""Deploys translated templates: each Region's resources in the order of their dependencies.

What moto can hold is created by plain boto3 calls (the local cloud's hooks watch them); what
the local cloud's own services run is collected in the Stack. A resource type, property or
function that is not known here is an error by name, never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError, ParamValidationError

from localcloud.calls.endpoint import ACCOUNT
from localcloud.template import resources as _resources  # noqa: F401  # registers the builders
from localcloud.template.errors import TemplateError
from localcloud.template.intrinsics import Evaluator, references
from localcloud.template.kinds import Deployment, kind_of
from localcloud.template.stack import Resource, Stack
from localcloud.template.translate import Translated

_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
    }
)
_ATTRIBUTES = frozenset(
    {
        "Condition",
        "DependsOn",
        "Metadata",
        "Properties",
        "Type",
        # What becomes of a resource when its stack goes: here none does.
        "DeletionPolicy",
        "UpdateReplacePolicy",
    }
)


def _boto3_client(service: str, region: str) -> Any:
    make: Any = boto3.client  # its stubs know only literal service names
    return make(service, region_name=region)


def deploy(
    translated: Translated,
    name: str,
    region: str,
    given: Mapping[str, str],
    client: Callable[[str, str], Any] = _boto3_client,
) -> Stack:
    """Create a stack in a Region. `given`: its parameters; `client`: (service, Region) → who
    calls AWS.

    Raises TemplateError naming the resource, and the property, type or function.
    """
    template = translated.template
    _check(template)
    stack = Stack(region, name)
    evaluator = Evaluator(template, given, _pseudo_parameters(name, region), stack.resources.get)
    deployment = Deployment(stack, translated.code, client)
    wanted = {
        logical: spec
        for logical, spec in template["Resources"].items()
        if "Condition" not in spec or evaluator.condition(spec["Condition"])
    }
    for logical in _ordered(wanted, set(template["Resources"])):
        spec = wanted[logical]
        path = f"Resources.{logical}.Properties"
        properties = evaluator.value(spec.get("Properties", {}), path)
        stack.resources[logical] = _create(deployment, logical, spec["Type"], properties)
    for output, spec in template.get("Outputs", {}).items():
        if "Condition" not in spec or evaluator.condition(spec["Condition"]):
            stack.outputs[output] = evaluator.value(spec["Value"], f"Outputs.{output}")
    return stack


def _pseudo_parameters(name: str, region: str) -> dict[str, str]:
    return {
        "AWS::Region": region,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::StackName": name,
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/local",
        "AWS::URLSuffix": "amazonaws.com",
    }


def _check(template: Mapping[str, Any]) -> None:
    """Raise TemplateError for what is not known of a template's and a resource's own keys."""
    unknown = set(template) - _SECTIONS
    if unknown:
        raise TemplateError(f"the local cloud does not know the section {', '.join(unknown)}")
    for logical, spec in template["Resources"].items():
        more = sorted(set(spec) - _ATTRIBUTES)
        if more:
            raise TemplateError(
                f"Resources.{logical}: the local cloud does not know {', '.join(more)}"
            )


def _create(
    deployment: Deployment, logical: str, resource_type: str, properties: dict[str, Any]
) -> Resource:
    kind = kind_of(logical, resource_type, properties)
    try:
        physical, attributes = kind.build(deployment, logical, properties)
    except KeyError as error:
        if error.args[0] not in kind.used - set(properties):
            raise  # a mistake of ours, not a property left out
        raise TemplateError(f"Resources.{logical}: {resource_type} needs {error}") from error
    except (ClientError, ParamValidationError) as error:
        raise TemplateError(f"Resources.{logical} ({resource_type}): {error}") from error
    return Resource(resource_type, physical, attributes, properties)


def _ordered(resources: Mapping[str, Any], known: set[str]) -> list[str]:
    """Resource names so that each comes after what it refers to.

    `known`: also those whose condition does not hold, which DependsOn may name. Raises
    TemplateError at a circle, and for a DependsOn that names nothing.
    """
    order: list[str] = []
    done: set[str] = set()

    def visit(logical: str, trail: tuple[str, ...]) -> None:
        if logical in trail:
            raise TemplateError(f"a circle of references: {' → '.join((*trail, logical))}")
        if logical in done:
            return
        spec = resources[logical]
        named = spec.get("DependsOn", [])
        explicit = {named} if isinstance(named, str) else set(named)
        if not explicit <= known:
            raise TemplateError(
                f"Resources.{logical}.DependsOn: no {', '.join(sorted(explicit - known))}"
            )
        needs = explicit | references(spec.get("Properties", {}))
        for need in sorted(needs & set(resources)):
            visit(need, (*trail, logical))
        done.add(logical)
        order.append(logical)

    for logical in resources:
        visit(logical, ())
    return order
