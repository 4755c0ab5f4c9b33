"""Does a workflow's Tasks: each is a boto3 call as the state machine's role, in simulated time."""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as NoConnection

from localcloud.asl import Pattern, StatesError, TaskRequest, integrations
from localcloud.asl.errors import RUNTIME
from localcloud.calls.endpoint import Caller, current_caller
from localcloud.kernel import Kernel, Steps

# Step Functions retries by the definition's Retry only, and waits for a Lambda function as
# long as it may run.
_CONFIG = Config(
    retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=905, max_pool_connections=1
)
_JOB_POLL_S = 1.0
"""How often a `.sync` Task looks at its job. Step Functions uses events; the delay is modelled."""


class SdkTaskRunner:
    """The Tasks of one Region's executions."""

    def __init__(self, kernel: Kernel, region: str) -> None:
        self.kernel, self.region = kernel, region
        self._clients: dict[str, Any] = {}

    def run(self, task: TaskRequest) -> Steps[Any]:
        """Make the call; for `.sync` wait for its end. Raises StatesError."""
        plan = integrations.plan(
            task.resource,
            task.arguments,
            execution_arn=task.execution_arn,
            state_machine_arn=task.state_machine_arn,
        )
        output = yield from self._call(task, plan, plan.operation, plan.params)
        result = integrations.shape_result(plan, output)
        if plan.pattern not in (Pattern.SYNC, Pattern.SYNC_2):
            return result
        task.submitted(result)
        while True:
            described = yield from self._call(
                task, plan, "DescribeExecution", {"executionArn": output["executionArn"]}
            )
            if described["status"] != "RUNNING":
                return integrations.shape_job(plan, described)
            yield self.kernel.env.timeout(_JOB_POLL_S)

    def _call(
        self,
        task: TaskRequest,
        plan: integrations.SdkPlan,
        operation: str,
        params: Mapping[str, Any],
    ) -> Steps[Any]:
        scope = contextvars.copy_context()
        machine = task.state_machine_arn.rsplit(":", 1)[-1]
        scope.run(current_caller.set, Caller(self.region, task.role_arn, f"states:{machine}"))
        call = getattr(self._client(plan.service), xform_name(operation))
        try:
            return (yield from self.kernel.call(_complete, call, params, context=scope))
        except ClientError as refused:
            error, meta = refused.response["Error"], refused.response["ResponseMetadata"]
            raise integrations.shape_error(
                plan, error["Code"], error.get("Message", ""), status=meta["HTTPStatusCode"]
            ) from None
        except (HTTPClientError, NoConnection) as silent:
            raise integrations.unreachable(plan, str(silent)) from None
        except ParamValidationError as invalid:
            raise StatesError(RUNTIME, str(invalid)) from None

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                region_name=self.region,
                config=_CONFIG,  # type: ignore[call-overload]  # by name
            )
        return self._clients[service]


def _complete(call: Any, params: Mapping[str, Any]) -> Any:
    """Make the call and read a streamed payload whole, while still in the fiber."""
    output = call(**params)
    if hasattr(output.get("Payload"), "read"):
        output["Payload"] = output["Payload"].read()
    return output
