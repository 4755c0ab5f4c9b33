"""The history of an execution has the shape that GetExecutionHistory answers with."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from localcloud.asl import Execution
from tests.asl.cases import CASES, Case
from tests.asl.ours import Bench, machine, task
from tests.asl.scripts import Throw

MODEL: Any = ServiceModel(
    Loader().load_service_model("stepfunctions", "service-2"), "stepfunctions"
)
KINDS = set(MODEL.shape_for("HistoryEventType").enum)


def _run(case: Case) -> Execution:
    bench = Bench(case.answers)
    bench.runner.calls_back = bench.world.tokens
    return bench.finish(case.definition, case.given)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_event_is_one_of_the_models(case: Case) -> None:
    execution = _run(case)

    for event in execution.history.events:
        assert event["type"] in KINDS
        report = ParamValidator().validate(event, MODEL.shape_for("HistoryEvent"))
        assert not report.has_errors(), report.generate_report()
        assert set(event) <= set(MODEL.shape_for("HistoryEvent").members)
        for member, details in event.items():
            if member.endswith("Details"):
                shape = MODEL.shape_for("HistoryEvent").members[member]
                assert set(details) <= set(shape.members)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_ids_count_up_and_every_event_follows_an_earlier_one(case: Case) -> None:
    events = _run(case).history.events

    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in events)
    assert [event["id"] for event in events if event["previousEventId"] == 0] == [1, 2]


def _told(execution: Execution) -> list[tuple[str, int]]:
    return [(event["type"], event["previousEventId"]) for event in execution.history.events]


def test_a_task_tells_each_attempt() -> None:
    state = task(Retry=[{"ErrorEquals": ["Boom"]}], TimeoutSeconds=9, End=True)
    execution = Bench({"A": [Throw("Boom"), {"n": 1}]}).finish(machine({"A": state}))

    assert _told(execution) == [
        ("ExecutionStarted", 0),
        ("TaskStateEntered", 0),
        ("TaskScheduled", 2),
        ("TaskStarted", 3),
        ("TaskFailed", 4),
        ("TaskScheduled", 5),
        ("TaskStarted", 6),
        ("TaskSucceeded", 7),
        ("TaskStateExited", 8),
        ("ExecutionSucceeded", 9),
    ]
    scheduled = execution.history.events[2]["taskScheduledEventDetails"]
    assert scheduled == {
        "resourceType": "lambda",
        "resource": "invoke",
        "region": "eu-west-2",
        "parameters": '{"FunctionName":"f"}',
        "timeoutInSeconds": 9,
    }
    assert execution.history.events[4]["taskFailedEventDetails"]["error"] == "Boom"


def test_a_caught_branch_failure_tells_the_evaluation_and_the_parallel() -> None:
    # The order and the chain of events, and the words: as read off Step Functions by the
    # maintainers of floci (AslExecutorBranchHistoryEventsTest).
    broken = {"Type": "Pass", "Output": {"v": "{% $states.input.missing %}"}, "End": True}
    parallel: dict[str, Any] = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Undef", "States": {"Undef": broken}}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Handled"}],
        "End": True,
    }
    states = {"P": parallel, "Handled": {"Type": "Pass", "End": True}}

    execution = Bench().finish(machine(states))

    assert _told(execution) == [
        ("ExecutionStarted", 0),
        ("ParallelStateEntered", 0),
        ("ParallelStateStarted", 2),
        ("PassStateEntered", 3),
        ("EvaluationFailed", 4),
        ("ParallelStateFailed", 5),
        ("ParallelStateExited", 6),
        ("PassStateEntered", 7),
        ("PassStateExited", 8),
        ("ExecutionSucceeded", 9),
    ]
    assert execution.history.events[4]["evaluationFailedEventDetails"] == {
        "error": "States.QueryEvaluationError",
        "cause": "An error occurred while executing the state 'Undef' (entered at the event id "
        "#4). The JSONata expression '$states.input.missing' specified for the field "
        "'Output/v' returned nothing (undefined).",
        "location": "Output/v",
        "state": "Undef",
    }


def test_branches_chain_their_own_events() -> None:
    branches = [
        {
            "StartAt": f"{name}1",
            "States": {
                f"{name}1": {"Type": "Pass", "Next": f"{name}2"},
                f"{name}2": {"Type": "Pass", "End": True},
            },
        }
        for name in "AB"
    ]
    states = {
        "P": {"Type": "Parallel", "Branches": branches, "Next": "Z"},
        "Z": {"Type": "Succeed"},
    }

    events = Bench().finish(machine(states)).history.events

    by_id = {event["id"]: event for event in events}
    for event in events:
        name = event.get("stateEnteredEventDetails", {}).get("name", "")
        if name.endswith("1"):
            assert by_id[event["previousEventId"]]["type"] == "ParallelStateStarted"
        if name.endswith("2"):
            before = by_id[event["previousEventId"]]
            assert before["stateExitedEventDetails"]["name"] == f"{name[0]}1"
    succeeded, exited = events[11], events[12]
    assert (succeeded["type"], exited["type"]) == ("ParallelStateSucceeded", "ParallelStateExited")
    assert succeeded["previousEventId"] == exited["previousEventId"] == 11


def test_an_exit_tells_what_was_assigned() -> None:
    state = {"Type": "Pass", "Assign": {"x": {"a": 1}}, "End": True}

    exited = Bench().finish(machine({"A": state})).history.events[2]

    assert exited["stateExitedEventDetails"]["assignedVariables"] == {"x": '{"a":1}'}
