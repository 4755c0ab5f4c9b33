"""Time in a state machine: time-outs, heartbeats, tokens, stopping, and cancelling siblings."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.asl import Execution, Pattern, TokenError
from localcloud.asl.visit import Transition
from tests.asl.ours import EPOCH, Bench, machine, task
from tests.asl.scripts import Throw

OK: dict[str, Any] = {"Payload": 1}
CAUGHT = {"ErrorEquals": ["States.ALL"], "Next": "Caught", "Output": "{% $states.errorOutput %}"}
ASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Arguments": {"QueueUrl": "q", "MessageBody": "{% $states.context.Task.Token %}"},
}


def _caught(state: dict[str, Any]) -> dict[str, Any]:
    """The state, then Done; its errors go to Caught."""
    first = {**state, "Catch": [CAUGHT], "Next": "Done"}
    ends = {"Type": "Pass", "End": True}
    return machine({"Work": first, "Done": ends, "Caught": ends})


def test_a_task_that_takes_too_long_is_interrupted_and_times_out() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60

    execution = bench.finish(_caught(task(TimeoutSeconds=5)))

    assert execution.output == {"Error": "States.Timeout", "Cause": ""}
    assert bench.env.now == 5
    assert bench.runner.interrupted == ["Work"]
    assert "TaskTimedOut" in _types(execution)


def test_a_task_that_ends_in_its_last_second_is_in_time() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 5

    assert bench.finish(_caught(task(TimeoutSeconds=5))).history.states() == ["Work", "Done"]


def test_the_time_out_may_be_an_expression() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60

    bench.finish(_caught(task(TimeoutSeconds="{% $states.input.s %}")), {"s": 7})

    assert bench.env.now == 7


@pytest.mark.parametrize("value", [0, -1, "'5'", "null", "1/0"])
def test_a_time_out_that_is_no_number_of_seconds_fails_the_state(value: str) -> None:
    execution = Bench().finish(_caught(task(TimeoutSeconds=f"{{% {value} %}}")))

    assert execution.output["Error"] == "States.QueryEvaluationError"


def test_each_attempt_has_its_own_time() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 60
    retry = [{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 2, "IntervalSeconds": 1}]

    bench.finish(_caught(task(TimeoutSeconds=5, Retry=retry)))

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

    execution = bench.finish(_caught(task()) | {"TimeoutSeconds": 10})

    assert (execution.status, execution.error, bench.env.now) == ("TIMED_OUT", None, 10)
    assert execution.stop_date == EPOCH + 10
    assert _types(execution)[-1] == "ExecutionTimedOut"
    bench.env.run(until=11)
    assert bench.runner.interrupted == ["Work"]


def test_an_express_execution_ends_after_five_minutes() -> None:
    bench = Bench({"Work": [OK]})
    bench.runner.takes_s["Work"] = 3600

    execution = bench.finish(_caught(task()), express=True)

    assert (execution.status, bench.env.now) == ("TIMED_OUT", 300)


def test_waiting_for_a_timestamp_ends_at_it() -> None:
    bench = Bench()
    wait = {"Type": "Wait", "Timestamp": "{% $states.input.at %}", "End": True}

    bench.finish(machine({"A": wait}), {"at": "2026-01-01T00:01:30Z"})

    assert bench.env.now == 90


# -- task tokens -----------------------------------------------------------------------------


def test_a_token_brings_the_result() -> None:
    bench = Bench({"Work": [{"MessageId": "m"}]})
    bench.at(30, lambda: bench.world.tokens.send_task_success(_token(bench), '{"yes": true}'))

    execution = bench.finish(_caught(ASK))

    assert (execution.output, bench.env.now) == ({"yes": True}, 30)
    assert bench.runner.requests[0].arguments["MessageBody"] == _token(bench)
    assert bench.runner.requests[0].resource.pattern is Pattern.WAIT_FOR_TASK_TOKEN
    assert "TaskSubmitted" in _types(execution)


def test_a_token_brings_an_error() -> None:
    bench = Bench({"Work": [{}]})
    bench.at(3, lambda: bench.world.tokens.send_task_failure(_token(bench), "Refused", "no"))

    assert bench.finish(_caught(ASK)).output == {"Error": "Refused", "Cause": "no"}


def test_an_answer_that_comes_before_the_call_returns_counts() -> None:
    bench = Bench({"Work": [{}]})
    bench.runner.takes_s["Work"] = 10
    bench.at(3, lambda: bench.world.tokens.send_task_success(_token(bench), "1"))

    execution = bench.finish(_caught(ASK))

    assert (execution.output, bench.env.now) == (1, 10)


def test_silence_longer_than_the_heartbeat_fails_the_task() -> None:
    bench = Bench({"Work": [{}]})
    for at in (8, 16):
        bench.at(at, lambda: bench.world.tokens.send_task_heartbeat(_token(bench)))

    execution = bench.finish(_caught({**ASK, "HeartbeatSeconds": 10, "TimeoutSeconds": 100}))

    assert (execution.output["Error"], bench.env.now) == ("States.HeartbeatTimeout", 26)


def test_heartbeats_do_not_extend_the_time_out() -> None:
    bench = Bench({"Work": [{}]})
    for at in (8, 16, 24):
        bench.at(at, lambda: bench.world.tokens.send_task_heartbeat(_token(bench)))

    execution = bench.finish(_caught({**ASK, "HeartbeatSeconds": 10, "TimeoutSeconds": 20}))

    assert (execution.output["Error"], bench.env.now) == ("States.Timeout", 20)


def test_states_timeout_covers_a_missed_heartbeat() -> None:
    bench = Bench({"Work": [{}]})
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Caught"}]
    ends = {"Type": "Pass", "End": True}
    states = {"Work": {**ASK, "HeartbeatSeconds": 5, "Catch": catch, "End": True}, "Caught": ends}

    assert bench.finish(machine(states)).status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("token", "code"), [("never-given", "InvalidToken"), ("id-1", "TaskTimedOut")]
)
def test_a_token_that_nobody_waits_for_is_refused(token: str, code: str) -> None:
    bench = Bench({"Work": [{}]})
    bench.finish(_caught({**ASK, "TimeoutSeconds": 5}))

    with pytest.raises(TokenError) as refused:
        bench.world.tokens.send_task_success(token, "{}")

    assert refused.value.code == code


def test_an_output_that_is_not_json_is_refused_and_the_task_waits_on() -> None:
    bench = Bench({"Work": [{}]})
    refused: list[str] = []

    def answer() -> None:
        with pytest.raises(TokenError) as error:
            bench.world.tokens.send_task_success(_token(bench), "{no")
        refused.append(error.value.code)

    bench.at(1, answer)
    execution = bench.finish(_caught({**ASK, "TimeoutSeconds": 5}))

    assert (refused, execution.output["Error"]) == (["InvalidOutput"], "States.Timeout")


# -- siblings --------------------------------------------------------------------------------


def _parallel(*branches: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": f"B{index}", "States": {f"B{index}": {**branch, "End": True}}}
            for index, branch in enumerate(branches)
        ],
    }


def test_a_failed_branch_cancels_the_others_there_and_then() -> None:
    bench = Bench({"B0": [Throw("Boom")], "B1": [OK], "B3": [{}]})
    bench.runner.takes_s.update(B0=3, B1=60)

    execution = bench.finish(
        _caught(_parallel(task(), task(), {"Type": "Wait", "Seconds": 90}, ASK))
    )

    assert (execution.output["Error"], bench.env.now) == ("Boom", 3)
    assert bench.runner.interrupted == ["B1"]
    aborted = [kind for kind in _types(execution) if kind.endswith("Aborted")]
    assert aborted == [
        "TaskStateAborted",
        "TaskStateAborted",
        "WaitStateAborted",
        "TaskStateAborted",
    ]


def test_a_cancelled_branch_takes_no_further_step() -> None:
    bench = Bench({"B0": [Throw("Boom")]})
    bench.runner.takes_s["B0"] = 5
    late = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 6, "Next": "Late"},
                                       "Late": {"Type": "Pass", "End": True}}}  # fmt: skip
    parallel = _parallel(task())
    parallel["Branches"].append(late)

    execution = bench.finish(_caught(parallel))
    bench.env.run(until=100)

    assert "Late" not in execution.history.states()


def test_map_runs_no_more_iterations_at_once_than_it_may() -> None:
    bench = Bench({"I": [OK]})
    bench.runner.takes_s["I"] = 10
    iteration = {"StartAt": "I", "States": {"I": task(End=True)}}
    items = list(range(5))
    states = {"M": {"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": iteration, "End": True}}

    bench.finish(machine(states), items)

    assert bench.env.now == 30


def test_map_without_a_limit_runs_forty_at_once() -> None:
    bench = Bench({"I": [OK]})
    bench.runner.takes_s["I"] = 10
    iteration = {"StartAt": "I", "States": {"I": task(End=True)}}
    states = {"M": {"Type": "Map", "ItemProcessor": iteration, "End": True}}

    bench.finish(machine(states), list(range(81)))

    assert bench.env.now == 30


@pytest.mark.parametrize(
    ("tolerance", "outcome"),
    [
        ({}, "Boom"),
        ({"ToleratedFailureCount": 1}, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailureCount": 2}, None),
        ({"ToleratedFailureCount": "{% 2 %}"}, None),
        ({"ToleratedFailurePercentage": 49}, "States.ExceedToleratedFailureThreshold"),
        ({"ToleratedFailurePercentage": 50}, None),
    ],
)
def test_map_tolerates_as_many_failures_as_it_says(
    tolerance: dict[str, Any], outcome: str | None
) -> None:
    bench = Bench({"I": [Throw("Boom"), Throw("Boom"), {"n": 3}, {"n": 4}]})
    iteration = {"StartAt": "I", "States": {"I": task(End=True)}}
    state = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": iteration, **tolerance}

    execution = bench.finish(_caught(state), [1, 2, 3, 4])

    if outcome is None:
        assert execution.output == [{"n": 3}, {"n": 4}]
    else:
        assert execution.output["Error"] == outcome


# -- stopping --------------------------------------------------------------------------------


def test_stopping_an_execution_interrupts_all_its_work() -> None:
    bench = Bench({"B0": [OK], "B1": [OK]})
    bench.runner.takes_s.update(B0=60, B1=60)
    execution = bench.start(_caught(_parallel(task(), task())))
    bench.at(7, lambda: execution.stop("Enough", "said so"))

    bench.env.run(until=8)

    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Enough", "said so")
    assert execution.stop_date == EPOCH + 7
    assert bench.runner.interrupted == ["B0", "B1"]
    assert _types(execution)[-1] == "ExecutionAborted"


def test_stopping_an_execution_that_has_ended_changes_nothing() -> None:
    execution = Bench({"Work": [OK]}).finish(_caught(task()))

    execution.stop("late")

    assert (execution.status, execution.error) == ("SUCCEEDED", None)


def test_an_execution_can_be_stopped_at_every_transition() -> None:
    parallel = _parallel(task(), {"Type": "Pass"})
    definition = _caught(parallel)
    passed: list[Transition] = []
    whole = Bench({"B0": [OK]})
    whole.world.on_transition = lambda _, transition: passed.append(transition)
    whole.finish(definition)

    for count in range(1, len(passed) + 1):
        bench, heard = Bench({"B0": [OK]}), []

        def crash(
            execution: Execution, at: Transition, heard: list[Any] = heard, count: int = count
        ) -> None:
            heard.append(at)
            if len(heard) == count:
                execution.stop("Crash")

        bench.world.on_transition = crash
        execution = bench.start(definition)
        bench.env.run(until=1000)

        assert (execution.status, execution.error) == ("ABORTED", "Crash")
        assert heard == passed[:count]


def test_a_task_can_stop_its_own_execution() -> None:
    bench = Bench({"Work": [OK]})
    execution = bench.start(_caught(task()))
    bench.runner.takes_s["Work"] = 1
    bench.runner.meanwhile["Work"] = lambda: execution.stop("Myself")

    bench.env.run(until=10)

    assert (execution.status, execution.history.states()) == ("ABORTED", ["Work"])


def test_a_transition_takes_the_worlds_time() -> None:
    bench = Bench({"Work": [OK]})
    bench.world.transition_s = 0.5

    bench.finish(_caught(task()))

    assert bench.env.now == 1.0


def test_a_machine_that_goes_round_for_ever_fills_its_history_and_fails() -> None:
    turn = {"Type": "Pass", "Next": "B"}
    way = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "A"}], "Default": "C"}
    states = {"A": turn, "B": way, "C": {"Type": "Succeed"}}

    execution = Bench().finish(machine(states))

    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert len(execution.history.events) == 25_000


def _token(bench: Bench) -> str:
    token = bench.runner.requests[-1].token
    assert token is not None
    return token


def _types(execution: Execution) -> list[str]:
    return [event["type"] for event in execution.history.events]
