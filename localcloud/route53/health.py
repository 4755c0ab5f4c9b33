"""What Route 53 holds to be healthy: its data plane, which no control plane outage stops.

A check has a state of its own (its checkers, its children, its alarm) and the state that
the DNS servers know of, which follows a little later.
"""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.route53.checkers import EndpointWatch
from localcloud.route53.config import ENDPOINT_TYPES, HealthCheck
from localcloud.route53.limits import ALARM_POLL_S, CHECKERS_PER_REGION, STATE_TO_DNS_S
from localcloud.route53.ports import AlarmData, Ask, Steps, World


class HealthChecks:
    """All health checks of the account; the history's `health_check` says when DNS hears of one."""

    def __init__(self, world: World, ask: Ask, alarm_data: AlarmData) -> None:
        self._world, self._ask, self._alarm_data = world, ask, alarm_data
        self._checks: dict[str, HealthCheck] = {}
        self._watches: dict[str, EndpointWatch] = {}
        self._alarms: dict[str, bool] = {}
        self._states: dict[str, bool] = {}
        self._in_dns: dict[str, bool] = {}
        self._running = False
        self.checkers_per_region = CHECKERS_PER_REGION
        """Of checks that are made from now on."""
        self.routing_controls: dict[str, bool] = {}
        """Routing control's ARN → whether it is On. One that is not here is Off."""

    # -- reading -----------------------------------------------------------------------------

    def __iter__(self) -> Iterator[HealthCheck]:
        return iter(list(self._checks.values()))

    def __len__(self) -> int:
        return len(self._checks)

    def get(self, check_id: str) -> HealthCheck | None:
        """A check by its id."""
        return self._checks.get(check_id)

    def watch(self, check_id: str) -> EndpointWatch | None:
        """The checkers of an endpoint check; None for any other."""
        return self._watches.get(check_id)

    def in_dns(self, check_id: str) -> bool:
        """Whether the DNS servers hold a check to be healthy.

        What a record without its check is worth AWS does not say; here it is healthy.
        """
        return self._in_dns.get(check_id, True)

    def state(self, check_id: str) -> bool:
        """Whether a check is healthy at this moment. Raises KeyError for an unknown one."""
        check = self._checks[check_id]
        # Disabled means always healthy, inverted or not (HealthCheckConfig$Disabled).
        return check.disabled or self._own(check) != check.inverted

    def healthy_children(self, check: HealthCheck) -> int:
        """How many children of a CALCULATED check are healthy; a deleted one is not."""
        return sum(child in self._checks and self.state(child) for child in check.children)

    def _own(self, check: HealthCheck) -> bool:
        """A check's state before it is inverted."""
        if check.kind in ENDPOINT_TYPES:
            return self._watches[check.id].healthy()
        if check.kind == "CALCULATED":
            # 0 is always healthy, more than there are children never (HealthThreshold).
            return self.healthy_children(check) >= int(check.settings["HealthThreshold"])
        if check.kind == "CLOUDWATCH_METRIC":
            return self._alarms[check.id]
        return self.routing_controls.get(str(check.settings["RoutingControlArn"]), False)

    # -- changing ----------------------------------------------------------------------------

    def start(self) -> None:
        """Send the checkers out, and those of checks to come."""
        self._running = True
        for watch in self._watches.values():
            watch.start()
        self._world.env.process(self._read_alarms())

    def put(self, check: HealthCheck) -> None:
        """A new check, or an old one with other settings."""
        known = check.id in self._checks
        self._checks[check.id] = check
        if check.kind in ENDPOINT_TYPES:
            self._put_watch(check)
        if check.kind == "CLOUDWATCH_METRIC":
            self._read_alarm(check)
        if not known:
            self._states[check.id] = self._in_dns[check.id] = self.state(check.id)
        self._reconsider(check.id)

    def remove(self, check_id: str) -> None:
        """A check is deleted. Its parents no longer count it."""
        del self._checks[check_id], self._states[check_id], self._in_dns[check_id]
        self._alarms.pop(check_id, None)
        watch = self._watches.pop(check_id, None)
        if watch is not None:
            watch.stop()
        self._reconsider_parents(check_id)

    def set_routing_control(self, arn: str, on: bool) -> None:
        """Flip a routing control, as its cluster's data plane would."""
        self.routing_controls[arn] = on
        for check in self:
            if check.settings.get("RoutingControlArn") == arn:
                self._reconsider(check.id)

    def _put_watch(self, check: HealthCheck) -> None:
        watch = self._watches.get(check.id)
        if watch is not None:
            watch.update(check)
            return
        watch = EndpointWatch(
            self._world, check, self._ask, self._reconsider, self.checkers_per_region
        )
        self._watches[check.id] = watch
        if self._running:
            watch.start()

    def _read_alarms(self) -> Steps[None]:
        while True:
            yield self._world.env.timeout(ALARM_POLL_S)
            for check in self:
                if check.kind == "CLOUDWATCH_METRIC" and not check.disabled:
                    self._read_alarm(check)
                    self._reconsider(check.id)

    def _read_alarm(self, check: HealthCheck) -> None:
        """Take over what the alarm's data says; with too little data, what the check says."""
        alarm = check.settings["AlarmIdentifier"]
        try:
            data = self._alarm_data(alarm["Region"], alarm["Name"])
        except LookupError:
            data = None
        if data in ("OK", "ALARM"):
            self._alarms[check.id] = data == "OK"
            return
        without = check.settings["InsufficientDataHealthStatus"]
        if without == "LastKnownStatus":
            self._alarms.setdefault(check.id, True)
        else:
            self._alarms[check.id] = without == "Healthy"

    def _reconsider(self, check_id: str) -> None:
        """Something that a check depends on changed: see whether it did, and who hangs on it."""
        state = self.state(check_id)
        if state == self._states[check_id]:
            return
        self._states[check_id] = state
        self._world.env.process(self._tell_dns(check_id, state))
        self._reconsider_parents(check_id)

    def _reconsider_parents(self, check_id: str) -> None:
        for check in self:
            if check_id in check.children:
                self._reconsider(check.id)

    def _tell_dns(self, check_id: str, state: bool) -> Steps[None]:
        yield self._world.env.timeout(STATE_TO_DNS_S)
        check = self._checks.get(check_id)
        if check is None:
            return
        self._in_dns[check_id] = state
        self._world.log("health_check", id=check_id, name=check.caller_reference, healthy=state)
