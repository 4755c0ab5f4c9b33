"""A definition that Step Functions would refuse, or that is not run here, is refused by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.asl import DefinitionError, load
from localcloud.asl.fields import JSONPATH_FIELDS, NOT_RUN_HERE
from tests.asl.cases import CASES
from tests.asl.ours import machine, task

END = {"Type": "Pass", "End": True}
CHOICE = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "B"}]}
PARALLEL = {"Type": "Parallel", "Branches": [{"StartAt": "X", "States": {"X": END}}], "End": True}
MAP = {"Type": "Map", "ItemProcessor": {"StartAt": "X", "States": {"X": END}}, "End": True}
DISTRIBUTED = {
    **MAP,
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED"},
        "StartAt": "X",
        "States": {"X": END},
    },
}
SHADOWING = {"StartAt": "X", "States": {"X": {**END, "Assign": {"v": 2}}}}
RICH = machine(
    {
        "T": task(
            Retry=[{"ErrorEquals": ["Boom"]}],
            Catch=[{"ErrorEquals": ["Boom"], "Next": "C"}],
            Next="C",
        ),
        "C": {**CHOICE, "Choices": [{"Condition": "{% true %}", "Next": "P"}], "Default": "W"},
        "P": {**PARALLEL, "Branches": [{"StartAt": "X", "States": {"X": END}}]},
        "W": {"Type": "Wait", "Seconds": 1, "Next": "M"},
        "M": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Y",
                "States": {"Y": END},
            },
            "Next": "S",
        },
        "S": {"Type": "Succeed"},
    }
)


def _refusal(definition: Any, *, express: bool = False) -> DefinitionError:
    with pytest.raises(DefinitionError) as refused:
        load(definition, express=express)
    return refused.value


def _objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the objects with fields are; States and templates hold names of the author's."""
    if isinstance(value, dict):
        if path[-1:] != ("States",):
            yield path
        for key, item in value.items():
            if key not in ("Arguments", "Output", "Assign", "ItemSelector"):
                yield from _objects(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _objects(item, (*path, index))


PLACES = list(_objects(RICH))
KNOWN = {
    "Assign", "Arguments", "Branches", "BackoffRate", "Catch", "Cause", "Choices", "Comment",
    "Condition", "Default", "End", "Error", "ErrorEquals", "HeartbeatSeconds", "IntervalSeconds",
    "ItemProcessor", "ItemSelector", "Items", "JitterStrategy", "MaxAttempts", "MaxConcurrency",
    "MaxDelaySeconds", "Mode", "Next", "Output", "ProcessorConfig", "QueryLanguage", "Resource",
    "Retry", "Seconds", "StartAt", "States", "TimeoutSeconds", "Timestamp",
    "ToleratedFailureCount", "ToleratedFailurePercentage", "Type", "Version",
}  # fmt: skip


@given(
    place=st.sampled_from(PLACES),
    field=st.text(min_size=1, max_size=20).filter(lambda name: name not in KNOWN)
    | st.sampled_from(sorted(JSONPATH_FIELDS | NOT_RUN_HERE)),
    value=st.none() | st.integers() | st.text(max_size=5) | st.just({}),
)
def test_an_unknown_field_anywhere_is_refused_by_name(
    place: tuple[Any, ...], field: str, value: Any
) -> None:
    definition: Any = copy.deepcopy(RICH)
    target = definition
    for step in place:
        target = target[step]
    target[field] = value

    refused = _refusal(definition)

    assert f"'{field}'" in refused.message
    assert refused.location.endswith(f"/{field}")


def test_the_definition_without_the_unknown_field_loads() -> None:
    assert set(load(json.dumps(RICH)).flow.states) == {"T", "C", "P", "W", "M", "S"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_runs_on_step_functions_loads_from_text(case: Any) -> None:
    assert load(json.dumps(case.definition)) == load(case.definition)


def _without(definition: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if name != field}


SIMPLE = machine({"A": END})


@pytest.mark.parametrize(
    ("definition", "words", "location"),
    [
        ("{", "not JSON", ""),
        ('{"StartAt": "A", "StartAt": "B"}', "'StartAt' stands twice", ""),
        ([], "Expected an object", ""),
        (_without(SIMPLE, "QueryLanguage"), "'QueryLanguage' is missing", ""),
        (SIMPLE | {"QueryLanguage": "JSONPath"}, "JSONPath", "/QueryLanguage"),
        (SIMPLE | {"Version": "2.0"}, "2.0", "/Version"),
        (SIMPLE | {"TimeoutSeconds": 0}, "from 1", "/TimeoutSeconds"),
        (SIMPLE | {"TimeoutSeconds": 1.5}, "whole", "/TimeoutSeconds"),
        (_without(SIMPLE, "StartAt"), "'StartAt' is missing", ""),
        (_without(SIMPLE, "States"), "'States' is missing", ""),
        (machine({"A": END}, start="B"), "no state 'B'", "/StartAt"),
        (machine({}, start="A"), "at least one state", "/States"),
        (machine({"A": {"Type": "Pass", "Next": "B"}}), "no state 'B'", "/States/A"),
        (machine({"A": {"Type": "Dance", "End": True}}), "'Dance'", "/States/A/Type"),
        (machine({"A": {"Type": "Pass"}}), "'Next' and 'End'", "/States/A"),
        (machine({"A": {**END, "Next": "A"}}), "'Next' and 'End'", "/States/A"),
        (machine({"A": {"Type": "Pass", "End": False}}), "true", "/States/A/End"),
        (machine({"A": END, "B": END}), "No state leads to 'B'", "/States/B"),
        (machine({"A": {"Type": "Pass", "Next": "A"}}), "MISSING_END_STATE", "/States"),
        (machine({"A" * 81: END}), "80 characters", f"/States/{'A' * 81}"),
        (machine({"A": CHOICE}), "no state 'B'", "/States/A"),
        (machine({"A": {**CHOICE, "Choices": []}, "B": END}), "not empty", "/States/A/Choices"),
        (
            machine({"A": {**CHOICE, "Choices": [{"Condition": "yes", "Next": "B"}]}, "B": END}),
            "JSONata expression",
            "/States/A/Choices[0]/Condition",
        ),
        (machine({"A": {"Type": "Wait", "End": True}}), "'Seconds' and 'Timestamp'", "/States/A"),
        (
            machine({"A": {"Type": "Wait", "Seconds": -1, "End": True}}),
            "from 0",
            "/States/A/Seconds",
        ),
        (
            machine({"A": {"Type": "Wait", "Timestamp": "tomorrow", "End": True}}),
            "not a timestamp",
            "/States/A/Timestamp",
        ),
        (machine({"A": {**END, "Assign": {"states": 1}}}), "'states'", "/States/A/Assign"),
        (machine({"A": {**END, "Assign": {"a-b": 1}}}), "'a-b'", "/States/A/Assign"),
        (machine({"A": {"Type": "Succeed", "Assign": {}}}), "'Assign'", "/States/A/Assign"),
        (
            machine({"A": task(TimeoutSeconds=5, HeartbeatSeconds=5, End=True)}),
            "smaller than TimeoutSeconds",
            "/States/A/HeartbeatSeconds",
        ),
        (
            machine({"A": DISTRIBUTED}),
            "DISTRIBUTED",
            "/States/A/ItemProcessor/ProcessorConfig/Mode",
        ),
        (machine({"X": PARALLEL}), "Two states are called 'X'", "/States/X/Branches[0]/States/X"),
        (
            machine(
                {
                    "A": {"Type": "Pass", "Assign": {"v": 1}, "Next": "P"},
                    "P": {**PARALLEL, "Branches": [SHADOWING]},
                }
            ),
            "'v'",
            "/States/P/Branches[0]/States/X",
        ),
    ],
)  # fmt: skip
def test_a_broken_definition_is_refused_where_it_is_broken(
    definition: Any, words: str, location: str
) -> None:
    refused = _refusal(definition)

    assert words in refused.message
    assert refused.location == location


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "'ErrorEquals' is missing"),
        ({"ErrorEquals": []}, "not empty"),
        ({"ErrorEquals": ["States.ALL", "Boom"]}, "stand alone"),
        ({"ErrorEquals": ["Boom"], "IntervalSeconds": 0}, "from 1"),
        ({"ErrorEquals": ["Boom"], "MaxAttempts": -1}, "from 0"),
        ({"ErrorEquals": ["Boom"], "BackoffRate": 0.9}, "from 1.0"),
        ({"ErrorEquals": ["Boom"], "IntervalSeconds": 9, "MaxDelaySeconds": 9}, "greater"),
        ({"ErrorEquals": ["Boom"], "JitterStrategy": "SOME"}, "SOME"),
        ({"ErrorEquals": ["Boom"], "MaxAttempts": "{% 3 %}"}, "number"),
    ],
)
def test_a_broken_retrier_is_refused(entry: Any, words: str) -> None:
    assert words in _refusal(machine({"A": task(Retry=[entry], End=True)})).message


