"""Runs a definition under moto's interpreter, with the same scripted Tasks.

moto's interpreter lives in real time: its waits and retry delays are noted, not waited for,
and `$now` and `$millis` tell the time as if they had been.
"""

from __future__ import annotations

import json
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from jsonata import Functions, Jsonata
from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.eval.evaluation_details import (
    AWSExecutionDetails,
    EvaluationDetails,
    ExecutionDetails,
    StateMachineDetails,
)
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError
from moto.stepfunctions.parser.asl.jsonata import jsonata
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.mocking.mock_config import (
    MockedResponseReturn,
    MockedResponseThrow,
)

from tests.asl.ours import EPOCH, MACHINE, NAME, ROLE
from tests.asl.scripts import Run, Script, Throw

LIMIT_S = 20
"""Real seconds after which a run under moto counts as hung."""


class _Answers:
    """A state's mocked responses as moto indexes them, taken from the script one by one."""

    def __init__(self, script: Script, state: str) -> None:
        self.mocked_responses = self
        self._script, self._state = script, state

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, _: int) -> MockedResponseReturn | MockedResponseThrow:
        answer = self._script.next(self._state)
        if isinstance(answer, Throw):
            return MockedResponseThrow(0, 0, answer.error, answer.cause)
        return MockedResponseReturn(0, 0, answer)


def run_motos(
    definition: Mapping[str, Any], given: Any, answers: Mapping[str, Sequence[Any]]
) -> Run:
    """Run to the end under moto's interpreter."""
    script = Script(answers)
    details = EvaluationDetails(
        AWSExecutionDetails("123456789012", "eu-west-2", ROLE),
        ExecutionDetails(
            MACHINE.replace("stateMachine", "execution") + f":{NAME}",
            NAME,
            ROLE,
            given,
            "2026-01-01T00:00:00.000Z",
        ),
        StateMachineDetails(MACHINE, "machine", StateMachineType.STANDARD, json.dumps(definition)),
    )
    ended = threading.Event()
    scripted = types.SimpleNamespace(
        state_mocked_responses={state: _Answers(script, state) for state in answers}
    )
    worker = ExecutionWorker(
        details, types.SimpleNamespace(terminated=ended.set), None, {}, scripted
    )
    delays: list[float] = []
    with _hurried(delays):
        worker.start()
        if not ended.wait(LIMIT_S):
            worker.stop(datetime.now(UTC), "Hung", None)
            raise TimeoutError("moto's interpreter did not end")
    return _told(worker, delays)


def _told(worker: ExecutionWorker, delays: list[float]) -> Run:
    state = worker.env.program_state()
    history = worker.env.event_manager.get_event_history()
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history
        if "stateEnteredEventDetails" in event
    ]
    if isinstance(state, ProgramEnded):
        return Run("SUCCEEDED", worker.env.states.get_input(), None, None, entered, sum(delays))
    if isinstance(state, ProgramError):
        error = state.error or {}
        return Run("FAILED", None, error.get("error"), error.get("cause"), entered, sum(delays))
    return Run(type(state).__name__, None, None, None, entered, sum(delays))


@contextmanager
def _hurried(delays: list[float]) -> Iterator[None]:
    """moto with JSONata from jsonata-python, and with waits that are only noted."""

    def note(seconds: float) -> None:
        delays.append(max(0.0, float(seconds)))

    def millis() -> int:
        return int((EPOCH + sum(delays)) * 1000)

    def evaluate(expression: str) -> Any:
        query = Jsonata(expression)
        query.register_lambda("millis", millis)
        query.register_lambda("now", lambda: Functions.datetime_from_millis(millis(), None, None))
        return query.evaluate(None)

    def waited(_: Any, env: Any, wait_seconds: float) -> None:
        del env
        note(wait_seconds)

    with (
        mock.patch.object(jsonata, "_eval_jsonata", evaluate),
        mock.patch.object(retrier_decl, "time", types.SimpleNamespace(sleep=note)),
        mock.patch.object(WaitFunction, "_wait_interval", waited),
    ):
        yield
