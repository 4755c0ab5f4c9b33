"""The way of every AWS call in the local cloud: network, faults, permissions, service.

Handlers, workflows and tests use plain boto3; botocore's own event hooks bring the
call here instead of to a socket. The stock AWS CLI comes in over HTTP. Both go one
way: is the Region reachable, does a fault strike, may the caller do this, and then the
local cloud's own service or moto answers. Nothing in the shipped code knows.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeVar

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.base_backend import BackendDict
from moto.core.models import botocore_stubber

from localcloud.calls import moto_direct, wire
from localcloud.calls.direct import Destination, Silence, first_answer
from localcloud.calls.shortcuts import SCOPE, Shortcuts, session, unsigned
from localcloud.calls.wire import AwsError, HttpResponse, UnknownCallError, WireRequest
from localcloud.faults.late_calls import LateCalls
from localcloud.faults.on_calls import CallFaults
from localcloud.kernel import Kernel
from localcloud.network.reach import Network

T = TypeVar("T")

ACCOUNT = "123456789012"
"""The one account of the local cloud: moto's default."""

GLOBAL_HOME = "us-east-1"
"""Where the control planes of Route 53 and IAM live
(https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html)."""
GLOBAL_SERVICES = frozenset({"route53", "iam", "sts"})

_CONFIGURATION = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
"""botocore's environment while a local cloud is open."""

# Time inside a service before it answers, modelled: a low single-digit figure of
# milliseconds as DynamoDB documents for itself; the same for all, since no decision
# hangs on it.
SERVICE_TIME_S = 0.004


@dataclass(frozen=True)
class Caller:
    """Who calls: a role in a Region; `role_arn` None is the operator, who may do anything."""

    region: str | None = None
    role_arn: str | None = None
    name: str = "operator"


OPERATOR = Caller()
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=OPERATOR)


@dataclass
class ApiCall:
    """One AWS API call: botocore's service name and operation, the Region it went to, who asks."""

    service: str
    operation: str
    region: str
    params: Mapping[str, Any]
    caller: Caller
    connect_timeout_s: float = 60.0
    read_timeout_s: float = 60.0
    notes: dict[str, Any] = field(default_factory=dict)
    """Room for a `before` hook to leave something for its `after` hook."""


class UnansweredError(Exception):
    """Nobody answered: the caller could not connect, or waited in vain for the answer."""

    def __init__(self, connected: bool = True) -> None:
        super().__init__("no answer")
        self.connected = connected


Answer = Callable[[ApiCall], Mapping[str, Any]]
Before = Callable[[ApiCall], None]
After = Callable[[ApiCall, Mapping[str, Any] | None], None]
_pending: ContextVar[ApiCall | None] = ContextVar("_pending", default=None)