def test_all_must_be_the_last_retrier() -> None:
    retry = [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["Boom"]}]

    assert "last" in _refusal(machine({"A": task(Retry=retry, End=True)})).message


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("${Function}", "'${Function}' is not supported"),
        ("arn:aws:states:::batch:submitJob", "'batch:submitJob'"),
        ("arn:aws:states:::aws-sdk:dynamodb:dance", "'dance'"),
        ("arn:aws:states:::aws-sdk:dynamo:getItem", "'dynamo'"),
        ("arn:aws:states:::aws-sdk:sfn:startExecution.sync:2", "'.sync:2'"),
        ("arn:aws:states:::sqs:sendMessage.sync", "'.sync'"),
        ("arn:aws:states:::lambda:invoke.later", "'.later'"),
        ("arn:aws:states:eu-west-2:123456789012:activity:a", "activity"),
    ],
)
def test_a_resource_that_is_not_run_here_is_refused_by_name(resource: str, words: str) -> None:
    refused = _refusal(machine({"A": {**task(End=True), "Resource": resource}}))

    assert words in refused.message
    assert refused.location == "/States/A/Resource"


@pytest.mark.parametrize("pattern", ["sync", "sync:2", "waitForTaskToken"])
def test_an_express_machine_cannot_wait_for_others(pattern: str) -> None:
    resource = f"arn:aws:states:::states:startExecution.{pattern}"
    definition = machine({"A": {**task(End=True), "Resource": resource}})

    load(definition)
    assert f"'.{pattern}'" in _refusal(definition, express=True).message


