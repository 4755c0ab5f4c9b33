"""Whom a function lets in: one service, for one action, on behalf of one source."""

from __future__ import annotations

import pytest

from localcloud.services.resource_policies import ResourcePolicies

FUNCTION = "arn:aws:lambda:eu-west-2:123456789012:function:f"
RULE = "arn:aws:events:eu-west-2:123456789012:rule/bus/written"
EVENTS, INVOKE = "events.amazonaws.com", "lambda:InvokeFunction"


@pytest.fixture
def policies() -> ResourcePolicies:
    made = ResourcePolicies()
    made.add_permission(FUNCTION, EVENTS, INVOKE, RULE)
    return made


def test_the_permitted_service_may_do_the_permitted_thing_for_the_permitted_source(
    policies: ResourcePolicies,
) -> None:
    assert policies.allows(EVENTS, INVOKE, FUNCTION, RULE)


@pytest.mark.parametrize(
    ("principal", "action", "function", "source"),
    [
        ("apigateway.amazonaws.com", INVOKE, FUNCTION, RULE),
        (EVENTS, "lambda:UpdateFunctionCode", FUNCTION, RULE),
        (EVENTS, INVOKE, f"{FUNCTION}2", RULE),
        (EVENTS, INVOKE, FUNCTION, f"{RULE}-2"),
        (EVENTS, INVOKE, FUNCTION, RULE.replace("eu-west-2", "us-east-1")),
    ],
)
def test_nobody_else_nothing_else_and_for_nobody_else(
    policies: ResourcePolicies, principal: str, action: str, function: str, source: str
) -> None:
    assert not policies.allows(principal, action, function, source)


def test_without_a_source_the_permission_is_for_all_of_the_services_resources() -> None:
    policies = ResourcePolicies()
    policies.add_permission(FUNCTION, EVENTS, INVOKE)

    assert policies.allows(EVENTS, INVOKE, FUNCTION, RULE)
    assert policies.allows(EVENTS, INVOKE, FUNCTION, f"{RULE}-2")


def test_a_wildcard_in_the_source_stands_for_any_part() -> None:
    policies = ResourcePolicies()
    api = "arn:aws:execute-api:eu-west-2:123456789012:abc"
    policies.add_permission(FUNCTION, "apigateway.amazonaws.com", INVOKE, f"{api}/*/GET/drained/*")

    def may(route: str) -> bool:
        return policies.allows(
            "apigateway.amazonaws.com", INVOKE, FUNCTION, f"{api}/$default/{route}"
        )

    assert may("GET/drained/{region}")
    assert not may("POST/messages")
