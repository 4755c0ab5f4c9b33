"""Tasks that wait for a token: answers, heartbeats, silence."""

from __future__ import annotations

import pytest

from localcloud.asl import Pattern, TokenError
from tests.asl.ours import ASK, Bench, caught, machine, types


def test_a_token_brings_the_result() -> None:
    bench = Bench({"Work": [{"MessageId": "m"}]})
    bench.at(30, lambda: bench.world.tokens.send_task_success(_token(bench), '{"yes": true}'))

    execution = bench.finish(caught(ASK))

    assert (execution.output, bench.env.now) == ({"yes": True}, 30)
    assert bench.runner.requests[0].arguments["MessageBody"] == _token(bench)
    assert bench.runner.requests[0].resource.pattern is Pattern.WAIT_FOR_TASK_TOKEN
    assert "TaskSubmitted" in types(execution)


def test_a_token_brings_an_error() -> None:
    bench = Bench({"Work": [{}]})
    bench.at(3, lambda: bench.world.tokens.send_task_failure(_token(bench), "Refused", "no"))

    assert bench.finish(caught(ASK)).output == {"Error": "Refused", "Cause": "no"}


def test_an_answer_that_comes_before_the_call_returns_counts() -> None:
    bench = Bench({"Work": [{}]})
    bench.runner.takes_s["Work"] = 10
    bench.at(3, lambda: bench.world.tokens.send_task_success(_token(bench), "1"))

    execution = bench.finish(caught(ASK))

    assert (execution.output, bench.env.now) == (1, 10)


def test_silence_longer_than_the_heartbeat_fails_the_task() -> None:
    bench = Bench({"Work": [{}]})
    for at in (8, 16):
        bench.at(at, lambda: bench.world.tokens.send_task_heartbeat(_token(bench)))

    execution = bench.finish(caught({**ASK, "HeartbeatSeconds": 10, "TimeoutSeconds": 100}))

    assert (execution.output["Error"], bench.env.now) == ("States.HeartbeatTimeout", 26)


def test_heartbeats_do_not_extend_the_time_out() -> None:
    bench = Bench({"Work": [{}]})
    for at in (8, 16, 24):
        bench.at(at, lambda: bench.world.tokens.send_task_heartbeat(_token(bench)))

    execution = bench.finish(caught({**ASK, "HeartbeatSeconds": 10, "TimeoutSeconds": 20}))

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
    bench.finish(caught({**ASK, "TimeoutSeconds": 5}))

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
    execution = bench.finish(caught({**ASK, "TimeoutSeconds": 5}))

    assert (refused, execution.output["Error"]) == (["InvalidOutput"], "States.Timeout")


def _token(bench: Bench) -> str:
    token = bench.runner.requests[-1].token
    assert token is not None
    return token
