"""CloudWatch alarms: judged on their data every period, acting on change of state only.

moto keeps the alarms. A state set by hand (SetAlarmState) acts
once, and the next evaluation puts the data's own state back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, cloudwatch_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.faults.overlapping import Overlapping
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.alarm_events import (
    notification,
    reason_data,
    reason_for,
    stamp,
    state_change,
)
from localcloud.services.alarm_list import described
from localcloud.services.alarm_rules import (
    ALARM,
    INSUFFICIENT,
    OK,
    AlarmRule,
    judge,
    points_of,
    rule_of,
    too_few_samples,
)
from localcloud.services.metric_math import Points
from localcloud.services.metrics import MetricStore

Emit = Callable[[str, Mapping[str, Any]], None]
"""(Region, event without id, account, time, Region) → onto that Region's default bus."""
Publish = Callable[[str, str, str], object]
"""(topic ARN, subject, message) → SNS. Raises LookupError: no such topic."""


@dataclass
class _Watched:
    """A rule, the parameters it came from, and the state that its data alone gives."""

    rule: AlarmRule
    params: Mapping[str, Any]
    data_state: str = INSUFFICIENT


class Alarms:
    """Every Region's alarms."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        endpoint: Endpoint,
        metrics: MetricStore,
        emit: Emit,
        publish: Publish,
    ) -> None:
        self._kernel, self._network, self._metrics = kernel, network, metrics
        self._emit, self._publish = emit, publish
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._stuck = Overlapping[str]()
        endpoint.before("cloudwatch", "PutMetricAlarm")(self._check)
        endpoint.after("cloudwatch", "PutMetricAlarm")(self._put)
        endpoint.before("cloudwatch", "PutCompositeAlarm", "PutAnomalyDetector")(_refuse)
        endpoint.answers("cloudwatch", "SetAlarmState")(self._set_state)
        endpoint.answers("cloudwatch", "DescribeAlarms")(self._describe)

    def alarm_data(self, region: str, name: str) -> str:
        """The state that the alarm's data gives now, whatever state was set by hand.

        What a Route 53 CLOUDWATCH_METRIC check reads. Raises LookupError for an unknown alarm.
        """
        watched = self._watched.get((region, name))
        if watched is None or self._find(region, name) is None:
            raise LookupError(f"no alarm {name} in {region}")
        return self._judge(watched, watched.data_state)[0]

    def stick(self, region: str) -> None:
        """A fault: the Region's alarms are in INSUFFICIENT_DATA and stay there."""
        self._stuck.add(region)
        for where, name in list(self._watched):
            alarm = self._find(where, name)
            if where == region and alarm is not None:
                self._change(region, alarm, INSUFFICIENT, "Unchecked: Initial alarm creation", "{}")

    def unstick(self, region: str) -> None:
        """They are judged again, each at its next turn."""
        self._stuck.discard(region)

    # -- the API -----------------------------------------------------------------------------

    def _check(self, call: ApiCall) -> None:
        try:
            rule_of(call.region, call.params)
        except ValueError as unsupported:
            raise AwsError("ValidationError", str(unsupported)) from None
        actions = [
            arn
            for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")
            for arn in call.params.get(kind) or ()
        ]
        for arn in actions:
            if ":sns:" not in arn:
                raise AwsError(
                    "ValidationError", f"the local cloud's alarms act by SNS only, not by {arn}"
                )
        present = self._find(call.region, call.params["AlarmName"])
        call.notes["state"] = INSUFFICIENT if present is None else present.state_value

    def _put(self, call: ApiCall, _: Mapping[str, Any] | None) -> None:
        name = call.params["AlarmName"]
        alarm = self._find(call.region, name)
        assert alarm is not None
        # moto starts every alarm at OK; AWS starts a new one without data and keeps an old state.
        alarm.state_value = call.notes["state"]
        rule = rule_of(call.region, call.params)
        known = self._watched.get((call.region, name))
        self._watched[call.region, name] = _Watched(rule, dict(call.params), alarm.state_value)
        if known is None:
            self._kernel.process(self._watch(call.region, name))

    def _describe(self, call: ApiCall) -> Mapping[str, Any]:
        here = [
            (name, w.params) for (where, name), w in self._watched.items() if where == call.region
        ]
        found = [(self._find(call.region, name), params) for name, params in here]
        return described([(alarm, params) for alarm, params in found if alarm], call.params)

    def _set_state(self, call: ApiCall) -> Mapping[str, Any]:
        alarm = self._find(call.region, call.params["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", "Could not find the alarm", 404)
        state = call.params["StateValue"]
        if state not in (OK, ALARM, INSUFFICIENT):
            raise AwsError("ValidationError", f"{state} is not a state of an alarm")
        data = call.params.get("StateReasonData") or ""
        self._change(call.region, alarm, state, call.params["StateReason"], data)
        return {}

    @staticmethod
    def _find(region: str, name: str) -> Alarm | None:
        return cloudwatch_backends[ACCOUNT][region].alarms.get(name)

    # -- evaluation --------------------------------------------------------------------------

    def _watch(self, region: str, name: str) -> Steps[None]:
        """Judge one alarm for as long as it exists, each at its own second of the minute."""
        phase = self._kernel.fork(f"alarm/{region}/{name}").random()
        interval = 10.0 if self._watched[region, name].rule.high_resolution else 60.0
        yield self._kernel.env.timeout(phase * interval)
        while (alarm := self._find(region, name)) is not None:
            watched = self._watched[region, name]
            if region not in self._network.down and region not in self._stuck:
                self._evaluate(watched, alarm)
            yield self._kernel.env.timeout(10.0 if watched.rule.high_resolution else 60.0)
        del self._watched[region, name]

    def _evaluate(self, watched: _Watched, alarm: Alarm) -> None:
        watched.data_state, _ = self._judge(watched, watched.data_state)
        state, points = self._judge(watched, alarm.state_value)
        if state != alarm.state_value:
            reason = reason_for(watched.rule, state, alarm.state_value, points)
            data = reason_data(watched.rule, points, self._kernel.now)
            self._change(watched.rule.region, alarm, state, reason, data)

    def _judge(self, watched: _Watched, current: str) -> tuple[str, Points]:
        now = self._kernel.now
        points = points_of(watched.rule, self._metrics, now)
        if too_few_samples(watched.rule, self._metrics, now):
            return current, points
        return judge(watched.rule, points, current), points

    # -- change of state -----------------------------------------------------------------------

    def _change(self, region: str, alarm: Alarm, state: str, reason: str, data: str) -> None:
        previous = {
            "value": alarm.state_value,
            "reason": alarm.state_reason,
            "reasonData": alarm.state_reason_data,
            "timestamp": stamp(alarm.state_updated_timestamp),
        }
        alarm.update_state(reason, data, state)
        if state == previous["value"]:
            return
        self._kernel.log(
            "alarm",
            region=region,
            name=alarm.name,
            state=state,
            was=previous["value"],
            reason=reason,
        )
        self._kernel.process(self._act(region, alarm, previous, state, reason, data))

    def _act(
        self,
        region: str,
        alarm: Alarm,
        previous: Mapping[str, str],
        state: str,
        reason: str,
        data: str,
    ) -> Steps[None]:
        changed = datetime.fromtimestamp(self._kernel.now, UTC)
        params = self._watched[region, alarm.name].params
        delay = self._kernel.fork(f"act/{alarm.name}/{self._kernel.now}")
        yield self._kernel.env.timeout(delay.uniform(*modelled.ALARM_ACTION_S))
        now = {
            "value": state,
            "reason": reason,
            "reasonData": data,
            "timestamp": stamp(changed),
        }
        self._emit(region, state_change(alarm, params, previous, now))
        actions = {ALARM: alarm.alarm_actions, OK: alarm.ok_actions}
        topics = actions.get(state, alarm.insufficient_data_actions)
        if not alarm.actions_enabled:
            return
        for topic in topics:
            subject = f'{state}: "{alarm.name}" in {region}'[:100]
            message = notification(region, alarm, params, previous["value"], now)
            try:
                self._publish(topic, subject, json.dumps(message))
            except LookupError:
                # CloudWatch neither checks an action beforehand nor reports that it failed.
                self._kernel.log("alarm.action_failed", region=region, name=alarm.name, topic=topic)


def _refuse(call: ApiCall) -> None:
    raise AwsError("NotImplemented", f"the local cloud does not support {call.operation}", 501)
