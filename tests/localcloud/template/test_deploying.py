"""Deploying a stack: in the order of dependencies, and nothing passed over."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from localcloud.template.errors import TemplateError
from tests.localcloud.template.stacks import REGION, Deploy

BUS = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "demo"}}


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def test_what_is_referred_to_comes_first_wherever_it_stands(stack_of: Deploy) -> None:
    stack = stack_of(
        {
            "Work": queue(
                QueueName="work",
                RedrivePolicy={
                    "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                    "maxReceiveCount": 3,
                },
            ),
            "Dead": queue(QueueName={"Fn::Sub": "${Bus}-dead"}),
            "Bus": BUS,
        }
    )

    assert list(stack.resources) == ["Bus", "Dead", "Work"]
    sqs = boto3.client("sqs", region_name=REGION)
    told = sqs.get_queue_attributes(
        QueueUrl=stack.resources["Work"].physical_id, AttributeNames=["RedrivePolicy"]
    )
    assert f"{REGION}:123456789012:demo-dead" in told["Attributes"]["RedrivePolicy"]


def test_depends_on_orders_what_nothing_refers_to(stack_of: Deploy) -> None:
    stack = stack_of({"Late": queue() | {"DependsOn": ["Early"]}, "Early": queue()})

    assert list(stack.resources) == ["Early", "Late"]


def test_a_resource_whose_condition_does_not_hold_is_not_there(stack_of: Deploy) -> None:
    resources = {
        "Here": queue() | {"Condition": "IsHere", "DependsOn": "There"},
        "There": queue() | {"Condition": "IsThere"},
    }
    conditions = {
        "IsHere": {"Fn::Equals": [{"Ref": "AWS::Region"}, REGION]},
        "IsThere": {"Fn::Not": [{"Condition": "IsHere"}]},
    }
    outputs = {"Url": {"Value": {"Ref": "There"}, "Condition": "IsThere"}}

    here = stack_of(resources, Conditions=conditions, Outputs=outputs)
    there = stack_of(resources, "us-east-1", Conditions=conditions, Outputs=outputs)

    assert (set(here.resources), set(here.outputs)) == ({"Here"}, set())
    assert (set(there.resources), set(there.outputs)) == ({"There"}, {"Url"})


def test_a_name_that_is_not_given_is_the_same_each_time_and_not_the_same_elsewhere(
    stack_of: Deploy,
) -> None:
    long = "AQueueWhoseLogicalIdIsSoLongThatItsNameHasToBeCutToFitIntoEightyCharacters"

    names = [stack_of({long: queue()}, region).resources[long].attributes["QueueName"]
             for region in ("us-east-1", "us-east-2", "us-east-1")]  # fmt: skip

    assert names[0] == names[2] != names[1]
    assert {len(name) for name in names} == {80}


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"R": {"Type": "AWS::S3::Bucket"}}, r"Resources\.R: .* has no AWS::S3::Bucket"),
        ({"R": queue(FifoQueue=True)}, r"Resources\.R\.Properties: .* FifoQueue of AWS::SQS"),
        ({"R": queue() | {"UpdatePolicy": {}}}, r"Resources\.R: .* does not know UpdatePolicy"),
        ({"R": queue() | {"DependsOn": "Q"}}, r"Resources\.R\.DependsOn: no Q"),
        ({"R": queue(QueueName={"Ref": "Q"})}, r"Resources\.R\.Properties\.QueueName: no .* Q"),
        ({"R": queue(QueueName={"Fn::Cidr": []})}, r"Properties\.QueueName: .* Fn::Cidr"),
        ({"R": {"Type": "AWS::SNS::Subscription"}}, r"Resources\.R .*AWS::SNS::Subscription"),
        ({"R": {"Type": "AWS::Events::EventBus"}}, "AWS::Events::EventBus needs 'Name'"),
        ({"A": BUS, "B": BUS}, r"Resources\.B \(AWS::Events::EventBus\): .*already exists"),
        (
            {"A": queue(QueueName={"Ref": "B"}), "B": queue(QueueName={"Ref": "A"})},
            "circle of references: A → B → A",
        ),
    ],
)
def test_what_cannot_be_deployed_is_an_error_that_names_it(
    stack_of: Deploy, resources: dict[str, Any], said: str
) -> None:
    with pytest.raises(TemplateError, match=said):
        stack_of(resources)


def test_a_section_that_is_not_known_is_refused(stack_of: Deploy) -> None:
    with pytest.raises(TemplateError, match="does not know the section Rules"):
        stack_of({}, Rules={})


def test_tags_are_taken_and_change_nothing(stack_of: Deploy) -> None:
    assert "R" in stack_of({"R": queue(Tags=[{"Key": "a", "Value": "b"}])}).resources
