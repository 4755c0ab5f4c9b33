"""A stack's parameters: what is taken, and what is refused with the parameter's name."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.template.errors import TemplateError
from localcloud.template.parameters import parameters


@pytest.mark.parametrize(
    ("declared", "given", "expected"),
    [
        ({"Type": "String"}, "a", "a"),
        ({"Type": "String", "Default": ""}, None, ""),
        ({"Type": "String", "Default": "a"}, "b", "b"),
        ({"Type": "String", "Default": True}, None, "true"),
        ({"Type": "Number", "Default": 3}, None, "3"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": 10}, "10", "10"),
        ({"Type": "String", "AllowedValues": ["a", 1]}, "1", "1"),
        ({"Type": "String", "AllowedPattern": "[a-z]+(,[a-z]+)*"}, "a,b", "a,b"),
        ({"Type": "CommaDelimitedList"}, "a, b,c", ["a", "b", "c"]),
        ({"Type": "List<Number>"}, "1,2", ["1", "2"]),
    ],
)
def test_a_parameter_is_taken(declared: dict[str, Any], given: str | None, expected: Any) -> None:
    assert parameters({"P": declared}, {} if given is None else {"P": given}) == {"P": expected}


@pytest.mark.parametrize(
    ("declared", "given", "said"),
    [
        ({"Type": "String"}, None, "no default and was not given"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "'c' is none of a, b"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "a1", r"must match \[a-z\]\+"),
        ({"Type": "String", "AllowedPattern": "a", "ConstraintDescription": "say a"}, "b", "say a"),
        ({"Type": "String", "MaxLength": 2}, "abc", "outside None to 2"),
        ({"Type": "Number"}, "ten", "'ten' is no number"),
        ({"Type": "Number", "MinValue": 1}, "0", "outside 1 to None"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,c", "'c' is none of a, b"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "x", "AWS::SSM::Parameter::Value<String>"),
        ({"Type": "String", "AllowedRegex": "x"}, "x", "does not know AllowedRegex"),
    ],
)
def test_a_parameter_is_refused_by_name(
    declared: dict[str, Any], given: str | None, said: str
) -> None:
    with pytest.raises(TemplateError, match=rf"Parameters\.P: .*{said}"):
        parameters({"P": declared}, {} if given is None else {"P": given})


def test_a_parameter_that_the_template_lacks_is_refused() -> None:
    with pytest.raises(TemplateError, match="no parameter Colour"):
        parameters({"P": {"Type": "String"}}, {"P": "a", "Colour": "red"})
