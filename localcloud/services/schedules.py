"""Scheduled rules: `rate(...)`, each Region and rule at a phase of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moto.events.models import Rule, events_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services.event_delivery import Delivery
from localcloud.services.identifiers import new_id

_UNITS: Final = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")


def period_s(expression: str) -> float:
    """Seconds between two firings. Raises ValueError, naming what is not supported.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    if expression.startswith("cron("):
        raise ValueError(f"the local cloud does not run cron schedules: {expression}")
    found = _RATE.fullmatch(expression)
    if not found or int(found[1]) < 1 or (int(found[1]) == 1) == bool(found[3]):
        raise ValueError(f"not a schedule: {expression!r} (one minute, but two minutes)")
    return int(found[1]) * _UNITS[found[2]]


LATE_S = 3.0
"""Chosen, drawn for each firing: at most so long after it is due a rule fires. AWS promises the
minute, not the second (the userguide above)."""


class Schedules:
    """Fires scheduled rules. A firing missed because the Region was down is not made up for."""

    def __init__(
        self, kernel: Kernel, network: Network, endpoint: Endpoint, delivery: Delivery
    ) -> None:
        self._ids = kernel.fork("schedule ids")
        self._kernel, self._network, self._delivery = kernel, network, delivery
        self._running: dict[tuple[str, str], str] = {}
        endpoint.before("events", "PutRule")(_check)
        endpoint.after("events", "PutRule")(self._start)

    def _start(self, call: ApiCall, _: Mapping[str, Any] | None) -> None:
        expression, name = call.params.get("ScheduleExpression"), call.params["Name"]
        if not expression or self._running.get((call.region, name)) == expression:
            return
        self._running[call.region, name] = expression
        self._kernel.process(self._run(call.region, name, expression))

    def _run(self, region: str, name: str, expression: str) -> Steps[None]:
        env, period = self._kernel.env, period_s(expression)
        chance = self._kernel.fork(f"schedule/{region}/{name}")
        due = env.now + chance.random() * period
        yield env.timeout(due + chance.uniform(0, LATE_S) - env.now)
        while self._running.get((region, name)) == expression:
            rule = events_backends[ACCOUNT][region].event_buses["default"].rules.get(name)
            if rule is None:
                del self._running[region, name]
                return
            if rule.state == "ENABLED" and region not in self._network.down:
                self._fire(region, rule)
            due += period
            yield env.timeout(due + chance.uniform(0, LATE_S) - env.now)

    def _fire(self, region: str, rule: Rule) -> None:
        event: dict[str, Any] = {
            "version": "0",
            "id": new_id(self._ids),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": datetime.fromtimestamp(self._kernel.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": [rule.arn],
            "detail": {},
        }
        for target in list(rule.targets):
            self._delivery.start(region, rule.arn, target, event)


def _check(call: ApiCall) -> None:
    expression = call.params.get("ScheduleExpression")
    if not expression:
        return
    bus = call.params.get("EventBusName") or "default"
    if bus != "default" and not bus.endswith("event-bus/default"):
        raise AwsError(
            "ValidationException", "ScheduleExpression is supported only on the default event bus."
        )
    try:
        period_s(expression)
    except ValueError as wrong:
        raise AwsError("ValidationException", str(wrong)) from None
