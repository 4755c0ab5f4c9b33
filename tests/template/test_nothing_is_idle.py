"""Nothing can be taken away from the template without a test of this folder failing.

Each mutation is made in plain CloudFormation, where SAM has written out a route's permission
and a trigger's role; the other tests of the folder are then run against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.template.expectations import Expectations, Place, lacking, places, plain_template

pytestmark = pytest.mark.xdist_group("nothing is idle")

Parts = Callable[[Mapping[str, Any]], Iterator[Place]]


def of_type(kind: str, template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Resources of a type: name, properties."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def resources(template: Mapping[str, Any]) -> Iterator[Place]:
    for name in template["Resources"]:
        yield ("Resources", name)


def statements(template: Mapping[str, Any]) -> Iterator[Place]:
    """Every statement of every role, and each condition and single action of it."""
    for name, role in of_type("AWS::IAM::Role", template):
        for place in places(role.get("Policies", [])):
            *_, before, last = (None, *place)
            if before in ("Statement", "Action") or last == "Condition":
                yield ("Resources", name, "Properties", "Policies", *place)


def rules(template: Mapping[str, Any]) -> Iterator[Place]:
    """Every target of every rule, what it matches, and where what it cannot deliver goes."""
    for name, rule in of_type("AWS::Events::Rule", template):
        for place in places(rule):
            if place[-1] in (0, "DeadLetterConfig", "RoleArn", "detail", "detail-type", "source"):
                yield ("Resources", name, "Properties", *place)


def permissions(template: Mapping[str, Any]) -> Iterator[Place]:
    for name, permission in of_type("AWS::Lambda::Permission", template):
        for key in permission:
            if key != "Action":  # without it CloudFormation refuses the template
                yield ("Resources", name, "Properties", key)


def routes(template: Mapping[str, Any]) -> Iterator[Place]:
    for name, api in of_type("AWS::ApiGatewayV2::Api", template):
        for path in api["Body"]["paths"]:
            yield ("Resources", name, "Properties", "Body", "paths", path)


def event_sources(template: Mapping[str, Any]) -> Iterator[Place]:
    for name, mapping in of_type("AWS::Lambda::EventSourceMapping", template):
        for key in mapping:
            if key != "BatchSize":  # a matter of cost
                yield ("Resources", name, "Properties", key)


def switches(template: Mapping[str, Any]) -> Iterator[Place]:
    """What takes a Region out of DNS: each setting and child of each check, and the records."""
    for name, check in of_type("AWS::Route53::HealthCheck", template):
        for place in places(check["HealthCheckConfig"]):
            if len(place) <= 2:
                yield ("Resources", name, "Properties", "HealthCheckConfig", *place)
    for name, record in of_type("AWS::Route53::RecordSet", template):
        for key in record:
            yield ("Resources", name, "Properties", key)


@pytest.mark.parametrize(
    "parts", [resources, statements, rules, permissions, routes, event_sources, switches]
)
def test_a_test_fails_for_each_part_that_is_taken_away(parts: Parts) -> None:
    template, expectations = plain_template(), Expectations()
    taken = list(parts(template))

    assert taken != []
    assert [p for p in taken if expectations.broken_by(lacking(template, p)) is None] == []
    assert expectations.broken_by(template) is None
