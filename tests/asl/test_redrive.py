"""RedriveExecution: an execution that did not succeed goes on from there, and from nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.asl import Execution, NotRedrivable, why_not
from localcloud.asl.redrive import REDRIVABLE_S
from tests.asl.ours import EPOCH, Bench, machine, parallel, task, types
from tests.asl.scripts import Throw

OK: dict[str, Any] = {"Payload": 1}
BOOM = Throw("Boom")
DONE = {"Type": "Pass", "End": True}
SEEN = {"kept": "{% $kept %}", "got": "{% $states.input %}"}


def twice(bench: Bench, definition: dict[str, Any], **how: Any) -> Execution:
    """Run it until it fails, then redrive it and run that to its end."""
    execution = bench.finish(definition, **how)
    assert execution.status != "SUCCEEDED"
    bench.env.run(until=bench.env.now + 5)
    execution.redrive()
    bench.env.run(until=execution.done)
    return execution


def asked(bench: Bench) -> list[str]:
    """The Tasks that were started, in order."""
    return [request.state for request in bench.runner.requests]


def three(middle: dict[str, Any]) -> dict[str, Any]:
    return machine(
        {
            "First": {**task(), "Assign": {"kept": "{% $states.result.Payload %}"}, "Next": "Work"},
            "Work": {**middle, "Next": "Last"},
            "Last": {"Type": "Pass", "Output": SEEN, "End": True},
        }
    )


def test_what_succeeded_is_kept_and_what_failed_is_tried_again_with_the_same_input() -> None:
    bench = Bench({"First": [OK], "Work": [BOOM, {"Payload": 2}]})

    execution = twice(bench, three(task()))

    assert (execution.status, execution.output) == ("SUCCEEDED", {"kept": 1, "got": {"Payload": 2}})
    assert asked(bench) == ["First", "Work", "Work"]
    first, again = bench.runner.requests[1:]
    assert first.arguments == again.arguments
    assert (execution.error, execution.cause) == (None, None)


def test_history_goes_on_and_the_new_attempt_follows_the_states_first_entry() -> None:
    bench = Bench({"First": [OK], "Work": [BOOM, OK]})

    execution = twice(bench, three(task()))

    events = execution.history.events
    at = types(execution).index("ExecutionRedriven")
    assert types(execution)[at - 1 : at + 2] == [
        "ExecutionFailed",
        "ExecutionRedriven",
        "TaskScheduled",
    ]
    assert events[at]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    entered = next(e for e in events if e.get("stateEnteredEventDetails", {}).get("name") == "Work")
    assert events[at + 1]["previousEventId"] == entered["id"]
    assert [e["id"] for e in events] == list(range(1, len(events) + 1))
    assert types(execution).count("TaskStateEntered") == 2


def test_the_execution_keeps_its_name_and_start_and_tells_of_its_redrive() -> None:
    bench = Bench({"First": [OK], "Work": [BOOM, OK]})
    look = "{% $states.context.Execution.RedriveCount %}"

    execution = twice(bench, three({**task(), "Output": look}))

    assert execution.output == {"kept": 1, "got": 1}
    assert (execution.redrive_count, execution.redrive_date) == (1, EPOCH + 5)
    assert execution.start_date == EPOCH


def test_retries_are_counted_from_nothing() -> None:
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    bench = Bench({"First": [OK], "Work": [BOOM] * 5 + [OK]})

    execution = twice(bench, three({**task(), "Retry": retry}))

    assert execution.status == "SUCCEEDED"
    assert [request.attempt for request in bench.runner.requests[1:]] == [0, 1, 2, 0, 1, 2]


def test_a_time_out_of_the_whole_machine_is_counted_from_nothing() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 50
    definition = machine({"Work": {**task(), "End": True}}, TimeoutSeconds=30)
    execution = bench.finish(definition)
    assert execution.status == "TIMED_OUT"
    bench.runner.takes_s["Work"] = 20
    bench.env.run(until=35)

    execution.redrive()
    bench.env.run(until=100)

    assert (execution.status, execution.stop_date) == ("SUCCEEDED", EPOCH + 55)


def test_an_execution_that_was_stopped_in_a_task_does_the_task_again() -> None:
    bench = Bench({"First": [OK], "Work": [OK]})
    bench.runner.takes_s["Work"] = 10
    execution = bench.start(three(task()))
    bench.at(5, lambda: execution.stop("Enough"))
    bench.env.run(until=8)

    execution.redrive()
    bench.env.run(until=execution.done)

    assert (execution.status, execution.stop_date) == ("SUCCEEDED", EPOCH + 18)
    assert asked(bench) == ["First", "Work", "Work"]


def test_however_often_it_is_stopped_and_redriven_every_state_succeeds_once() -> None:
    definition = three(parallel(task(), task()))
    transitions: list[str] = []
    answers: dict[str, list[Any]] = {"First": [OK], "B0": [OK], "B1": [OK]}
    whole = Bench(answers)
    whole.world.on_transition = lambda _, at: transitions.append(at.state)
    wanted = whole.finish(definition).output

    for count in range(1, len(transitions) + 1):
        bench, heard = Bench(answers), list[str]()

        def crash(execution: Execution, at: Any, heard: Any = heard, count: int = count) -> None:
            heard.append(at.state)
            if len(heard) == count:
                execution.stop("Crash")

        bench.world.on_transition = crash
        execution = bench.start(definition)
        bench.env.run(until=1000)
        assert execution.status == "ABORTED"

        execution.redrive()
        bench.env.run(until=2000)

        assert (execution.status, execution.output) == ("SUCCEEDED", wanted)
        exits = [kind for kind in types(execution) if kind.endswith("StateExited")]
        assert len(exits) == len(set(transitions))


def test_of_a_parallel_only_the_branches_that_did_not_succeed_run_again() -> None:
    bench = Bench({"First": [OK], "B0": [OK], "B1": [BOOM, {"Payload": 2}], "B2": [OK]})
    bench.runner.takes_s.update(B1=5, B2=60)

    execution = twice(bench, three(parallel(task(), task(), task())))

    assert execution.output == {"kept": 1, "got": [OK, {"Payload": 2}, OK]}
    assert asked(bench) == ["First", "B0", "B1", "B2", "B1", "B2"]
    assert types(execution).count("ParallelStateStarted") == 1


def test_of_a_map_only_the_iterations_that_did_not_succeed_run_again() -> None:
    processor = {"StartAt": "Each", "States": {"Each": {**task(), "End": True}}}
    each = {"Type": "Map", "Items": [0, 1, 2], "MaxConcurrency": 1, "ItemProcessor": processor}
    answers = [{"Payload": 0}, BOOM, {"Payload": 1}, {"Payload": 2}]
    bench = Bench({"First": [OK], "Each": answers})

    execution = twice(bench, three(each))

    assert execution.output == {"kept": 1, "got": [{"Payload": 0}, {"Payload": 1}, {"Payload": 2}]}
    assert asked(bench) == ["First", "Each", "Each", "Each", "Each"]
    assert types(execution).count("MapIterationStarted") == 3


def test_a_branch_that_failed_half_way_goes_on_half_way() -> None:
    branch = {
        "StartAt": "Before",
        "States": {"Before": {**task(), "Next": "Then"}, "Then": {**task(), "End": True}},
    }
    both = {"Type": "Parallel", "Branches": [branch]}
    bench = Bench({"First": [OK], "Before": [OK], "Then": [BOOM, OK]})

    execution = twice(bench, three(both))

    assert execution.status == "SUCCEEDED"
    assert asked(bench) == ["First", "Before", "Then", "Then"]


def test_a_parallel_that_failed_by_the_size_of_its_data_runs_whole_again() -> None:
    big = {"Payload": "x" * 200_000}
    bench = Bench({"First": [OK], "B0": [big, OK], "B1": [big, OK]})

    execution = twice(bench, three(parallel(task(), task())))

    assert execution.output == {"kept": 1, "got": [OK, OK]}
    assert asked(bench) == ["First", "B0", "B1", "B0", "B1"]


def test_a_fail_state_is_entered_again_and_fails_again() -> None:
    definition = machine({"Over": {"Type": "Fail", "Error": "Lost", "Cause": "for good"}})

    execution = twice(Bench(), definition)

    assert (execution.status, execution.error, execution.cause) == ("FAILED", "Lost", "for good")
    assert types(execution).count("FailStateEntered") == 2


def test_a_choice_is_made_again() -> None:
    # It found no way out: a redrive cannot change that, and asks it again.
    choice = {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "Done"}]}

    execution = twice(Bench(), machine({"Which": choice, "Done": DONE}))

    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.history.states() == ["Which"]


def test_only_what_ended_without_success_and_not_long_ago_can_be_redriven() -> None:
    bench = Bench({"Work": [BOOM, BOOM, OK]})
    definition = machine({"Work": {**task(), "End": True}})
    execution = bench.start(definition)
    assert why_not(execution) == "Execution is RUNNING and cannot be redriven"
    bench.env.run(until=execution.done)
    assert why_not(execution) is None

    bench.env.run(until=REDRIVABLE_S + 1)
    events = types(execution)
    with pytest.raises(NotRedrivable, match="Execution redrivable period exceeded"):
        execution.redrive()
    assert (execution.status, types(execution)) == ("FAILED", events)

    other = bench.finish(definition, name="other")
    other.redrive()
    bench.env.run(until=other.done)
    assert why_not(other) == "Execution is SUCCEEDED and cannot be redriven"
