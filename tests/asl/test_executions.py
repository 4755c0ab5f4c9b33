"""Names of executions: what is the same start, what is a new one, what is refused."""

from __future__ import annotations

import pytest

from localcloud.asl import ExecutionAlreadyExists
from localcloud.asl.executions import NAME_KEPT_S
from tests.asl.ours import MACHINE, Bench, machine

WAIT = machine({"W": {"Type": "Wait", "Seconds": 10, "End": True}})
PREFIX = "arn:aws:states:eu-west-2:123456789012"


def test_the_same_name_and_input_is_the_execution_that_is_running() -> None:
    bench = Bench()

    assert bench.start(WAIT, {"a": 1}) is bench.start(WAIT, {"a": 1})
    assert len(bench.executions.all()) == 1


def test_the_same_name_with_another_input_is_refused() -> None:
    bench = Bench()
    bench.start(WAIT, {"a": 1})

    with pytest.raises(ExecutionAlreadyExists):
        bench.start(WAIT, {"a": 2})


def test_the_name_of_a_closed_execution_is_free_after_ninety_days() -> None:
    bench = Bench()
    first = bench.finish(WAIT)
    bench.env.run(until=10 + NAME_KEPT_S - 1)

    with pytest.raises(ExecutionAlreadyExists):
        bench.start(WAIT)
    bench.env.run(until=10 + NAME_KEPT_S)
    assert bench.start(WAIT) is not first


def test_an_express_name_is_never_taken() -> None:
    bench = Bench()

    arns = {bench.start(WAIT, express=True, name="n").arn for _ in range(3)}

    assert len(arns) == 3
    assert all(arn.startswith(f"{PREFIX}:express:machine:n:") for arn in arns)


def test_an_execution_is_found_by_its_arn() -> None:
    bench = Bench()
    execution = bench.start(WAIT, name="n")

    assert execution.arn == f"{PREFIX}:execution:machine:n"
    assert bench.executions.find(execution.arn) is execution
    assert bench.executions.find("arn") is None


def test_executions_are_listed_newest_first_by_machine() -> None:
    bench = Bench()
    first, second = bench.start(WAIT, name="1"), bench.start(WAIT, name="2")

    assert bench.executions.all(MACHINE) == [second, first]
    assert bench.executions.all("another") == []


def test_an_execution_without_a_name_gets_one_from_the_world() -> None:
    assert Bench().start(WAIT, name=None).name == "id-1"


def test_the_same_seed_gives_the_same_history() -> None:
    states = {"A": {"Type": "Pass", "Output": "{% [$uuid(), $random(), $now()] %}", "End": True}}

    def history() -> list[object]:
        return list(Bench().finish(machine(states)).history.events)

    assert history() == history()
