"""template.yaml as one Region's stack has it: translated by SAM, its conditions evaluated.

An evaluator of its own, smaller than the local cloud's, so that the two cannot be wrong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
ACCOUNT = "111122223333"
_MANAGED = {
    name: f"arn:aws:iam::aws:policy/{name}"
    for name in ("AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess")
}
"""All the managed policies that SAM may add: any other one fails the translation."""
_LEFT_OUT = object()

THREE = ("eu-west-1", "eu-west-2", "us-east-1")
COORDINATION = ("eu-west-1", "eu-west-2", "eu-central-1")


@cache
def written() -> dict[str, Any]:
    """The template as it is written. One for all tests: to be read only."""
    return _parsed()


@cache
def translated() -> dict[str, Any]:
    """Plain CloudFormation, as `sam deploy` would send it. One for all tests: to be read only."""
    sam = _parsed()
    sam["Globals"]["Function"]["CodeUri"] = "s3://code/functions"
    for resource in sam["Resources"].values():
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = "s3://code/layer"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = "s3://code/machine"
    translator = Translator(_MANAGED, Parser(), boto_session=boto3.Session(region_name="eu-west-2"))
    plain: dict[str, Any] = translator.translate(
        sam_template=sam,
        parameter_values={
            name: given.get("Default", "") for name, given in sam["Parameters"].items()
        },
    )
    return plain


def _parsed() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse(TEMPLATE.read_text())
    return parsed


def functions() -> dict[str, dict[str, Any]]:
    """The properties of each function by logical id, as written."""
    return {
        name: resource["Properties"]
        for name, resource in written()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


class Stack:
    """The stack of one Region: `resources` are those that would be made, values evaluated."""

    def __init__(
        self,
        here: str,
        regions: tuple[str, ...] = THREE,
        coordination: tuple[str, ...] = COORDINATION,
        **given: str,
    ) -> None:
        self._template = translated()
        at = regions.index(here) if here in regions else 0
        peers = [*regions[at + 1 :], *regions[:at]][:2] if here in regions else []
        wardens = dict(zip(("Warden1", "Warden2"), peers, strict=False))
        defaults = {
            name: spec.get("Default", "") for name, spec in self._template["Parameters"].items()
        }
        self._values = defaults | {
            "AWS::Region": here,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": "sidestep-demo",
            "HomeRegion": regions[0],
            "Regions": ",".join(regions),
            "CoordinationRegions": ",".join(coordination),
            "DomainName": "api.example.com",
            "HostedZoneId": "Z1",
            **wardens,
            **given,
        }
        self.resources = {
            name: self._value(resource)
            for name, resource in self._template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id of the resources of one type."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def _holds(self, condition: str) -> bool:
        return bool(self._test(self._template["Conditions"][condition]))

    def _test(self, test: Mapping[str, Any]) -> bool:
        ((name, argument),) = test.items()
        if name == "Condition":
            return self._holds(argument)
        if name == "Fn::Equals":
            return bool(self._value(argument[0]) == self._value(argument[1]))
        results = [self._test(inner) for inner in argument]
        return {"Fn::Or": any(results), "Fn::And": all(results), "Fn::Not": not results[0]}[name]

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            made = [self._value(inner) for inner in value]
            return [inner for inner in made if inner is not _LEFT_OUT]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or str(name).startswith("Fn::"):
                return self._function(str(name), argument)
        made_of = {key: self._value(inner) for key, inner in value.items()}
        return {key: inner for key, inner in made_of.items() if inner is not _LEFT_OUT}

    def _made(self, resource: str, attribute: str = "") -> str:
        """A resource's id or attribute, which only AWS knows."""
        assert resource in self._template["Resources"], f"there is no {resource} to refer to"
        return f"<{resource}.{attribute}>" if attribute else f"<{resource}>"

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            if argument == "AWS::NoValue":
                return _LEFT_OUT
            return self._values[argument] if argument in self._values else self._made(argument)
        if name == "Fn::GetAtt":
            path = argument if isinstance(argument, str) else ".".join(argument)
            return self._made(*path.split(".", 1))
        if name == "Fn::If":
            return self._value(argument[1 if self._holds(argument[0]) else 2])
        if name == "Fn::Split":
            return str(self._value(argument[1])).split(argument[0])
        if name == "Fn::Select":
            return self._value(argument[1])[int(argument[0])]
        if name == "Fn::Join":
            return str(argument[0]).join(self._value(argument[1]))
        if name == "Fn::Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            known = self._values | {key: self._value(inner) for key, inner in more.items()}
            return re.sub(r"\$\{([^}]+)\}", lambda m: known.get(m[1], f"<{m[1]}>"), text)
        raise AssertionError(f"the template has begun to use {name}: teach it to this reader")


def statements(role: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a role's own policies, actions and resources as lists."""
    for policy in role.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            yield statement | {
                key: given if isinstance(given := statement[key], list) else [given]
                for key in ("Action", "Resource")
            }
