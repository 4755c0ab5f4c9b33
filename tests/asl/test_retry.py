"""How long a state waits before it is tried again."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.asl.errors import matches
from localcloud.asl.model import Retrier
from localcloud.asl.retry import Attempts, backoff_s
from tests.asl.ours import Bench, machine, task
from tests.asl.scripts import Throw

retriers = st.builds(
    Retrier,
    error_equals=st.just(("Boom",)),
    interval_s=st.integers(1, 1000),
    max_attempts=st.integers(0, 20),
    backoff_rate=st.floats(1, 10),
    max_delay_s=st.none() | st.integers(1001, 100_000),
    full_jitter=st.booleans(),
)


@given(retriers)
def test_the_first_retry_waits_the_interval(retrier: Retrier) -> None:
    assert backoff_s(retrier, 1) == retrier.interval_s


@given(retriers, st.integers(1, 30))
def test_each_retry_waits_the_rate_times_longer_up_to_the_limit(
    retrier: Retrier, retry: int
) -> None:
    limit = float("inf") if retrier.max_delay_s is None else retrier.max_delay_s
    longer = backoff_s(retrier, retry) * retrier.backoff_rate

    assert backoff_s(retrier, retry + 1) == pytest.approx(min(longer, limit))


@given(retriers)
def test_a_retry_beyond_all_numbers_still_has_a_delay(retrier: Retrier) -> None:
    assert backoff_s(retrier, 100_000) <= (retrier.max_delay_s or float("inf"))


@given(retriers, st.integers(0, 2**32))
def test_jitter_draws_between_nothing_and_the_back_off(retrier: Retrier, seed: int) -> None:
    attempts = Attempts([retrier], random.Random(seed))

    for retry in range(1, retrier.max_attempts + 1):
        delay_s = attempts.delay_s("Boom")
        assert delay_s is not None
        if retrier.full_jitter:
            assert 0 <= delay_s <= backoff_s(retrier, retry)
        else:
            assert delay_s == backoff_s(retrier, retry)


@given(retriers)
def test_attempts_run_out(retrier: Retrier) -> None:
    attempts = Attempts([retrier], random.Random(1))

    delays = [attempts.delay_s("Boom") for _ in range(retrier.max_attempts + 1)]

    assert delays[-1] is None
    assert None not in delays[:-1]


def test_jitter_spreads_executions_apart_and_the_same_seed_gives_the_same() -> None:
    retry = [{"ErrorEquals": ["Boom"], "JitterStrategy": "FULL", "IntervalSeconds": 100}]
    definition = machine({"A": task(Retry=retry, End=True)})

    def waited(seed: int) -> float:
        bench = Bench({"A": [Throw("Boom")]}, seed)
        bench.finish(definition)
        return float(bench.env.now)

    assert waited(1) == waited(1)
    assert waited(1) != waited(2)
    assert 0 < waited(1) < 100 + 200 + 400


@pytest.mark.parametrize(
    ("listed", "error", "covered"),
    [
        ("Boom", "Boom", True),
        ("Boom", "Bang", False),
        ("States.ALL", "Boom", True),
        ("States.ALL", "States.Timeout", True),
        ("States.ALL", "States.QueryEvaluationError", True),
        ("States.ALL", "States.Runtime", False),
        ("States.Runtime", "States.Runtime", False),
        ("States.ALL", "States.DataLimitExceeded", False),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", True),
        ("States.TaskFailed", "Boom", True),
        ("States.TaskFailed", "States.Timeout", False),
        ("States.TaskFailed", "States.HeartbeatTimeout", False),
        ("States.Timeout", "States.HeartbeatTimeout", True),
        ("States.HeartbeatTimeout", "States.Timeout", False),
    ],
)
def test_which_errors_a_name_covers(listed: str, error: str, covered: bool) -> None:
    assert matches([listed], error) is covered


def test_a_result_over_256_kib_is_an_error_that_all_does_not_cover() -> None:
    catch: list[dict[str, Any]] = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    states = {"A": task(Catch=catch, Next="B"), "B": {"Type": "Pass", "End": True}}
    limit = 256 * 1024

    fits = Bench({"A": ["x" * (limit - 2)]}).finish(machine(states))
    exceeds = Bench({"A": ["x" * (limit - 1)]}).finish(machine(states))

    assert fits.status == "SUCCEEDED"
    assert (exceeds.status, exceeds.error) == ("FAILED", "States.DataLimitExceeded")