def test_an_express_machine_has_five_minutes_at_most() -> None:
    assert "300" in _refusal(SIMPLE | {"TimeoutSeconds": 301}, express=True).message


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("$", "'$'"),
        ("$$.a", "'$$'"),
        ("name", "'name'"),
        ("$map($states.input, function($v) { name })", "'name'"),
        ("$states.result", "'$states.result'"),
        ("$states.errorOutput.Error", "'$states.errorOutput'"),
        ("$states.inptu", "'$states.inptu'"),
        ("$eval('1')", "'$eval'"),
        ("$nope(1)", "'$nope'"),
        ("1 +", "INVALID_JSONATA_EXPRESSION"),
    ],
)
def test_an_expression_that_can_never_work_is_refused(expression: str, words: str) -> None:
    refused = _refusal(machine({"A": {**END, "Output": {"v": [f"{{% {expression} %}}"]}}}))

    assert words in refused.message
    assert refused.location == "/States/A/Output/v[0]"


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.a[b > 1].c",
        "$states.input.a^(>b)",
        "$states.input.a{b: c}",
        "$states.input.a[$ > 1]",
        "($f := function($x) { $x }; $f(1))",
        "$map([1], $string)",
        "$variable.of.ours",
        "$states.input ~> | a | {'b': c} |",
    ],
)
def test_an_expression_with_a_context_of_its_own_is_taken(expression: str) -> None:
    load(machine({"A": {**END, "Output": f"{{% {expression} %}}"}}))


@pytest.mark.parametrize("text", ["{% 1", "1 %}", " {% 1 %}", "{% 1 %} ", "{%}"])
def test_an_expression_opens_and_closes_its_string(text: str) -> None:
    assert "expression" in _refusal(machine({"A": {**END, "Output": text}})).message


def test_error_output_is_seen_in_a_catch_only() -> None:
    seen = "{% $states.errorOutput.Error %}"
    catch = [{"ErrorEquals": ["States.ALL"], "Output": seen, "Assign": {"e": seen}, "Next": "B"}]

    load(machine({"A": task(Catch=catch, Next="B"), "B": END}))
    assert "Catch" in _refusal(machine({"A": task(Output=seen, End=True)})).message
