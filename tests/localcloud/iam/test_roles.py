"""A role's calls are judged by its policies, and a service runs as a role that trusts it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from localcloud.calls.endpoint import OPERATOR, ApiCall, Caller
from localcloud.calls.wire import AwsError
from localcloud.iam.judge import Authorizer, trusts
from localcloud.iam.patterns import PolicyUnknownError

REGION = "eu-west-2"
ROLE = "arn:aws:iam::123456789012:role/writer"
TABLE = f"arn:aws:dynamodb:{REGION}:123456789012:table/marks"
READ = ("dynamodb", "GetItem", {"TableName": "marks", "Key": {"region": {"S": "eu-west-2"}}})


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """IAM with the role `writer`, and a table whose partition key is `region`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        client = boto3.client("iam", region_name=REGION)
        client.create_role(RoleName="writer", AssumeRolePolicyDocument=trust("lambda"))
        boto3.client("dynamodb", region_name=REGION).create_table(
            TableName="marks",
            KeySchema=[{"AttributeName": "region", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "region", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


def trust(service: str, **more: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


def give(iam: Any, **statement: Any) -> None:
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow"} | statement}
    iam.put_role_policy(RoleName="writer", PolicyName="p", PolicyDocument=json.dumps(document))


def call(service: str, operation: str, params: dict[str, Any], role: str | None = ROLE) -> None:
    caller = OPERATOR if role is None else Caller(REGION, role, "writer")
    Authorizer().authorize(ApiCall(service, operation, REGION, params, caller))


@pytest.mark.usefixtures("iam")
def test_the_operator_may_do_anything() -> None:
    call(*READ, role=None)


def test_a_role_may_do_what_its_policy_allows_and_nothing_else(iam: Any) -> None:
    give(iam, Action="dynamodb:GetItem", Resource=TABLE)

    call(*READ)
    with pytest.raises(AwsError, match="is not authorized to perform: dynamodb:DeleteItem"):
        call("dynamodb", "DeleteItem", READ[2])


def test_every_part_of_a_call_must_be_allowed(iam: Any) -> None:
    give(iam, Action="events:PutEvents", Resource="arn:aws:events:*:*:event-bus/demo")
    ours, others = {"EventBusName": "demo"}, {"EventBusName": "default"}

    call("events", "PutEvents", {"Entries": [ours]})
    with pytest.raises(AwsError, match="event-bus/default"):
        call("events", "PutEvents", {"Entries": [ours, others]})


def test_leading_keys_hold_on_a_table_whose_key_has_another_name(iam: Any) -> None:
    only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["us-east-1"]}}
    give(iam, Action="dynamodb:GetItem", Resource=TABLE, Condition=only)

    with pytest.raises(AwsError, match="dynamodb:GetItem"):
        call(*READ)


def test_the_requested_region_and_the_role_itself_are_known(iam: Any) -> None:
    here = {"StringEquals": {"aws:RequestedRegion": REGION}, "ArnLike": {"aws:PrincipalArn": ROLE}}
    give(iam, Action="dynamodb:*", Resource="*", Condition=here)

    call(*READ)


def test_a_policy_that_is_taken_away_is_gone_at_once(iam: Any) -> None:
    give(iam, Action="dynamodb:GetItem", Resource=TABLE)
    call(*READ)

    iam.delete_role_policy(RoleName="writer", PolicyName="p")

    with pytest.raises(AwsError, match="no identity-based policy allows"):
        call(*READ)


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize(
    ("service", "operation", "params", "code", "status"),
    [
        (*READ, "AccessDeniedException", 400),
        ("sqs", "SendMessage", {"QueueUrl": "https://q/1/unsent"}, "AccessDenied", 403),
        ("sns", "Publish", {"TopicArn": "arn:aws:sns:eu-west-2:1:t"}, "AuthorizationError", 403),
        ("route53", "GetHealthCheck", {"HealthCheckId": "a"}, "AccessDenied", 403),
        ("lambda", "Invoke", {"FunctionName": "vote"}, "AccessDeniedException", 403),
    ],
)
def test_each_service_refuses_in_its_own_words(
    service: str, operation: str, params: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(AwsError) as refused:
        call(service, operation, params)

    assert (refused.value.code, refused.value.status) == (code, status)


@pytest.mark.usefixtures("iam")
def test_a_role_that_is_not_there_may_do_nothing() -> None:
    with pytest.raises(AwsError, match="does not exist"):
        call(*READ, role=ROLE + "-gone")


def test_attached_policies_are_refused_rather_than_overlooked(iam: Any) -> None:
    nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": nothing})
    arn = iam.create_policy(PolicyName="deny-all", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="writer", PolicyArn=arn)

    with pytest.raises(PolicyUnknownError, match="attached policies"):
        call(*READ)


@pytest.mark.usefixtures("iam")
def test_only_a_service_that_the_trust_policy_names_may_assume_a_role() -> None:
    assert trusts(ROLE, "lambda.amazonaws.com")
    assert not trusts(ROLE, "states.amazonaws.com")


def test_a_trust_policy_may_hold_for_one_resource_only(iam: Any) -> None:
    ours = {"ArnLike": {"aws:SourceArn": "arn:aws:states:*:123456789012:stateMachine:demo-*"}}
    iam.update_assume_role_policy(RoleName="writer", PolicyDocument=trust("states", Condition=ours))
    machine = "arn:aws:states:eu-west-2:123456789012:stateMachine:"

    assert trusts(ROLE, "states.amazonaws.com", machine + "demo-drill")
    assert not trusts(ROLE, "states.amazonaws.com", machine + "another")


def test_a_denied_assumption_is_no_trust(iam: Any) -> None:
    iam.update_assume_role_policy(RoleName="writer", PolicyDocument=trust("lambda", Effect="Deny"))

    assert not trusts(ROLE, "lambda.amazonaws.com")
