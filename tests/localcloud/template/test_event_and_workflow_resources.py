"""State machines and rules, by AWS's own APIs."""

from __future__ import annotations

import json

import boto3
import pytest

from localcloud.template.errors import TemplateError
from tests.localcloud.template.stacks import MACHINE, REGION, Deploy, of, role

QUEUE = "arn:aws:sqs:eu-west-2:123456789012:unsent"


def test_a_machines_substitutions_are_made(stack_of: Deploy) -> None:
    text = '{"StartAt": "Go", "States": {"Go": {"Type": "Pass", "Comment": "${Bus}", "End": true}}}'
    machine = MACHINE | {
        "Properties": MACHINE["Properties"]
        | {"DefinitionString": text, "DefinitionSubstitutions": {"Bus": 'a "bus"'}}
    }

    (made,) = stack_of({"Role": role("states"), "M": machine}).machines

    assert json.loads(made.definition)["States"]["Go"]["Comment"] == 'a "bus"'
    assert not made.express


def test_a_substitution_that_is_not_given_is_an_error(stack_of: Deploy) -> None:
    machine = MACHINE | {"Properties": MACHINE["Properties"] | {"DefinitionString": "${Bus}"}}

    with pytest.raises(TemplateError, match=r"M: nothing is given for \$\{Bus\}"):
        stack_of({"Role": role("states"), "M": machine})


def test_a_rule_on_a_bus_of_its_own_is_there_with_its_targets(stack_of: Deploy) -> None:
    target = {"Id": "q", "Arn": QUEUE, "RetryPolicy": {"MaximumRetryAttempts": "4"}}
    stack = stack_of(
        {
            "Bus": of("AWS::Events::EventBus", Name="demo"),
            "Rule": of(
                "AWS::Events::Rule",
                Name="written",
                EventBusName={"Ref": "Bus"},
                EventPattern={"source": ["sidestep.api"]},
                Targets=[target],
            ),
        }
    )

    assert stack.resources["Rule"].physical_id == "demo|written"
    events = boto3.client("events", region_name=REGION)
    told = events.list_targets_by_rule(Rule="written", EventBusName="demo")["Targets"]
    assert told == [target | {"RetryPolicy": {"MaximumRetryAttempts": 4}}]