class Endpoint:
    """Carries AWS calls to the services. One is open at a time in a process.

    `authorize` judges permissions (raises AwsError AccessDenied); the local cloud sets it.
    """

    _open: Endpoint | None = None
    _hooked = False

    def __init__(self, kernel: Kernel, network: Network) -> None:
        self.kernel, self.network = kernel, network
        self.faults = CallFaults(kernel.fork("call faults"))
        self._late_calls = LateCalls(kernel, network)
        self.at_calls: list[Callable[[ApiCall, bool], None]] = []
        """Faults: each looks at a call twice, before (False) and after it is done, and may raise
        what stops its caller."""
        self.authorize: Callable[[ApiCall], None] = lambda _: None
        self.count = 0
        self._answers: dict[tuple[str, str], Answer] = {}
        self._before: dict[tuple[str, str], list[Before]] = {}
        self._after: dict[tuple[str, str], list[After]] = {}
        self._environment: dict[str, str] = {}
        self._shortcuts = Shortcuts()
        self.direct = True
        """Whether frequent calls skip HTTP; set it before `open`."""

    # -- opening and closing -------------------------------------------------------------

    def open(self) -> None:
        """Take every boto3 session made from now on; start from an empty account."""
        if Endpoint._open is not None:
            raise RuntimeError("another local cloud is open in this process; close it first")
        if not Endpoint._hooked:
            BUILTIN_HANDLERS.append(("provide-client-params", _remember))
            BUILTIN_HANDLERS.append(("before-send", _carry))
            BUILTIN_HANDLERS.append(("choose-signer", _choose_signer))
            Endpoint._hooked = True
        # Nothing of the user's own AWS configuration holds here: no profile, no endpoint.
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            self._environment[name] = os.environ.pop(name)
        os.environ.update(_CONFIGURATION)
        BackendDict.reset()
        self._shortcuts.open()
        boto3.DEFAULT_SESSION = (
            self._shortcuts.go_direct(self._carry_direct) if self.direct else session()
        )
        Endpoint._open = self

    def close(self) -> None:
        """Give boto3 back."""
        Endpoint._open = None
        self._shortcuts.close()
        boto3.DEFAULT_SESSION = None
        for name in _CONFIGURATION:
            os.environ.pop(name, None)
        os.environ.update(self._environment)
        self._environment.clear()
        BackendDict.reset()

    # -- what services register ------------------------------------------------------------

    def answers(self, service: str, *operations: str) -> Callable[[Answer], Answer]:
        """Answer these operations instead of moto: ApiCall → output, or raise AwsError."""

        def register(function: Answer) -> Answer:
            for operation in operations:
                self._answers[service, operation] = function
            return function

        return register

    def before(self, service: str, *operations: str) -> Callable[[Before], Before]:
        """Run before the service answers; may raise AwsError."""

        def register(function: Before) -> Before:
            for operation in operations:
                self._before.setdefault((service, operation), []).append(function)
            return function

        return register

    def after(self, service: str, *operations: str) -> Callable[[After], After]:
        """Run after moto answered without error, with the call and (for own answers) the output."""

        def register(function: After) -> After:
            for operation in operations:
                self._after.setdefault((service, operation), []).append(function)
            return function

        return register

    # -- the way of a call -------------------------------------------------------------------

    def carry(self, call: ApiCall, request: WireRequest) -> HttpResponse:
        """Carry one call to its service and its answer back, taking simulated time.

        Raises botocore's ConnectTimeoutError or ReadTimeoutError where a real client would
        meet them, after as long as it would wait.
        """
        try:
            return self._travel(call, lambda error: self._serve(call, request, error))
        except UnansweredError as silence:
            raise _no_answer(silence.connected, request.url) from None

    def _carry_direct(
        self, to: Destination, operation: str, params: Mapping[str, Any]
    ) -> Mapping[str, Any] | HttpResponse | Silence:
        """The same way for a call of our own process: its output as it is, an error as HTTP."""
        call = _call_of(to.service, operation, params, to.config, to.region)
        try:
            return self._travel(call, lambda error: self._serve_direct(call, error))
        except UnansweredError as silence:
            return Silence(silence.connected)

    def _travel(self, call: ApiCall, serve: Callable[[AwsError | None], T]) -> T:
        self.count += 1
        for look in self.at_calls:
            look(call, False)
        home = GLOBAL_HOME if call.service in GLOBAL_SERVICES else call.region
        here = call.caller.region
        fault = self.faults.strike(call.service, call.operation, home, here or "")
        lost = fault is not None and fault.lose_request
        if lost or (here is not None and not self.network.reachable(here, home)):
            self.kernel.wait(call.connect_timeout_s)
            raise UnansweredError(connected=False)
        if fault is not None and fault.late_up_to_s:
            call.params = copy.deepcopy(call.params)  # its caller may go on to change its own
            told = {"call": f"{call.service}:{call.operation}", "caller": call.caller.name}
            self._late_calls.wait_in_vain(
                *(call.read_timeout_s, fault.late_up_to_s, home, told), lambda: serve(None)
            )
            raise UnansweredError
        travel = self.network.round_trip_s(here, home) if here is not None else 0.0
        late = fault.delay_s if fault else 0.0
        self.kernel.wait(travel / 2 + SERVICE_TIME_S + min(late, call.read_timeout_s))
        with self.kernel.true_time():
            response = serve(fault.error if fault else None)
        for look in self.at_calls:
            look(call, True)
        severed = here is not None and not self.network.reachable(here, home)
        if severed or (fault is not None and fault.lose_response):
            self.kernel.wait(call.read_timeout_s)
            raise UnansweredError
        if late >= call.read_timeout_s:
            raise UnansweredError
        self.kernel.wait(travel / 2)
        return response

    def _serve(self, call: ApiCall, request: WireRequest, error: AwsError | None) -> HttpResponse:
        protocol = wire.protocol_of(call.service, request.headers)
        try:
            answer = self._admit(call, error)
            if answer is not None:
                output: Mapping[str, Any] | None = answer(call)
                response = wire.serialize(call.service, call.operation, protocol, output)
            else:
                output = None
                response = _ask_moto(call, request)
        except AwsError as refused:
            return wire.serialize_error(protocol, refused)
        if response.status < 300:
            self._then(call, output)
        return response

    def _serve_direct(
        self, call: ApiCall, error: AwsError | None
    ) -> Mapping[str, Any] | HttpResponse:
        try:
            answer = self._admit(call, error)
            if answer is not None:
                output: Mapping[str, Any] = answer(call)
            else:
                asked = moto_direct.ask(ACCOUNT, call.region, call.operation, call.params)
                if isinstance(asked, HttpResponse):
                    return asked
                output = asked
        except AwsError as refused:
            return wire.serialize_error(wire.protocol_of(call.service, {}), refused)
        self._then(call, output if answer is not None else None)
        return output

    def _admit(self, call: ApiCall, error: AwsError | None) -> Answer | None:
        """Who answers the call: None for moto. Raises AwsError where it is refused."""
        if error is not None:
            raise error
        self.authorize(call)
        key = (call.service, call.operation)
        for hook in self._before.get(key, ()):
            hook(call)
        return self._answers.get(key)

    def _then(self, call: ApiCall, output: Mapping[str, Any] | None) -> None:
        for hook in self._after.get((call.service, call.operation), ()):
            hook(call, output)

    def serve_http(self, request: WireRequest) -> HttpResponse:
        """Answer a signed HTTP request from outside (the AWS CLI), as the operator's call."""
        try:
            service, region = wire.service_and_region(request.headers)
            operation, params = wire.operation_and_params(service, request)
        except UnknownCallError as unknown:
            return wire.serialize_error("json", AwsError("UnknownOperationException", str(unknown)))
        host = host_of(service, region)
        path = request.url.split("/", 3)[3] if request.url.count("/") > 2 else ""
        inward = WireRequest(
            request.method, f"https://{host}/{path}", request.headers, request.body
        )
        return self.carry(ApiCall(service, operation, region, params, OPERATOR), inward)


