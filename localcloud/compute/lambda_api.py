"""The Lambda API over our runtime: Invoke runs the real handler, lists tell what is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.compute.lambdas import Function, Lambdas
from localcloud.kernel import Kernel

# Errors of the service itself: Invoke answers them as errors, not as a function's result
# (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors).
_SERVICE_ERRORS = {
    "ResourceNotFoundException": 404,
    "ServiceException": 500,
    "TooManyRequestsException": 429,
}


class LambdaApi:
    """`later` starts an asynchronous invocation (InvocationType Event)."""

    def __init__(
        self,
        kernel: Kernel,
        lambdas: Lambdas,
        endpoint: Endpoint,
        later: Callable[[str, str, Any], None],
    ) -> None:
        self._kernel, self._lambdas, self._later = kernel, lambdas, later
        endpoint.answers("lambda", "Invoke")(self._invoke)
        endpoint.answers("lambda", "ListFunctions")(self._list)
        endpoint.answers("lambda", "GetFunction")(self._get)

    def _invoke(self, call: ApiCall) -> Mapping[str, Any]:
        name = call.params["FunctionName"].rsplit(":function:", 1)[-1].split(":")[0]
        raw = call.params.get("Payload") or b"{}"
        try:
            payload = json.loads(raw if isinstance(raw, str | bytes) else raw.read())
        except json.JSONDecodeError as error:
            raise AwsError(
                "InvalidRequestContentException",
                f"Could not parse request body into json: {error}",
            ) from None
        kind = call.params.get("InvocationType", "RequestResponse")
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            self._later(call.region, name, payload)
            return {"StatusCode": 202}
        done = self._kernel.finish(self._lambdas.invoke(call.region, name, payload))
        if done.error is None:
            return _answer(done.payload, None)
        kind = done.error["errorType"]
        if kind in _SERVICE_ERRORS:
            raise AwsError(kind, done.error["errorMessage"], _SERVICE_ERRORS[kind])
        told = {"errorMessage": done.error["errorMessage"]} if done.untyped else done.error
        return _answer(told, "Unhandled")

    def _list(self, call: ApiCall) -> Mapping[str, Any]:
        return {"Functions": [_described(f) for f in self._lambdas.functions(call.region)]}

    def _get(self, call: ApiCall) -> Mapping[str, Any]:
        name = call.params["FunctionName"].rsplit(":function:", 1)[-1]
        for function in self._lambdas.functions(call.region):
            if function.name == name:
                return {"Configuration": _described(function)}
        raise AwsError("ResourceNotFoundException", f"Function not found: {name}", 404)


def _answer(payload: Any, error: str | None) -> dict[str, Any]:
    answer = {
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
        "Payload": json.dumps(payload).encode(),
    }
    return answer if error is None else answer | {"FunctionError": error}


def _described(function: Function) -> dict[str, Any]:
    return {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Handler": function.handler,
        "Role": function.role_arn,
        "Runtime": "python3.13",
        "Timeout": int(function.timeout_s),
        "MemorySize": function.memory_mb,
        "State": "Active",
    }
