"""A client's call without HTTP in between: the same answer after the same time, for less work.

botocore resolves an endpoint, serialises, sends, parses and walks a dozen event hooks for every
call; in a simulated world with thousands of them that is most of the work. The calls that are
made often go to their service as they are. Whatever is not plainly a success (an error, silence)
is handed to botocore as the answer to its first attempt, and takes the ordinary way from there:
retries, back-off and exceptions are botocore's own. A test holds both ways to the same history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.retries.standard import RetryQuotaChecker
from botocore.validate import ParamValidator
from moto.core.utils import get_service_model

from localcloud.calls import moto_direct
from localcloud.calls.wire import HttpResponse

SERVED = frozenset(
    # botocore adds a token to a transaction before it is sent: those go the ordinary way.
    {("dynamodb", name) for name in moto_direct.OPERATIONS if not name.startswith("Transact")}
    | {("lambda", "Invoke"), ("cloudwatch", "DescribeAlarms"), ("events", "PutEvents")}
)
"""What goes this way."""
_CHECKED_TIMES = 20
"""How often the parameters of an operation are checked of those who give it the same ones: what
code sends once it sends again."""
_GIVEN_BACK: int = vars(RetryQuotaChecker)["_NO_RETRY_INCREMENT"]
"""Of the capacity for retries, after a success without any."""


@dataclass(frozen=True)
class Destination:
    """Where a client's calls go, and how long it waits: what its maker gave it."""

    service: str
    region: str
    config: Any


class Silence:
    """The first attempt met no answer. `connected`: it was sent, and waited for."""

    def __init__(self, connected: bool) -> None:
        self.connected = connected


Way = Callable[[Any, str, Mapping[str, Any]], Any]
"""botocore's `BaseClient._make_api_call`: (client, operation, parameters) → output."""
Carry = Callable[[Destination, str, Mapping[str, Any]], Mapping[str, Any] | HttpResponse | Silence]
"""Answers a call of an operation: its output, an error, or silence."""
first_answer: ContextVar[HttpResponse | Silence | None] = ContextVar("first_answer", default=None)
"""What the first attempt of the call that goes on in the ordinary way came to."""


class DirectWay:
    """Stands in for `ordinary`, botocore's own way, which whatever goes wrong goes on by."""

    def __init__(self, ordinary: Way, carry: Carry) -> None:
        self._ordinary, self._carry = ordinary, carry
        self._checked: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
        self._quotas: dict[int, tuple[Any, list[Any]]] = {}
        self._validator = ParamValidator()

    def call(self, client: Any, operation: str, params: Mapping[str, Any]) -> Any:
        """A client's call. Raises what botocore raises."""
        meta = client.meta
        service = meta.service_model.service_name
        if (service, operation) not in SERVED:
            return self._ordinary(client, operation, params)
        to = Destination(service, meta.region_name, meta.config)
        answer = self.attempt(to, operation, params)
        if not isinstance(answer, dict):
            return self.go_on(client, operation, params, answer)
        for quota in self._quotas_of(client, operation):
            quota.release(_GIVEN_BACK)
        return answer

    def attempt(
        self, to: Destination, operation: str, params: Mapping[str, Any]
    ) -> dict[str, Any] | HttpResponse | Silence:
        """The first attempt: an output as a client's caller gets it, or what it came to instead.

        Raises ParamValidationError.
        """
        self._check(to.service, operation, params)
        answer = self._carry(to, operation, params)
        return answer if isinstance(answer, HttpResponse | Silence) else _output(answer)

    def go_on(
        self,
        client: Any,
        operation: str,
        params: Mapping[str, Any],
        answer: HttpResponse | Silence,
    ) -> Any:
        """The ordinary way, from the first attempt's answer on. Raises what botocore raises."""
        before = first_answer.set(answer)
        try:
            return self._ordinary(client, operation, params)
        finally:
            first_answer.reset(before)

    def _check(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        key = (service, operation, tuple(params))
        if self._checked[key] >= _CHECKED_TIMES:
            return
        self._checked[key] += 1
        shape = get_service_model(service).operation_model(operation).input_shape
        report = self._validator.validate(params, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())

    def _quotas_of(self, client: Any, operation: str) -> list[Any]:
        """What a client has left for retries: botocore gives a bit back after each success."""
        found = self._quotas.get(id(client))
        if found is None:
            events = client.meta.events
            service = client.meta.service_model.service_id.hyphenize()
            hooks = events._emitter._handlers.prefix_search(f"after-call.{service}.{operation}")
            checkers: list[Any] = [getattr(hook, "__self__", None) for hook in hooks]
            quotas = [vars(c)["_quota"] for c in checkers if isinstance(c, RetryQuotaChecker)]
            # The client is kept with them, so that its id stays its own.
            found = self._quotas[id(client)] = (client, quotas)
        return found[1]


def _output(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An output as a client's caller gets it."""
    output = dict(answer)
    if isinstance(output.get("Payload"), bytes):
        raw = output["Payload"]
        output["Payload"] = StreamingBody(BytesIO(raw), len(raw))
    output["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
    return output
