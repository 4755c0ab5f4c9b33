"""Delivering one event to one target: late, at least once, retried, then dead-lettered.

An error that a retry cannot cure (no permission, no such target) goes to the dead-letter queue
at once; others are retried up to 185 times or 24 hours.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from localcloud.faults.overlapping import Newest
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.event_input import BadInput, input_for
from localcloud.services.event_targets import Failed, Targets
from localcloud.services.queues import Queues
from localcloud.services.resource_policies import ResourcePolicies

MAX_ATTEMPTS: Final = 185
MAX_AGE_S: Final = 24 * 3600
EVENTS: Final = "events.amazonaws.com"

Ingest = Callable[[str, str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class _Errand:
    """One event on its way to one target."""

    region: str
    rule_arn: str
    target: Mapping[str, Any]
    event: Mapping[str, Any]


class Delivery:
    """Takes matched events to their targets."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        targets: Targets,
        queues: Queues,
        policies: ResourcePolicies,
    ) -> None:
        self._kernel, self._network, self._targets = kernel, network, targets
        self._queues, self._policies = queues, policies
        self._chance = kernel.fork("event delivery")
        self.duplicate_shares = Newest[float]()
        """Faults: the share of events that come twice."""
        self.late_s: list[float] = []
        """Faults: how long each event waits at most, besides."""
        self.ingest: Ingest = _unset
        """Puts an event on a bus; the bus sets it."""

    @property
    def duplicate_share(self) -> float:
        """Of the events, 0 to 1."""
        return self.duplicate_shares.value(modelled.DUPLICATE_SHARE)

    def start(
        self, region: str, rule_arn: str, target: Mapping[str, Any], event: Mapping[str, Any]
    ) -> None:
        """Deliver, and now and then deliver again: the same event, with the same id."""
        errand = _Errand(region, rule_arn, target, event)
        soon = self._chance.uniform(*modelled.DELIVERY_S)
        soon += sum(self._chance.uniform(0.0, extra) for extra in self.late_s)
        self._kernel.process(self._deliver(errand, soon))
        if self._chance.random() < self.duplicate_share:
            later = self._chance.uniform(*modelled.DUPLICATE_AFTER_S)
            self._kernel.process(self._deliver(errand, later))

    def _deliver(self, errand: _Errand, delay: float) -> Steps[None]:
        policy = errand.target.get("RetryPolicy") or {}
        most = int(policy.get("MaximumRetryAttempts", MAX_ATTEMPTS))
        age = float(policy.get("MaximumEventAgeInSeconds", MAX_AGE_S))
        accepted, attempt, pause = self._kernel.now, 0, modelled.RETRY_S[0]
        life = self._network.lives[errand.region]
        while True:
            yield self._kernel.env.timeout(delay)
            while errand.region in self._network.down:
                # The bus is down with its Region; what it accepted it still has.
                yield self._kernel.env.timeout(1.0)
            if self._network.lives[errand.region] != life:
                return  # unless that was lost for good
            failed = yield from self._attempt(errand)
            if failed is None or self._network.lives[errand.region] != life:
                return
            if not failed.retryable:
                return self._dead_letter(errand, failed, None, attempt)
            if attempt >= most:
                return self._dead_letter(errand, failed, "MaximumRetryAttempts", attempt)
            delay = self._chance.uniform(0.5, 1.0) * pause
            if self._kernel.now + delay - accepted > age:
                return self._dead_letter(errand, failed, "MaximumEventAgeInSeconds", attempt)
            pause = min(pause * 2, modelled.RETRY_S[1])
            attempt += 1

    def _attempt(self, errand: _Errand) -> Steps[Failed | None]:
        try:
            payload = input_for(errand.target, errand.event, errand.rule_arn)
        except BadInput as wrong:
            return Failed("INVALID_JSON", str(wrong), retryable=False)
        failed: Failed | None = yield from self._targets.send(
            errand.region, errand.rule_arn, errand.target, payload, self.ingest
        )
        return failed

    def _dead_letter(
        self, errand: _Errand, failed: Failed, exhausted: str | None, attempts: int
    ) -> None:
        queue = (errand.target.get("DeadLetterConfig") or {}).get("Arn")
        if queue and not self._policies.allows(EVENTS, "sqs:SendMessage", queue, errand.rule_arn):
            queue = None
        self._kernel.log(
            "event.undelivered",
            region=errand.region,
            rule=errand.rule_arn.rsplit(":rule/", 1)[-1],
            target=errand.target["Arn"],
            code=failed.code,
            message=failed.message,
            dead_letter=queue,
        )
        if queue is None:
            return
        attributes = {
            "RULE_ARN": errand.rule_arn,
            "TARGET_ARN": errand.target["Arn"],
            "ERROR_CODE": failed.code,
            "ERROR_MESSAGE": failed.message or failed.code,
            "RETRY_ATTEMPTS": str(attempts),
        }
        if exhausted:
            attributes["EXHAUSTED_RETRY_CONDITION"] = exhausted
        self._queues.send(queue, json.dumps(errand.event), attributes)


def _unset(region: str, bus: str, event: Mapping[str, Any]) -> None:
    raise RuntimeError(f"no EventBridge was made to take {event['id']} on {bus} in {region}")
