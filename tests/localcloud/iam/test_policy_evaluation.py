"""What a role's policies allow: IAM's evaluation, statement by statement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.iam.patterns import PolicyUnknownError
from localcloud.iam.policy import Needed, Verdict, judge, statements_of

TABLE = "arn:aws:dynamodb:eu-west-2:123456789012:table/demo-data"


def judged(needed: Needed, *statements: dict[str, Any]) -> Verdict:
    """The verdict of one policy of these statements."""
    return judge(statements_of("p", json.dumps({"Statement": list(statements)})), needed)


def allow(action: Any = "dynamodb:GetItem", resource: Any = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "dynamodb:GetItem", resource: Any = TABLE, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


READ = Needed("dynamodb:GetItem", TABLE)


def test_what_no_statement_allows_is_denied() -> None:
    verdict = judged(READ, allow("dynamodb:PutItem"))

    assert verdict == Verdict(False, "no identity-based policy allows the dynamodb:GetItem action")


def test_an_explicit_deny_wins_over_any_allow_and_is_named() -> None:
    verdict = judged(READ, allow("*", "*"), deny(Sid="NotThisOne"), allow())

    assert verdict == Verdict(False, "policy p, statement NotThisOne denies it explicitly")


def test_an_allowing_statement_is_named_even_without_a_sid() -> None:
    assert judged(READ, allow(Sid="")) == Verdict(True, "policy p, statement 1 allows it")


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("dynamodb:GetItem", TABLE, True),
        ("DynamoDB:getitem", TABLE, True),  # actions know no case
        ("dynamodb:Get*", TABLE, True),
        ("dynamodb:?etItem", TABLE, True),
        ("dynamodb:Get", TABLE, False),
        ("dynamodb:[G]etItem", TABLE, False),  # brackets are no wildcard
        (["sqs:SendMessage", "dynamodb:GetItem"], ["*"], True),
        ("*", "*", True),
        ("dynamodb:GetItem", TABLE.upper(), False),  # resources know case
        ("dynamodb:GetItem", TABLE + "/index/history", False),
        ("dynamodb:GetItem", "arn:aws:dynamodb:*:123456789012:table/demo-*", True),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-*-2:123456789012:table/demo-data", True),
        ("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/demo-data", False),
        ("dynamodb:GetItem", "arn:aws:dynamodb:*", True),  # the last * goes on over colons
        ("dynamodb:GetItem", "arn:aws:dyn*o-data", False),  # one in a part's middle does not
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-2?123456789012:table/demo-data", False),
    ],
)
def test_actions_and_resources_match_by_wildcards(
    action: Any, resource: Any, allowed: bool
) -> None:
    assert judged(READ, allow(action, resource)).allowed is allowed


def test_not_action_and_not_resource_speak_of_everything_else() -> None:
    everything_but_writes = {
        "Effect": "Allow",
        "NotAction": "dynamodb:Put*",
        "NotResource": "arn:aws:dynamodb:*:*:table/secret",
    }

    assert judged(READ, everything_but_writes).allowed
    assert not judged(Needed("dynamodb:PutItem", TABLE), everything_but_writes).allowed
    secret = "arn:aws:dynamodb:eu-west-2:123456789012:table/secret"
    assert not judged(Needed("dynamodb:GetItem", secret), everything_but_writes).allowed


def test_a_policy_variable_stands_for_the_requests_own_value() -> None:
    own = allow(resource="arn:aws:dynamodb:${aws:RequestedRegion}:123456789012:table/demo-data")

    here = Needed(READ.action, TABLE, {"aws:RequestedRegion": ("eu-west-2",)})
    elsewhere = Needed(READ.action, TABLE, {"aws:RequestedRegion": ("us-east-1",)})
    assert judged(here, own).allowed
    assert not judged(elsewhere, own).allowed


def test_what_a_variable_puts_in_is_no_wildcard() -> None:
    asked = Needed(READ.action, TABLE, {"aws:RequestedRegion": ("*",)})

    assert not judged(
        asked, allow(resource=TABLE.replace("eu-west-2", "${aws:RequestedRegion}"))
    ).allowed


def test_a_variable_falls_back_to_its_default() -> None:
    statement = allow(resource=TABLE.replace("demo", "${aws:PrincipalTag/app, 'demo'}"))

    assert judged(READ, statement).allowed


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (allow(Condition={"DateLessThan": {"aws:SourceArn": "x"}}), "DateLessThan"),
        (allow(Condition={"StringEquals": {"aws:UserAgent": "x"}}), "aws:UserAgent"),
        (allow(Condition={"ForSomeValues:StringLike": {"aws:SourceArn": "x"}}), "ForSomeValues"),
        (allow(resource=TABLE + "${aws:username}"), "aws:username"),
        (allow() | {"Principal": "*"}, "Principal"),
        (allow() | {"Effect": "Perhaps"}, "Perhaps"),
        ({"Effect": "Allow", "Action": "*"}, "NotResource"),
    ],
)
def test_what_is_not_known_is_an_error_that_names_it(statement: dict[str, Any], named: str) -> None:
    with pytest.raises(PolicyUnknownError, match=named):
        judged(READ, statement)


# -- whatever the policy -------------------------------------------------------------------------

ACTIONS = st.sampled_from(["dynamodb:GetItem", "dynamodb:*", "dynamodb:Put*", "sqs:*", "*"])
RESOURCES = st.sampled_from([TABLE, TABLE + "*", "arn:aws:sqs:*:*:*", "*"])
CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:RequestedRegion": "eu-west-2"}},
        {"StringNotLike": {"aws:RequestedRegion": "eu-*"}},
        {"Null": {"dynamodb:LeadingKeys": "true"}},
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["probe", "fault"]}},
    ]
)


@st.composite
def statements(draw: st.DrawFn, effect: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Action", "NotAction"]))
    on = draw(st.sampled_from(["Resource", "NotResource"]))
    made = {"Effect": effect, kind: draw(ACTIONS), on: draw(RESOURCES)}
    return made | {"Condition": draw(CONDITIONS)}


REQUESTS = st.builds(
    Needed,
    st.sampled_from(["dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"]),
    st.sampled_from([TABLE, TABLE + "/index/i", "arn:aws:sqs:eu-west-2:123456789012:q", "*"]),
    st.fixed_dictionaries(
        {"aws:RequestedRegion": st.sampled_from([("eu-west-2",), ("us-east-1",)])},
        optional={"dynamodb:LeadingKeys": st.sampled_from([("probe",), ("probe", "message")])},
    ),
)
ALLOWS = st.lists(statements("Allow"), max_size=4)
DENIES = st.lists(statements("Deny"), max_size=3)


@given(ALLOWS, DENIES, statements("Deny"), REQUESTS)
def test_adding_a_deny_never_widens(
    allows: list[dict[str, Any]],
    denies: list[dict[str, Any]],
    one_more: dict[str, Any],
    needed: Needed,
) -> None:
    before = judged(needed, *allows, *denies)
    after = judged(needed, *allows, *denies, one_more)

    assert before.allowed or not after.allowed


@given(DENIES, statements("Allow"), REQUESTS)
def test_removing_the_only_allow_always_denies(
    denies: list[dict[str, Any]], only: dict[str, Any], needed: Needed
) -> None:
    policy = [*denies, only]
    policy.remove(only)

    assert not judged(needed, *policy).allowed


@given(ALLOWS, DENIES, REQUESTS)
def test_the_order_of_statements_does_not_matter(
    allows: list[dict[str, Any]], denies: list[dict[str, Any]], needed: Needed
) -> None:
    forwards, backwards = [*allows, *denies], [*denies, *reversed(allows)]

    assert judged(needed, *forwards).allowed is judged(needed, *backwards).allowed
