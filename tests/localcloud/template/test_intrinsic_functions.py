"""CloudFormation's intrinsic functions: a table of what each gives, and of what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.template.errors import TemplateError
from localcloud.template.intrinsics import Evaluator, references
from localcloud.template.stack import Resource

PSEUDO = {
    "AWS::Region": "eu-west-2",
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "App": {"Type": "String", "Default": "demo"},
        "Count": {"Type": "Number", "Default": 3},
        "Regions": {"Type": "CommaDelimitedList", "Default": "eu-west-2, us-east-1"},
    },
    "Mappings": {"Sets": {"eu-west-2": {"set": "EU", "peers": ["eu-west-1", "eu-west-3"]}}},
    "Conditions": {
        "Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-2"]},
        "There": {"Fn::Not": [{"Condition": "Here"}]},
    },
}
BUS = Resource("AWS::Events::EventBus", "demo", {"Arn": "arn:bus", "Policy.Id": "p"}, {})


def evaluated(value: Any) -> Any:
    """What a value comes to as a property at `Resources.R.Properties`."""
    evaluator = Evaluator(TEMPLATE, {}, PSEUDO, {"Bus": BUS}.get)
    return evaluator.value(value, "Resources.R.Properties")


def holds(condition: Any) -> bool:
    """Whether a condition holds."""
    template = TEMPLATE | {"Conditions": TEMPLATE["Conditions"] | {"C": condition}}
    return Evaluator(template, {}, PSEUDO, {"Bus": BUS}.get).condition("C")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "App"}, "demo"),
        ({"Ref": "Regions"}, ["eu-west-2", "us-east-1"]),
        ({"Ref": "AWS::Region"}, "eu-west-2"),
        ({"Ref": "Bus"}, "demo"),
        ({"Fn::GetAtt": ["Bus", "Arn"]}, "arn:bus"),
        ({"Fn::GetAtt": "Bus.Arn"}, "arn:bus"),
        ({"Fn::GetAtt": "Bus.Policy.Id"}, "p"),
        ({"Fn::Sub": "${App}-${AWS::Region}-${Bus.Arn}-${Bus}"}, "demo-eu-west-2-arn:bus-demo"),
        ({"Fn::Sub": "${!App} costs $5"}, "${App} costs $5"),
        ({"Fn::Sub": ["${X}/${App}", {"X": {"Ref": "Count"}}]}, "3/demo"),
        ({"Fn::Join": ["-", ["a", {"Ref": "App"}, 3, True]]}, "a-demo-3-true"),
        ({"Fn::Join": [",", {"Ref": "Regions"}]}, "eu-west-2,us-east-1"),
        ({"Fn::Split": [",", "a,,b"]}, ["a", "", "b"]),
        ({"Fn::Select": [1, {"Ref": "Regions"}]}, "us-east-1"),
        ({"Fn::Select": ["0", ["a", "b"]]}, "a"),
        ({"Fn::Select": [2, {"Fn::Split": [",", {"Fn::Sub": "${App},x,,"}]}]}, ""),
        ({"Fn::FindInMap": ["Sets", {"Ref": "AWS::Region"}, "set"]}, "EU"),
        ({"Fn::FindInMap": ["Sets", "eu-west-2", "peers"]}, ["eu-west-1", "eu-west-3"]),
        ({"Fn::Base64": {"Ref": "App"}}, "ZGVtbw=="),
        ({"Fn::If": ["Here", {"Ref": "App"}, "no"]}, "demo"),
        ({"Fn::If": ["There", {"Fn::GetAtt": "Gone.Arn"}, "no"]}, "no"),
        ({"a": {"Fn::If": ["There", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        (["x", {"Ref": "AWS::NoValue"}, "y"], ["x", "y"]),
        ({"Condition": {"StringEquals": {"k": {"Ref": "App"}}}},
         {"Condition": {"StringEquals": {"k": "demo"}}}),
        ({"Condition": "not a function here"}, {"Condition": "not a function here"}),
    ],
)  # fmt: skip
def test_a_function_gives(value: Any, expected: Any) -> None:
    assert evaluated(value) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Fn::Equals": [{"Ref": "Count"}, 3]}, True),  # all values are text
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": ["a", "A"]}, False),
        ({"Fn::And": [{"Condition": "Here"}, {"Fn::Equals": ["a", "a"]}]}, True),
        ({"Fn::And": [{"Condition": "Here"}, {"Condition": "There"}]}, False),
        ({"Fn::Or": [{"Condition": "Here"}, {"Condition": "There"}]}, True),
        ({"Fn::Not": [{"Condition": "Here"}]}, False),
        ({"Condition": "There"}, False),
    ],
)
def test_a_condition_holds(condition: Any, expected: bool) -> None:
    assert holds(condition) is expected


@pytest.mark.parametrize(
    "name",
    [
        "Fn::Cidr",
        "Fn::ForEach",
        "Fn::GetAZs",
        "Fn::ImportValue",
        "Fn::Length",
        "Fn::ToJsonString",
        "Fn::Transform",
    ],
)
def test_a_function_that_is_not_evaluated_is_refused_by_name_and_place(name: str) -> None:
    with pytest.raises(
        TemplateError, match=rf"Resources\.R\.Properties\.a\[1\]: .* not evaluate {name}"
    ):
        evaluated({"a": ["x", {name: ["y"]}]})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Ref": "Nothing"}, "no parameter or resource Nothing in this stack"),
        ({"Fn::Sub": "${Nothing}"}, "no parameter or resource Nothing"),
        ({"Fn::Sub": "${Regions}"}, "is no text"),
        ({"Fn::GetAtt": "Bus.Colour"}, r"no attribute Colour of Bus \(AWS::Events::EventBus\)"),
        ({"Fn::Select": [2, ["a", "b"]]}, "Fn::Select of 2"),
        ({"Fn::Select": [-1, ["a", "b"]]}, "Fn::Select of -1"),
        ({"Fn::Select": [0, "abc"]}, "Fn::Select"),
        ({"Fn::Join": ["-", "abc"]}, "which is no list"),
        ({"Fn::If": ["Here", "x"]}, "Fn::If takes 3 values"),
        ({"Fn::FindInMap": ["Sets", "us-east-1", "set"]}, r"no Sets\.us-east-1\.set in Mappings"),
    ],
)
def test_a_mistake_is_told_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(TemplateError, match=r"^Resources\.R\.Properties\.p: .*" + said):
        evaluated({"p": value})


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"Condition": "C"}, r"Conditions\.C: it refers to itself"),
        ({"Condition": "Nowhere"}, r"Conditions\.Nowhere: there is no such condition"),
        ({"Fn::And": [{"Condition": "Here"}]}, "Fn::And takes 2 to 10"),
        ({"Ref": "App"}, "neither true nor false"),
    ],
)
def test_a_condition_that_is_none_is_told(condition: Any, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        holds(condition)


def test_dependencies_are_found_wherever_they_hide() -> None:
    value = {
        "a": {"Fn::If": ["Here", {"Ref": "R1"}, {"Fn::GetAtt": ["R2", "Arn"]}]},
        "b": [{"Fn::Sub": ["${R3.Arn} ${Local} ${!R9}", {"Local": {"Ref": "R4"}}]}],
        "c": {"Fn::GetAtt": "R5.Arn"},
    }

    assert references(value) == {"R1", "R2", "R3", "R4", "R5"}
