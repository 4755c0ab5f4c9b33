"""Asynchronous Lambda invocation: queued, retried by Lambda itself, then dead-lettered.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from localcloud.calls.endpoint import Caller
from localcloud.compute.lambdas import Function, Invocation
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services.queues import Queues

RETRY_AFTER_S: Final = (60.0, 120.0)
"""Lambda waits one minute before the first retry of a function error, two before the second."""
MAXIMUM_AGE_S: Final = 6 * 3600.0
"""How long a throttled or failed event stays queued by default."""
SYSTEM_ERRORS: Final = frozenset({"TooManyRequestsException", "ServiceException"})
"""Throttles and system errors: retried with back-off from 1 s to 5 minutes until too old."""


class LambdaPort(Protocol):
    """What this package needs of the Lambda service; `compute.lambdas.Lambdas` has it."""

    def invoke(self, region: str, name: str, payload: Any) -> Steps[Invocation]:
        """Invoke and wait for the end. Never raises for the function's errors."""

    def functions(self, region: str) -> Sequence[Function]:
        """The functions of a Region."""


@dataclass(frozen=True)
class AsyncSettings:
    """A function's EventInvokeConfig and dead-letter queue."""

    retries: int = 2
    maximum_age_s: float = MAXIMUM_AGE_S
    dead_letter_queue_arn: str | None = None


class AsyncInvocations:
    """The queues that Lambda keeps for asynchronous callers."""

    def __init__(
        self, kernel: Kernel, network: Network, lambdas: LambdaPort, queues: Queues
    ) -> None:
        self._kernel, self._network = kernel, network
        self._lambdas, self._queues = lambdas, queues
        self._settings: dict[tuple[str, str], AsyncSettings] = {}

    def configure(self, region: str, name: str, settings: AsyncSettings) -> None:
        """Set a function's retries, age limit and dead-letter queue."""
        self._settings[region, name] = settings

    def accept(self, function_arn: str, payload: Any) -> None:
        """Queue an event (HTTP 202). Raises LookupError: no such function."""
        region, name = region_and_function(function_arn)
        if not any(function.name == name for function in self._lambdas.functions(region)):
            raise LookupError(f"no function {name} in {region}")
        self._kernel.process(self._run(region, name, payload))

    def _run(self, region: str, name: str, payload: Any) -> Steps[None]:
        settings = self._settings.get((region, name), AsyncSettings())
        accepted, failures, pause = self._kernel.now, 0, 1.0
        life = self._network.lives[region]
        while True:
            invocation = yield from self._lambdas.invoke(region, name, payload)
            if invocation.error is None or self._network.lives[region] != life:
                return
            kind = invocation.error["errorType"]
            if kind in SYSTEM_ERRORS:
                wait, pause = pause, min(pause * 2, 300.0)
            else:
                failures += 1
                if failures > settings.retries:
                    break
                wait = RETRY_AFTER_S[min(failures, len(RETRY_AFTER_S)) - 1]
            if self._kernel.now + wait - accepted > settings.maximum_age_s:
                break
            yield self._kernel.env.timeout(wait)
            if self._network.lives[region] != life:
                return  # Lambda's own queue was lost with its Region
        self._give_up(region, name, payload, settings, invocation.error)

    def _give_up(
        self,
        region: str,
        name: str,
        payload: Any,
        settings: AsyncSettings,
        error: dict[str, Any],
    ) -> None:
        target = settings.dead_letter_queue_arn
        self._kernel.log(
            "lambda.event_dropped",
            region=region,
            function=name,
            error=error["errorType"],
            dead_letter=target,
        )
        if target:
            attributes = {"ErrorMessage": str(error.get("errorMessage", ""))[:1024] or "-"}
            self._queues.send(target, json.dumps(payload), attributes)


def region_and_function(function_arn: str) -> tuple[str, str]:
    """The Region and name in a function's ARN (a version or alias is not told apart)."""
    parts = function_arn.split(":")
    return parts[3], parts[6]


def execution_role(lambdas: LambdaPort, region: str, name: str) -> Caller:
    """The role of a function (by name or ARN) as a caller. Raises LookupError: no such one."""
    short = name.rsplit(":function:", 1)[-1].split(":")[0]
    for function in lambdas.functions(region):
        if function.name == short:
            return Caller(region, function.role_arn, short)
    raise LookupError(f"no function {name} in {region}")
