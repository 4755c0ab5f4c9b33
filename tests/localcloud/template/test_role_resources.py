"""Roles: their policies, and the services that may be them."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from localcloud.template.errors import TemplateError
from tests.localcloud.template.stacks import MACHINE, REGION, Deploy, function, of, role


def test_a_roles_policies_are_all_inline_those_of_aws_too(stack_of: Deploy) -> None:
    given = role("lambda")
    allow = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    basic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    given["Properties"] |= {
        "Policies": [{"PolicyName": "own", "PolicyDocument": {"Statement": allow}}],
        "ManagedPolicyArns": [basic],
    }

    name = stack_of({"Role": given}).resources["Role"].physical_id

    iam = boto3.client("iam", region_name=REGION)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == [
        "own",
        "AWSLambdaBasicExecutionRole",
    ]
    document = iam.get_role_policy(RoleName=name, PolicyName="AWSLambdaBasicExecutionRole")
    assert "logs:PutLogEvents" in json.dumps(document["PolicyDocument"])


def test_a_managed_policy_that_is_not_aws_own_is_refused(stack_of: Deploy) -> None:
    given = role("lambda")
    given["Properties"]["ManagedPolicyArns"] = ["arn:aws:iam::123456789012:policy/ReadOnlyAccess"]

    with pytest.raises(TemplateError, match="no managed policy arn:aws:iam::123456789012"):
        stack_of({"Role": given})


RULE = of(
    "AWS::Events::Rule",
    Name="each-minute",
    ScheduleExpression="rate(1 minute)",
    Targets=[{"Id": "t", "Arn": "arn:x", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}],
)


@pytest.mark.parametrize(
    ("resource", "service"), [(function(), "lambda"), (MACHINE, "states"), (RULE, "events")]
)
def test_a_service_gets_only_a_role_that_trusts_it(
    stack_of: Deploy, resource: dict[str, Any], service: str
) -> None:
    assert "R" in stack_of({"Role": role(service), "R": resource}).resources
    with pytest.raises(TemplateError, match=f"R.*{service}.amazonaws.com is not authorized"):
        stack_of({"Role": role("ec2"), "R": resource}, region="us-east-1")
