"""JSONata as Step Functions runs it, where moto's interpreter cannot be asked.

Expectations are from the developer guide's page on transforming data with JSONata.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.asl.ours import EPOCH, Bench, machine, task
from tests.asl.scripts import Throw


def _value(expression: str, given: Any = None, seed: int = 1) -> Any:
    state = {"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}, "End": True}
    execution = Bench(seed=seed).finish(machine({"A": state}), given)
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output["v"]


def _cause(expression: str, given: Any = None) -> str:
    state = {"Type": "Pass", "Output": {"v": f"{{% {expression} %}}"}, "End": True}
    execution = Bench().finish(machine({"A": state}), given)
    assert execution.error == "States.QueryEvaluationError"
    assert execution.cause is not None
    return execution.cause


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
        ("SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ],
)
def test_hash_gives_the_hex_digest(algorithm: str, digest: str) -> None:
    assert _value(f"$hash('abc', '{algorithm}')") == digest


def test_hash_knows_the_long_algorithms() -> None:
    assert _value("[$length($hash('abc','SHA-384')), $length($hash('abc','SHA-512'))]") == [96, 128]


def test_hash_refuses_an_algorithm_it_does_not_know() -> None:
    assert "CRC32" in _cause("$hash('abc', 'CRC32')")


def test_uuid_gives_a_version_4_uuid_from_the_worlds_chance() -> None:
    assert uuid.UUID(_value("$uuid()")).version == 4
    assert _value("$uuid()") == _value("$uuid()")
    assert _value("$uuid()") != _value("$uuid()", seed=2)


def test_random_draws_from_the_worlds_chance_or_from_a_seed() -> None:
    assert 0 <= _value("$random()") < 1
    assert _value("$random()") != _value("$random()", seed=2)
    assert _value("$random(7)") == _value("$random(7)", seed=2)


def test_now_and_millis_tell_simulated_time() -> None:
    bench = Bench()
    states = {
        "W": {"Type": "Wait", "Seconds": 90, "Next": "A"},
        "A": {"Type": "Pass", "Output": ["{% $millis() %}", "{% $now() %}"], "End": True},
    }

    execution = bench.finish(machine(states))

    assert execution.output == [(EPOCH + 90) * 1000, "2026-01-01T00:01:30.000Z"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$partition([1,2,3,4,5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1,2], 2.9)", [[1, 2]]),
        ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
        ("$range(0, 9, 4)", [0, 4, 8]),
        ("$range(7, 7, 1)", 7),
        ("$parse('[1, null]')", [1, None]),
        ("$parse('null')", None),
        ("6 / 4", 1.5),
        ("6 / 3", 2),
        ("$exists($states.input.none)", True),
        ("$type($states.input.none)", "null"),
        ("$states.context.Map", "none"),
    ],
)
def test_values(expression: str, value: Any) -> None:
    if value == "none":
        assert "returned nothing" in _cause(expression)
    else:
        assert _value(expression, {"none": None}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.absent",
        "$partition([], 2)",
        "$partition([1], 0)",
        "$range(1, 5)",
        "$range(1, 5, -1)",
        "$hash('abc')",
        "$unassigned",
    ],
)
def test_an_expression_that_gives_nothing_fails_and_says_where(expression: str) -> None:
    assert _cause(expression) == (
        "An error occurred while executing the state 'A' (entered at the event id #2). "
        f"The JSONata expression '{expression}' specified for the field 'Output/v' "
        "returned nothing (undefined)."
    )


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("$sum(['a'])", "threw an error during evaluation"),
        ("1 / 0", "threw an error during evaluation"),
        ("$parse('{')", "threw an error during evaluation"),
        ("$error('told')", "told"),
        ("1 + 'a'", "threw an error during evaluation"),
        ("$sum", "unsupported result type"),
        ("function($x) { $x }", "unsupported result type"),
        ("($f := function($n) { 1 + $f($n + 1) }; $f(1))", "threw an error"),
    ],
)
def test_an_expression_that_fails_names_itself(expression: str, words: str) -> None:
    cause = _cause(expression)

    assert f"'{expression}'" in cause
    assert words in cause


def test_assign_and_output_both_see_the_variables_as_they_were_at_entry() -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"x": 1, "y": 10}, "Next": "B"},
        "B": {
            "Type": "Pass",
            "Assign": {"x": "{% $y %}", "y": "{% $x %}"},
            "Output": "{% $x %}",
            "Next": "C",
        },
        "C": {
            "Type": "Pass",
            "Output": {"in": "{% $states.input %}", "x": "{% $x %}", "y": "{% $y %}"},
            "End": True,
        },
    }

    assert Bench().finish(machine(states)).output == {"in": 1, "x": 10, "y": 1}


def test_a_variable_may_be_null() -> None:
    states = {
        "A": {"Type": "Pass", "Assign": {"x": None}, "Next": "B"},
        "B": {"Type": "Pass", "Output": {"x": "{% $x %}"}, "End": True},
    }

    assert Bench().finish(machine(states)).output == {"x": None}


@pytest.mark.parametrize("field", ["Output", "Assign", "Arguments"])
def test_a_tasks_own_catch_takes_an_expression_that_fails(field: str) -> None:
    broken = {"v": "{% $states.input.absent %}"}
    catch = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "C"}]
    states = {
        "A": task(**{field: broken, "Catch": catch}, End=True),
        "C": {"Type": "Pass", "End": True},
    }

    execution = Bench({"A": [{}]}).finish(machine(states))

    assert execution.status == "SUCCEEDED"
    assert f"'{field}/v'" in execution.output["Cause"]


def test_a_catch_whose_own_output_fails_fails_the_state() -> None:
    catch = [{"ErrorEquals": ["Boom"], "Output": "{% $absent %}", "Next": "C"}]
    states = {"A": task(Catch=catch, End=True), "C": {"Type": "Pass", "End": True}}

    execution = Bench({"A": [Throw("Boom")]}).finish(machine(states))

    assert execution.error == "States.QueryEvaluationError"
    assert "'Catch[0]/Output'" in (execution.cause or "")


@pytest.mark.parametrize(
    ("state", "field", "wanted"),
    [
        (
            {"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "B"}], "Default": "B"},
            "Choices[0]/Condition",
            "boolean",
        ),
        ({"Type": "Wait", "Seconds": "{% 'a' %}", "Next": "B"}, "Seconds", "number"),
        ({"Type": "Wait", "Timestamp": "{% 1 %}", "Next": "B"}, "Timestamp", "string"),
        (
            {
                "Type": "Map",
                "Items": "{% 1 %}",
                "ItemProcessor": {"StartAt": "X", "States": {"X": {"Type": "Succeed"}}},
                "Next": "B",
            },
            "Items",
            "array",
        ),
    ],
)
def test_a_result_of_the_wrong_type_is_told(state: Any, field: str, wanted: str) -> None:
    execution = Bench().finish(machine({"A": state, "B": {"Type": "Succeed"}}))

    assert execution.error == "States.QueryEvaluationError"
    assert f"'{field}' returned an unexpected result type. Expected '{wanted}'" in (
        execution.cause or ""
    )


def test_the_retry_count_tells_how_often_a_task_was_tried_again() -> None:
    bench = Bench({"A": [Throw("Boom"), Throw("Boom"), {}]})
    arguments = {"FunctionName": "f", "Payload": "{% $states.context.State.RetryCount %}"}
    states = {"A": task(Retry=[{"ErrorEquals": ["Boom"]}], End=True) | {"Arguments": arguments}}

    bench.finish(machine(states))

    assert [request.arguments["Payload"] for request in bench.runner.requests] == [0, 1, 2]


def test_a_function_called_by_its_arn_gets_the_input_and_gives_its_payload() -> None:
    resource = "arn:aws:lambda:eu-west-2:123456789012:function:f"
    bench = Bench({"A": [{"n": 1}]})
    state = {"Type": "Task", "Resource": resource, "End": True}

    execution = bench.finish(machine({"A": state}), {"in": 1})

    assert bench.runner.requests[0].arguments == {"in": 1}
    assert execution.output == {"n": 1}
    kinds = [event["type"] for event in execution.history.events]
    assert kinds[2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
