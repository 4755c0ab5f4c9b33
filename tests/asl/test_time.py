"""Time in a state machine: how long a Task, a Wait and the whole may take."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asl.ours import EPOCH, Bench, caught, machine, task, types

OK: dict[str, Any] = {"Payload": 1}


def test_a_task_that_takes_too_long_is_interrupted_and_times_out() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60

    execution = bench.finish(caught(task(TimeoutSeconds=5)))

    assert execution.output == {"Error": "States.Timeout", "Cause": ""}
    assert bench.env.now == 5
    assert bench.runner.interrupted == ["Work"]
    assert "TaskTimedOut" in types(execution)


def test_a_task_that_ends_in_its_last_second_is_in_time() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 5

    assert bench.finish(caught(task(TimeoutSeconds=5))).history.states() == ["Work", "Done"]


def test_the_time_out_may_be_an_expression() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60

    bench.finish(caught(task(TimeoutSeconds="{% $states.input.s %}")), {"s": 7})

    assert bench.env.now == 7


@pytest.mark.parametrize("value", [0, -1, "'5'", "null", "1/0"])
def test_a_time_out_that_is_no_number_of_seconds_fails_the_state(value: str) -> None:
    execution = Bench().finish(caught(task(TimeoutSeconds=f"{{% {value} %}}")))

    assert execution.output["Error"] == "States.QueryEvaluationError"


def test_each_attempt_has_its_own_time() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60
    retry = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 2, "IntervalSeconds": 1}]

    bench.finish(caught(task(TimeoutSeconds=5, Retry=retry)))

    assert bench.env.now == 5 + 1 + 5 + 2 + 5
    assert [request.attempt for request in bench.runner.requests] == [0, 1, 2]


def test_task_failed_does_not_cover_a_time_out() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]
    states = {
        "Work": task(TimeoutSeconds=5, Catch=catch, End=True),
        "Caught": {"Type": "Pass", "End": True},
    }

    execution = bench.finish(machine(states))

    assert (execution.status, execution.error) == ("FAILED", "States.Timeout")


def test_a_machine_that_takes_too_long_times_out_whole() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60

    execution = bench.finish(caught(task()) | {"TimeoutSeconds": 10})

    assert (execution.status, execution.error, bench.env.now) == ("TIMED_OUT", None, 10)
    assert execution.stop_date == EPOCH + 10
    assert types(execution)[-1] == "ExecutionTimedOut"
    bench.env.run(until=11)
    assert bench.runner.interrupted == ["Work"]


def test_an_express_execution_ends_after_five_minutes() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 3600

    execution = bench.finish(caught(task()), express=True)

    assert (execution.status, bench.env.now) == ("TIMED_OUT", 300)


def test_waiting_for_a_timestamp_ends_at_it() -> None:
    bench = Bench()
    wait = {"Type": "Wait", "Timestamp": "{% $states.input.at %}", "End": True}

    bench.finish(machine({"A": wait}), {"at": "2026-01-01T00:01:30Z"})

    assert bench.env.now == 90


def test_a_transition_takes_the_worlds_time() -> None:
    bench = Bench({"Work": [OK]})
    bench.world.transition_s = 0.5

    bench.finish(caught(task()))

    assert bench.env.now == 1.0


def test_a_machine_that_goes_round_for_ever_fills_its_history_and_fails() -> None:
    turn = {"Type": "Pass", "Next": "B"}
    way = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "A"}], "Default": "C"}
    states = {"A": turn, "B": way, "C": {"Type": "Succeed"}}

    execution = Bench().finish(machine(states))

    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert len(execution.history.events) == 25_000
