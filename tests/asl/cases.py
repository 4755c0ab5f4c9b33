"""Small state machines, together covering every field that moto's interpreter runs too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.asl.ours import machine, task
from tests.asl.scripts import Throw


@dataclass(frozen=True)
class Case:
    """One definition, its input, and its Tasks' answers.

    `concurrent`: states of different branches interleave as they like.
    """

    name: str
    definition: Mapping[str, Any]
    given: Any = field(default_factory=dict)
    answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    concurrent: bool = False


def _flow(states: Mapping[str, Any], start: str | None = None) -> dict[str, Any]:
    return {"StartAt": start or next(iter(states)), "States": dict(states)}


def _end(kind: str = "Pass", **fields: Any) -> dict[str, Any]:
    return {"Type": kind, "End": True, **fields}


_SHOW = _end(Output="{% $states.input %}")
_BOOM = Throw("Boom", "it broke")
_SENT = "arn:aws:states:::sqs:sendMessage"

_PASS = [
    Case("a Pass gives its input", machine({"A": _end()}), {"a": [1, None, "x"]}),
    Case(
        "Output is a template",
        machine({"A": _end(Output={"n": "{% $states.input.n * 2 %}", "l": [1, "{% 'x' %}"]})}),
        {"n": 21},
    ),
    Case("Output may be any JSON", machine({"A": _end(Output=[1, True, None])})),
    Case(
        "a null is a value",
        machine({"A": _end(Output={"v": "{% $states.input.v %}"})}),
        {"v": None},
    ),
    Case(
        "Assign keeps a value for later states",
        machine(
            {
                "A": {"Type": "Pass", "Assign": {"n": "{% $states.input.n %}"}, "Next": "B"},
                "B": {"Type": "Pass", "Assign": {"n": "{% $n + 1 %}"}, "Next": "C"},
                "C": _end(Output="{% $n %}"),
            }
        ),
        {"n": 1},
    ),
    Case(
        "Comment, Version and a state's QueryLanguage change nothing",
        machine({"A": _end(Comment="a", QueryLanguage="JSONata")}, Comment="c", Version="1.0"),
    ),
    Case(
        "undefined fails the state",
        machine({"A": _end(Output="{% $states.input.nothing %}")}),
    ),
    Case(
        "the context tells of the execution, the machine and the state",
        machine(
            {
                "A": _end(
                    Output={
                        "id": "{% $states.context.Execution.Id %}",
                        "input": "{% $states.context.Execution.Input %}",
                        "name": "{% $states.context.Execution.Name %}",
                        "role": "{% $states.context.Execution.RoleArn %}",
                        "started": "{% $states.context.Execution.StartTime %}",
                        "machine": "{% $states.context.StateMachine %}",
                        "state": "{% $states.context.State.Name %}",
                    }
                )
            }
        ),
        {"x": 1},
    ),
]

_FUNCTIONS = [
    Case(f"JSONata: {expression}", machine({"A": _end(Output=f"{{% {expression} %}}")}), given)
    for expression, given in [
        ("$partition([1,2,3,4,5,6,7], 3)", {}),
        ("$range(0, 10, 2)", {}),
        ("$range(5, 1, -2)", {}),
        ("$parse('{\"a\": [1, 2]}').a", {}),
        ("$merge([$states.input, {'b': 2}])", {"a": 1}),
        ("$states.input.l[v > 1].v", {"l": [{"v": 1}, {"v": 2}, {"v": 3}]}),
        ("$map($states.input, function($x) { $x * 2 })", [1, 2, 3]),
        ("($f := function($x) { $x + 1 }; $f(1))", {}),
        ("$sum($states.input.l.v) / 4", {"l": [{"v": 1}, {"v": 1}]}),
        ("$string(6 / 2) & '!'", {}),
        ("$exists($states.input.a) ? 'yes' : 'no'", {}),
        ("$count($states.input) = 0 or 'a' in ['a']", []),
        ("[$states.input.absent]", {}),
    ]
]

_TASK = [
    Case(
        "a Task gives its result",
        machine({"A": task(End=True)}),
        {},
        {"A": [{"StatusCode": 200, "Payload": {"n": 1}}]},
    ),
    Case(
        "a Task's Output and Assign see the result",
        machine(
            {
                "A": task(
                    Assign={"n": "{% $states.result.Payload.n %}"},
                    Output="{% $merge([$states.input, $states.result.Payload]) %}",
                    Next="B",
                ),
                "B": _end(Output={"n": "{% $n %}", "in": "{% $states.input %}"}),
            }
        ),
        {"a": 1},
        {"A": [{"Payload": {"n": 7}}]},
    ),
    Case(
        "an SDK integration's result comes as it is",
        machine(
            {
                "A": _end(
                    "Task",
                    Resource="arn:aws:states:::aws-sdk:dynamodb:getItem",
                    Arguments={"TableName": "t", "Key": {"pk": {"S": "{% $states.input.k %}"}}},
                    TimeoutSeconds=5,
                )
            }
        ),
        {"k": "x"},
        {"A": [{"Item": {"pk": {"S": "x"}}}]},
    ),
    Case(
        "a nested execution is waited for",
        machine(
            {
                "A": _end(
                    "Task",
                    Resource="arn:aws:states:::states:startExecution.sync:2",
                    Arguments={"StateMachineArn": "arn", "Input": {"a": 1}},
                    Output="{% $states.result.Output %}",
                )
            }
        ),
        {},
        {"A": [{"Status": "SUCCEEDED", "Output": {"b": 2}}]},
    ),
    Case(
        "a token's answer is the result",
        machine(
            {
                "A": _end(
                    "Task",
                    Resource=f"{_SENT}.waitForTaskToken",
                    Arguments={"QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}"},
                    HeartbeatSeconds=5,
                    TimeoutSeconds=10,
                )
            }
        ),
        {},
        {"A": [{"approved": True}]},
    ),
    Case("an error ends the execution", machine({"A": task(End=True)}), {}, {"A": [_BOOM]}),
]


def _retry(*retriers: Mapping[str, Any], name: str, answers: list[Any]) -> Case:
    last = _end(Output={"in": "{% $states.input %}"})
    states = {
        "A": task(
            Retry=list(retriers),
            Output="{% $states.context.State.RetryCount %}",
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            Next="B",
        ),
        "B": last,
        "Caught": last,
    }
    return Case(name, machine(states), {}, {"A": answers})


_OK = {"Payload": 1}
_RETRY = [
    _retry({"ErrorEquals": ["Boom"]}, name="Retry by default: three times", answers=[_BOOM]),
    _retry({"ErrorEquals": ["Boom"]}, name="a retry succeeds", answers=[_BOOM, _BOOM, _OK]),
    _retry({"ErrorEquals": ["Other"]}, name="an uncovered error is not retried", answers=[_BOOM]),
    _retry(
        {"ErrorEquals": ["Boom"], "IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 4},
        name="IntervalSeconds, BackoffRate and MaxAttempts",
        answers=[_BOOM],
    ),
    _retry(
        {"ErrorEquals": ["Boom"], "IntervalSeconds": 2, "MaxDelaySeconds": 5, "MaxAttempts": 5},
        name="MaxDelaySeconds",
        answers=[_BOOM],
    ),
    _retry({"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}, name="ALL", answers=[_BOOM]),
    _retry(
        {"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 2},
        name="TaskFailed covers a service's error",
        answers=[_BOOM, _OK],
    ),
    _retry(
        {"ErrorEquals": ["Boom"], "MaxAttempts": 0},
        name="MaxAttempts 0 gives up at once",
        answers=[_BOOM],
    ),
    _retry(
        {"ErrorEquals": ["Boom", "Bang"], "MaxAttempts": 2, "Comment": "c"},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 2},
        name="each retrier counts its own attempts",
        answers=[_BOOM, Throw("Crash"), Throw("Bang"), Throw("Crash"), _BOOM],
    ),
]

_CATCH = [
    Case(
        "Catch gives the error output to the next state",
        machine(
            {
                "A": task(Catch=[{"ErrorEquals": ["Boom"], "Next": "C"}], Next="B"),
                "B": _end(),
                "C": _end(Output={"caught": "{% $states.input %}"}),
            }
        ),
        {},
        {"A": [_BOOM]},
    ),
    Case(
        "Catch has its own Output and Assign",
        machine(
            {
                "A": task(
                    Catch=[
                        {"ErrorEquals": ["Bang"], "Next": "B"},
                        {
                            "ErrorEquals": ["States.TaskFailed"],
                            "Output": {"was": "{% $states.input.x %}"},
                            "Assign": {"why": "{% $states.errorOutput.Cause %}"},
                            "Next": "C",
                            "Comment": "c",
                        },
                    ],
                    Assign={"never": 1},
                    Next="B",
                ),
                "B": _end(),
                "C": _end(Output={"why": "{% $why %}", "in": "{% $states.input %}"}),
            }
        ),
        {"x": 1},
        {"A": [_BOOM]},
    ),
    Case(
        "an uncaught error goes up",
        machine(
            {
                "A": task(Catch=[{"ErrorEquals": ["Bang"], "Next": "B"}], Next="B"),
                "B": _end(),
            }
        ),
        {},
        {"A": [_BOOM]},
    ),
]

_CHOICES = {
    "A": {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.n > 10 %}", "Next": "Big", "Comment": "c"},
            {
                "Condition": "{% $states.input.n > 5 %}",
                "Output": {"n": "{% $states.input.n %}"},
                "Assign": {"size": "middling"},
                "Next": "Middling",
            },
        ],
        "Default": "Small",
        "Assign": {"size": "small"},
        "Output": "{% $states.input.n - 1 %}",
    },
    "Big": _end(),
    "Middling": _end(Output={"size": "{% $size %}", "in": "{% $states.input %}"}),
    "Small": _end(Output={"size": "{% $size %}", "in": "{% $states.input %}"}),
}
_CHOICE = [
    *(Case(f"a Choice on {n}", machine(_CHOICES), {"n": n, "m": 0}) for n in (1, 7, 12)),
    Case(
        "a Choice that leads nowhere",
        machine(
            {
                "A": {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "B"}]},
                "B": _end(),
            }
        ),
    ),
]

_OTHERS = [
    Case("Wait Seconds", machine({"A": _end("Wait", Seconds=7, Output={"w": 1})})),
    Case(
        "Wait Seconds by an expression",
        machine(
            {"A": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "B"}, "B": _end()}
        ),
        {"s": 4},
    ),
    Case(
        "the time told is the time waited",
        machine(
            {
                "A": {
                    "Type": "Wait",
                    "Seconds": 90,
                    "Assign": {"at": "{% $millis() %}"},
                    "Next": "B",
                },
                "B": _end(Output=["{% $at %}", "{% $now() %}"]),
            }
        ),
    ),
    Case(
        "Wait keeps its Assign",
        machine(
            {
                "A": {"Type": "Wait", "Seconds": 1, "Assign": {"x": 5}, "Next": "B"},
                "B": _end(Output="{% $x %}"),
            }
        ),
    ),
    Case(
        "Wait for a Timestamp gone by",
        machine({"A": _end("Wait", Timestamp="2020-01-01T00:00:00Z")}),
    ),
    Case("Succeed", machine({"A": {"Type": "Succeed", "Output": {"ok": True}}})),
    Case("Fail", machine({"A": {"Type": "Fail", "Error": "Bad", "Cause": "because"}})),
    Case("Fail says nothing", machine({"A": {"Type": "Fail"}})),
    Case(
        "Fail by expressions",
        machine(
            {
                "A": {
                    "Type": "Fail",
                    "Error": "{% 'Bad' & $states.input.n %}",
                    "Cause": "{% 'because ' & $states.context.State.Name %}",
                }
            }
        ),
        {"n": 1},
    ),
]

_PARALLEL = [
    Case(
        "Parallel gives its branches' outputs in order",
        machine(
            {
                "P": _end(
                    "Parallel",
                    Branches=[
                        _flow(
                            {"X": {"Type": "Wait", "Seconds": 2, "Next": "Z"}, "Z": _end(Output=1)}
                        ),
                        {**_flow({"Y": _end(Output="{% $states.input.a %}")}), "Comment": "c"},
                    ],
                )
            }
        ),
        {"a": 2},
        concurrent=True,
    ),
    Case(
        "Parallel's Arguments are its branches' input",
        machine(
            {
                "P": _end(
                    "Parallel",
                    Arguments={"b": "{% $states.input.a %}"},
                    Branches=[_flow({"X": _end()})],
                    Output={"r": "{% $states.result %}", "in": "{% $states.input %}"},
                )
            }
        ),
        {"a": 2},
    ),
    Case(
        "branches see outer variables, and keep their own to themselves",
        machine(
            {
                "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "P"},
                "P": {
                    "Type": "Parallel",
                    "Branches": [
                        _flow(
                            {
                                "X": {"Type": "Pass", "Assign": {"y": "{% $x + 1 %}"}, "Next": "Y"},
                                "Y": _end(Output="{% $x + $y %}"),
                            }
                        )
                    ],
                    "Assign": {"z": "{% $states.result[0] %}"},
                    "Next": "B",
                },
                "B": _end(Output={"z": "{% $z %}", "y": "{% $exists($y) %}"}),
            }
        ),
    ),
    Case(
        "a failed branch fails Parallel, and its Catch takes it",
        machine(
            {
                "P": {
                    "Type": "Parallel",
                    "Branches": [_flow({"X": {"Type": "Fail", "Error": "Bad", "Cause": "c"}})],
                    "Catch": [{"ErrorEquals": ["Bad"], "Next": "C"}],
                    "Next": "B",
                },
                "B": _end(),
                "C": _end(),
            }
        ),
    ),
    Case(
        "Parallel's Retry runs the branches again",
        machine(
            {
                "P": _end(
                    "Parallel",
                    Branches=[_flow({"X": task(End=True)})],
                    Retry=[{"ErrorEquals": ["Boom"], "IntervalSeconds": 2}],
                )
            }
        ),
        {},
        {"X": [_BOOM, {"Payload": 1}]},
    ),
]

_DOUBLE = _flow({"I": _end(Output="{% $states.input * 2 %}")})
_MAP = [
    Case(
        "Map over Items",
        machine({"M": _end("Map", Items="{% $states.input.l %}", ItemProcessor=_DOUBLE)}),
        {"l": [1, 2, 3]},
        concurrent=True,
    ),
    Case(
        "Map over literal Items",
        machine({"M": _end("Map", Items=[1, "{% 2 %}"], ItemProcessor=_DOUBLE)}),
        concurrent=True,
    ),
    Case("Map over its input", machine({"M": _end("Map", ItemProcessor=_DOUBLE)}), [4, 5]),
    Case(
        "Map over nothing",
        machine({"M": _end("Map", Items=[], ItemProcessor=_DOUBLE, Output="{% $states.result %}")}),
    ),
    Case(
        "ItemSelector sees the item and its index",
        machine(
            {
                "M": _end(
                    "Map",
                    Items="{% $states.input.l %}",
                    ItemSelector={
                        "v": "{% $states.context.Map.Item.Value %}",
                        "i": "{% $states.context.Map.Item.Index %}",
                        "in": "{% $states.input.k %}",
                    },
                    MaxConcurrency=1,
                    ItemProcessor={
                        "ProcessorConfig": {"Mode": "INLINE"},
                        **_flow({"I": _end()}),
                    },
                )
            }
        ),
        {"l": ["a", "b"], "k": 9},
    ),
    Case(
        "a failed item fails Map, and its Catch takes it",
        machine(
            {
                "M": {
                    "Type": "Map",
                    "Items": [1],
                    "ItemProcessor": _flow({"I": task(End=True)}),
                    "Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}],
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}],
                    "MaxConcurrency": "{% 1 %}",
                    "Next": "B",
                },
                "B": _end(),
                "C": _end(Output="{% $states.input.Error %}"),
            }
        ),
        {},
        {"I": [_BOOM]},
    ),
    Case(
        "a Map in a Map shows the inner item",
        machine(
            {
                "M": _end(
                    "Map",
                    Items="{% $states.input %}",
                    ItemProcessor=_flow(
                        {
                            "N": _end(
                                "Map",
                                Items="{% $states.input %}",
                                ItemProcessor=_flow(
                                    {"I": _end(Output="{% $states.context.Map.Item %}")}
                                ),
                            )
                        }
                    ),
                )
            }
        ),
        [[1], [2, 3]],
        concurrent=True,
    ),
]

CASES = [
    *_PASS, *_FUNCTIONS, *_TASK, *_RETRY, *_CATCH, *_CHOICE, *_OTHERS, *_PARALLEL, *_MAP,
]  # fmt: skip
