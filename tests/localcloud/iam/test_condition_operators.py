"""IAM's condition operators: a table of what each holds of."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.iam.conditions import conditions
from localcloud.iam.patterns import PolicyUnknownError

REGION = "aws:requestedregion"
KEYS = "dynamodb:leadingkeys"
ARN = "aws:sourcearn"
RULE = "arn:aws:events:eu-west-2:123456789012:rule/demo/each-minute"


def holds(operator: str, key: str, wanted: Any, values: tuple[str, ...] | None) -> bool:
    context = {} if values is None else {key: values}
    return all(one.holds(context) for one in conditions({operator: {key: wanted}}))


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "value", "expected"),
    [
        ("StringEquals", REGION, "eu-west-2", "eu-west-2", True),
        ("StringEquals", REGION, "eu-*", "eu-west-2", False),
        ("StringEquals", REGION, ["us-east-1", "eu-west-2"], "eu-west-2", True),
        ("StringNotEquals", REGION, ["us-east-1", "eu-west-2"], "eu-west-2", False),
        ("StringNotEquals", REGION, ["us-east-1", "us-west-2"], "eu-west-2", True),
        ("StringEqualsIgnoreCase", REGION, "EU-West-2", "eu-west-2", True),
        ("StringNotEqualsIgnoreCase", REGION, "EU-West-2", "eu-west-2", False),
        ("StringLike", REGION, "eu-*-?", "eu-west-2", True),
        ("StringLike", REGION, "eu-[w]*", "eu-west-2", False),
        ("StringLike", REGION, "EU-*", "eu-west-2", False),
        ("StringNotLike", REGION, "us-*", "eu-west-2", True),
        ("ArnLike", ARN, "arn:aws:events:*:123456789012:rule/*", RULE, True),
        ("ArnEquals", ARN, "arn:aws:events:*:123456789012:rule/*", RULE, True),
        ("ArnLike", ARN, "arn:aws:events:*:rule/*", RULE, False),  # five parts are no ARN
        ("ArnLike", ARN, "arn:aws:events:*", RULE, False),  # each part by itself
        ("ArnNotLike", ARN, "arn:aws:sqs:*:*:*", RULE, True),
        ("Bool", "aws:securetransport", True, "true", True),
        ("Bool", "aws:securetransport", "false", "true", False),
        ("NumericEquals", REGION, 10, "10.0", True),
        ("NumericNotEquals", REGION, 10, "11", True),
        ("NumericLessThan", REGION, 10, "10", False),
        ("NumericLessThanEquals", REGION, "10", "10", True),
        ("NumericGreaterThan", REGION, 9, "10", True),
        ("NumericGreaterThanEquals", REGION, 11, "10", False),
        ("NumericLessThan", REGION, 10, "eu-west-2", False),
    ],
)
def test_an_operator_holds_of(
    operator: str, key: str, wanted: Any, value: str, expected: bool
) -> None:
    assert holds(operator, key, wanted, (value,)) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("ArnLike", False),
        ("ArnNotLike", True),
        ("StringEqualsIfExists", True),
        ("NumericLessThan", False),
        ("ForAllValues:StringEquals", True),  # the trap: nothing asked, nothing forbidden
        ("ForAnyValue:StringEquals", False),
        ("ForAnyValue:StringNotEquals", False),
        ("ForAnyValue:StringEqualsIfExists", False),
    ],
)
def test_a_missing_key_holds_only_where_aws_says_so(operator: str, expected: bool) -> None:
    assert holds(operator, REGION, "eu-west-2", None) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "values", "expected"),
    [
        ("ForAllValues:StringEquals", ["probe", "fault"], ("probe",), True),
        ("ForAllValues:StringEquals", ["probe", "fault"], ("probe", "fault"), True),
        ("ForAllValues:StringEquals", ["probe"], ("probe", "message#1"), False),
        ("ForAllValues:StringLike", ["message#*"], ("message#1", "message#2"), True),
        ("ForAllValues:StringNotEquals", ["fault"], ("probe", "fault"), False),
        ("ForAnyValue:StringEquals", ["fault"], ("probe", "fault"), True),
        ("ForAnyValue:StringEquals", ["drained"], ("probe", "fault"), False),
        ("ForAnyValue:StringNotEquals", ["fault"], ("probe", "fault"), True),
        ("ForAnyValue:StringNotEquals", ["fault"], ("fault",), False),
    ],
)
def test_a_quantifier_asks_every_value_or_any(
    operator: str, wanted: list[str], values: tuple[str, ...], expected: bool
) -> None:
    assert holds(operator, KEYS, wanted, values) is expected


@pytest.mark.parametrize(
    ("wanted", "values", "expected"),
    [
        ("true", None, True),
        ("true", ("probe",), False),
        ("false", ("probe",), True),
        (False, None, False),
    ],
)
def test_null_asks_whether_the_key_is_absent(
    wanted: Any, values: tuple[str, ...] | None, expected: bool
) -> None:
    assert holds("Null", KEYS, wanted, values) is expected


def test_key_names_know_no_case() -> None:
    (condition,) = conditions({"StringEquals": {"AWS:SourceArn": RULE}})

    assert condition.holds({"aws:sourcearn": (RULE,)})


def test_several_values_without_a_quantifier_are_not_guessed_at() -> None:
    with pytest.raises(PolicyUnknownError, match="ForAllValues or ForAnyValue"):
        holds("StringEquals", KEYS, "probe", ("probe", "fault"))
