"""What EventBridge can deliver to: Lambda, Step Functions, SQS, SNS, and other buses.

Each needs a permission: the target's resource policy for Lambda, SQS and SNS; the target's
role for Step Functions and buses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.calls.endpoint import ApiCall, Caller, Endpoint, current_caller
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services.async_invoke import AsyncInvocations
from localcloud.services.queues import Queues
from localcloud.services.resource_policies import ResourcePolicies

EVENTS: Final = "events.amazonaws.com"

# Not worth a second try (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html:
# missing permissions and targets that do not exist).
HOPELESS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "StateMachineDoesNotExist",
        "InvalidArn",
        "InvalidExecutionInput",
        "ValidationException",
    }
)

Ingest = Callable[[str, str, Mapping[str, Any]], None]
Publish = Callable[[str, str, str], object]
"""(topic ARN, subject, message) → SNS. Raises LookupError: no such topic."""


@dataclass(frozen=True)
class Failed:
    """Why an attempt failed."""

    code: str
    message: str
    retryable: bool = True


class Targets:
    """Makes one attempt at one target."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        endpoint: Endpoint,
        policies: ResourcePolicies,
        invocations: AsyncInvocations,
        queues: Queues,
        publish: Publish,
    ) -> None:
        self._kernel, self._network, self._endpoint = kernel, network, endpoint
        self._policies, self._invocations, self._queues = policies, invocations, queues
        self._publish = publish
        self._sessions: dict[str, Any] = {}

    def send(
        self,
        region: str,
        rule_arn: str,
        target: Mapping[str, Any],
        payload: Any,
        ingest: Ingest,
    ) -> Steps[Failed | None]:
        """Attempt a delivery; what went wrong, or None."""
        arn = target["Arn"]
        service = arn.split(":")[2]
        if service == "states":
            return (yield from self._start_execution(region, rule_arn, target, payload))
        if service == "events":
            return (yield from self._forward(region, rule_arn, target, payload, ingest))
        action = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage"}.get(
            service, "sns:Publish"
        )
        if not self._policies.allows(EVENTS, action, arn, rule_arn):
            return Failed("NO_PERMISSIONS", f"{arn} does not let {EVENTS} do {action}", False)
        if arn.split(":")[3] in self._network.down:
            return Failed("SERVICE_UNAVAILABLE", f"{service} does not answer")
        try:
            if service == "lambda":
                self._invocations.accept(arn, payload)
            elif service == "sqs":
                self._queues.send(arn, _text(payload))
            else:
                self._publish(arn, "", _text(payload))
        except LookupError as missing:
            return Failed("RESOURCE_NOT_FOUND", str(missing.args[0]), False)
        return None

    # -- Step Functions ----------------------------------------------------------------------

    def _start_execution(
        self, region: str, rule_arn: str, target: Mapping[str, Any], payload: Any
    ) -> Steps[Failed | None]:
        role = target.get("RoleArn")
        if not role:
            return Failed("NO_PERMISSIONS", "the target has no RoleArn", False)
        try:
            yield from self._kernel.call(
                self._call_start, region, role, rule_arn, target["Arn"], json.dumps(payload)
            )
        except ClientError as refused:
            error = refused.response["Error"]
            return Failed(error["Code"], error["Message"], error["Code"] not in HOPELESS)
        except BotoCoreError as lost:
            return Failed("SERVICE_UNAVAILABLE", str(lost))
        return None

    def _call_start(
        self, region: str, role: str, rule_arn: str, machine_arn: str, payload: str
    ) -> None:
        """An ordinary AWS call as the role: faults and permissions are judged where all are."""
        current_caller.set(Caller(region, role, f"rule {rule_arn.rsplit('/', 1)[-1]}"))
        self._client(region).start_execution(stateMachineArn=machine_arn, input=payload)

    def _client(self, region: str) -> Any:
        if region not in self._sessions:
            config = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})
            self._sessions[region] = boto3.client(
                "stepfunctions", region_name=region, config=config
            )
        return self._sessions[region]

    # -- other buses -------------------------------------------------------------------------

    def _forward(
        self,
        region: str,
        rule_arn: str,
        target: Mapping[str, Any],
        event: Mapping[str, Any],
        ingest: Ingest,
    ) -> Steps[Failed | None]:
        """Put the event on another bus: it keeps its id, time and Region of origin."""
        arn, role = target["Arn"], target.get("RoleArn")
        where = arn.split(":")[3]
        if not role:
            return Failed("NO_PERMISSIONS", "the target has no RoleArn", False)
        caller = Caller(region, role, f"rule {rule_arn.rsplit('/', 1)[-1]}")
        call = ApiCall("events", "PutEvents", where, {"Entries": [{"EventBusName": arn}]}, caller)
        fault = self._endpoint.faults.strike("events", "PutEvents", where, region)
        lost = fault is not None and (fault.lose_request or fault.lose_response)
        if lost or not self._network.reachable(region, where):
            return Failed("SERVICE_UNAVAILABLE", f"{where} is not reachable from {region}")
        try:
            if fault is not None and fault.error is not None:
                raise fault.error
            self._endpoint.authorize(call)
        except AwsError as refused:
            return Failed(refused.code, refused.message, refused.code not in HOPELESS)
        travel = self._network.round_trip_s(region, where)
        yield self._kernel.env.timeout(travel / 2 + (fault.delay_s if fault else 0.0))
        if not self._network.reachable(region, where):
            return Failed("SERVICE_UNAVAILABLE", f"{where} stopped answering {region}")
        ingest(where, arn.rsplit("event-bus/", 1)[-1], event)
        return None


def _text(payload: Any) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload)
