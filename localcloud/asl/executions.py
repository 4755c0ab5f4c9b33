"""Starts executions and keeps them: names, idempotency, ARNs.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

from typing import Any

from localcloud.asl.execution import Execution, StateMachine, World

NAME_KEPT_S = 90 * 24 * 3600
"""A Standard execution's name can be used again 90 days after it closed (API_StartExecution)."""


class ExecutionAlreadyExists(Exception):  # noqa: N818  # the API's own name
    """The name is taken by an execution that is closed or has another input."""


class Executions:
    """Every execution of a world, by ARN."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_arn: dict[str, Execution] = {}

    def start(self, machine: StateMachine, given: Any, name: str | None = None) -> Execution:
        """Start an execution with `given` as its input (JSON) at this simulated moment.

        Standard: the same name with the same input is the execution that is still running;
        any other reuse within 90 days raises ExecutionAlreadyExists. Express: every start is
        an execution of its own.
        """
        name = name or self._world.new_id()
        if machine.definition.express:
            arn = f"{_family(machine.arn, 'express')}:{name}:{self._world.new_id()}"
        else:
            arn = f"{_family(machine.arn, 'execution')}:{name}"
            earlier = self._by_arn.get(arn)
            if earlier is not None and self._kept(earlier):
                if earlier.status == "RUNNING" and earlier.input == given:
                    return earlier
                raise ExecutionAlreadyExists(f"Execution Already Exists: '{arn}'")
        execution = Execution(self._world, machine, arn, name, given)
        self._by_arn[arn] = execution
        execution.start()
        return execution

    def find(self, arn: str) -> Execution | None:
        """The execution with this ARN."""
        return self._by_arn.get(arn)

    def all(self, machine_arn: str | None = None) -> list[Execution]:
        """Executions, newest first; of one machine, or of all."""
        found = reversed(self._by_arn.values())
        return [e for e in found if machine_arn in (None, e.machine.arn)]

    def _kept(self, earlier: Execution) -> bool:
        closed = earlier.stop_date
        return closed is None or self._world.now() - closed < NAME_KEPT_S


def _family(machine_arn: str, family: str) -> str:
    """`arn:aws:states:REGION:ACCOUNT:stateMachine:NAME` as the ARN of its executions."""
    return machine_arn.replace(":stateMachine:", f":{family}:", 1)
