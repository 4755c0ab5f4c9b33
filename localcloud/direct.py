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
from io import BytesIO
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.response import StreamingBody
from botocore.retries.standard import RetryQuotaChecker

from localcloud import moto_direct
from localcloud.wire import HttpResponse

SERVED = frozenset(
    # botocore adds a token to a transaction before it is sent: those go the ordinary way.
    {("dynamodb", name) for name in moto_direct.OPERATIONS if not name.startswith("Transact")}
    | {("lambda", "Invoke"), ("cloudwatch", "DescribeAlarms")}
)
"""What goes this way."""
_CHECKED_TIMES = 20
"""How often a client's use of an operation has its parameters checked: what code sends once it
sends again."""
_GIVEN_BACK: int = vars(RetryQuotaChecker)["_NO_RETRY_INCREMENT"]
"""Of the capacity for retries, after a success without any."""
Way = Callable[[Any, str, Mapping[str, Any]], Any]
"""botocore's `BaseClient._make_api_call`: (client, operation, parameters) → output."""


class Silence:
    """The first attempt met no answer. `connected`: it was sent, and waited for."""

    def __init__(self, connected: bool) -> None:
        self.connected = connected


first_answer: ContextVar[HttpResponse | Silence | None] = ContextVar("first_answer", default=None)
"""What the first attempt of the call that goes on in the ordinary way came to."""


Carry = Callable[[Any, str, Mapping[str, Any]], Mapping[str, Any] | HttpResponse | Silence]
"""Answers a client's call of an operation: its output, an error, or silence."""


class DirectWay:
    """Stands in for `_make_api_call`."""

    def __init__(self, ordinary: Way, carry: Carry) -> None:
        self._ordinary, self._carry = ordinary, carry
        self._checked: Counter[tuple[int, str]] = Counter()
        self._quotas: dict[int, tuple[Any, list[Any]]] = {}

    def call(self, client: Any, operation: str, params: Mapping[str, Any]) -> Any:
        """Make the call. Raises what botocore raises."""
        service = client.meta.service_model.service_name
        if (service, operation) not in SERVED:
            return self._ordinary(client, operation, params)
        self._check(client, operation, params)
        answer = self._carry(client, operation, params)
        if isinstance(answer, Mapping):
            return self._succeeded(client, operation, answer)
        before = first_answer.set(answer)
        try:
            return self._ordinary(client, operation, params)
        finally:
            first_answer.reset(before)

    def _check(self, client: Any, operation: str, params: Mapping[str, Any]) -> None:
        key = (id(client), operation)
        if self._checked[key] >= _CHECKED_TIMES:
            return
        self._checked[key] += 1
        shape = client.meta.service_model.operation_model(operation).input_shape
        report = client._serializer._param_validator.validate(
            params, shape
        )  # botocore has no public way
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())

    def _succeeded(self, client: Any, operation: str, output: Mapping[str, Any]) -> dict[str, Any]:
        for quota in self._quotas_of(client, operation):
            quota.release(RetryQuotaChecker._NO_RETRY_INCREMENT)  # as after any success
        answer = dict(output)
        if isinstance(answer.get("Payload"), bytes):
            raw = answer["Payload"]
            answer["Payload"] = StreamingBody(BytesIO(raw), len(raw))
        answer["ResponseMetadata"] = {
            "HTTPStatusCode": 200,
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        }
        return answer

    def _quotas_of(self, client: Any, operation: str) -> list[Any]:
        """What a client has left for retries: botocore gives a bit back after each success."""
        found = self._quotas.get(id(client))
        if found is None:
            events = client.meta.events
            service = client.meta.service_model.service_id.hyphenize()
            hooks = events._emitter._handlers.prefix_search(f"after-call.{service}.{operation}")
            checkers: list[Any] = [getattr(hook, "__self__", None) for hook in hooks]
            quotas = [c._quota for c in checkers if isinstance(c, RetryQuotaChecker)]
            # The client is kept with them, so that its id stays its own.
            found = self._quotas[id(client)] = (client, quotas)
        return found[1]
