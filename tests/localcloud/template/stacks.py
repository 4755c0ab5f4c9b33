"""Small templates for the tests: resources in few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud.template.stack import Stack

REGION = "eu-west-2"

Deploy = Callable[..., Stack]
"""(resources, region=, other template sections) → the stack."""


def of(kind: str, **properties: Any) -> dict[str, Any]:
    """A resource of a type."""
    return {"Type": kind, "Properties": properties}


def function(**more: Any) -> dict[str, Any]:
    """A function that runs as the resource `Role`."""
    here = {"Handler": "a.handler", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {}}
    return of("AWS::Lambda::Function", **(here | more))


MACHINE = of(
    "AWS::StepFunctions::StateMachine",
    StateMachineName="demo",
    RoleArn={"Fn::GetAtt": ["Role", "Arn"]},
    DefinitionString='{"StartAt": "Go", "States": {"Go": {"Type": "Pass", "End": true}}}',
)
"""A machine that runs as the resource `Role`."""


def role(*services: str) -> dict[str, Any]:
    """A role that these services may assume."""
    trusted = [f"{service}.amazonaws.com" for service in services]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": trusted},
        "Action": "sts:AssumeRole",
    }
    document = {"Version": "2012-10-17", "Statement": [allow]}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}}