def host_of(service: str, region: str) -> str:
    """The host name under which moto knows a service."""
    own = {"cloudwatch": "monitoring", "stepfunctions": "states"}.get(service, service)
    return f"{own}.amazonaws.com" if service in GLOBAL_SERVICES else f"{own}.{region}.amazonaws.com"


def open_endpoint() -> Endpoint:
    """The endpoint of the local cloud that is open in this process."""
    if Endpoint._open is None:
        raise RuntimeError("no local cloud is open in this process")
    return Endpoint._open


def _ask_moto(call: ApiCall, request: WireRequest) -> HttpResponse:
    if call.service == "dynamodb" and call.operation in moto_direct.OPERATIONS:
        return moto_direct.answer(ACCOUNT, call.region, call.operation, call.params)
    prepared = AWSPreparedRequest(
        request.method, request.url, _headers(request.headers), request.body, False
    )
    answered = botocore_stubber.process_request(prepared)
    if answered is None:
        raise AwsError("NotImplemented", f"the local cloud has no service at {request.url}", 501)
    status, headers, body = answered
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    return HttpResponse(int(status), {str(k): str(v) for k, v in dict(headers).items()}, raw)


def _remember(params: Any, model: Any, context: Mapping[str, Any], **_: Any) -> None:
    """botocore hook: keep a call's parameters until its request is sent."""
    if Endpoint._open is None:
        return
    config = context.get("client_config")
    region = context.get("client_region") or GLOBAL_HOME
    _pending.set(_call_of(model.service_model.service_name, model.name, params, config, region))


def _call_of(
    service: str, operation: str, params: Mapping[str, Any], config: Any, region: str
) -> ApiCall:
    return ApiCall(
        service=service,
        operation=operation,
        region=GLOBAL_HOME if "global" in region else region,
        params=params,
        caller=current_caller.get(),
        connect_timeout_s=float(getattr(config, "connect_timeout", 60) or 60),
        read_timeout_s=float(getattr(config, "read_timeout", 60) or 60),
    )


def _no_answer(connected: bool, url: str) -> Exception:
    """What botocore raises where nobody answers."""
    return (ReadTimeoutError if connected else ConnectTimeoutError)(endpoint_url=url)


def _choose_signer(**_: Any) -> Any:
    """botocore hook: sign nothing while a local cloud is open."""
    return unsigned() if Endpoint._open is not None else None


def _carry(request: Any, **_: Any) -> AWSResponse | None:
    """botocore hook: answer the request in the local cloud instead of sending it."""
    endpoint, call = Endpoint._open, _pending.get()
    if endpoint is None:
        return None
    if call is None:
        raise RuntimeError(f"a client made before the local cloud opened is calling {request.url}")
    first = first_answer.get()
    if first is not None:
        first_answer.set(None)
        if isinstance(first, Silence):
            raise _no_answer(first.connected, request.url)
        return AWSResponse(request.url, first.status, _headers(first.headers), _Raw(first.body))
    headers = {
        k: v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()
    }
    headers["Authorization"] = SCOPE.format(region=call.region, service=call.service)
    body = request.body
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    response = endpoint.carry(call, WireRequest(request.method, request.url, headers, raw))
    answered = _headers(response.headers)
    return AWSResponse(request.url, response.status, answered, _Raw(response.body))


def _headers(plain: Mapping[str, str]) -> Any:
    """Headers as botocore's own request and response objects hold them."""
    return HeadersDict(plain)


class _Raw(BytesIO):
    """A response body as botocore reads it: in one chunk."""

    def stream(self, **_: Any) -> Any:
        yield self.read()
