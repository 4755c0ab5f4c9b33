"""Who flips the switches in each design that has any: an orchestrator, Region switch, an oracle.

Each is a listener in the simulated world: it hears alarms as they change and flips switches by
the API that its design uses. Times are simulated seconds; docs/benchmark.md gives the sources,
the published sample that the orchestrator follows among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from benchmarks.peers.endpoints import CANARY, HEALTH
from benchmarks.peers.worlds import CONTROL_ARN
from localcloud.cloud import LocalCloud
from localcloud.faults.kinds import KINDS
from localcloud.kernel import Steps

HOME = "us-east-1"
"""Where the orchestrator runs: where Route 53's control plane and its metrics are."""
RETRIES, RETRY_S = 6, 10.0
"""A workflow's usual Retry on UpdateHealthCheck."""
CLIENT_ALARMS = ("api-5xx-rate", "write-errors", "write-latency", "throttles")


class Switches(Protocol):
    """How a design takes a Region out of DNS and puts it back."""

    def flip(self, region: str, serving: bool) -> Steps[bool]:
        """Set the Region's switch; whether that worked."""
        ...


class ByControlPlane:
    """UpdateHealthCheck in us-east-1, tried again as a workflow would."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud

    def flip(self, region: str, serving: bool) -> Steps[bool]:
        """Raises nothing: False after the last try."""
        check = self._cloud.stacks[region].resources["RegionCheck"].physical_id
        children = len(endpoint_checks(self._cloud, region))

        def ask() -> bool:
            client = self._cloud.client("route53", HOME)
            try:
                # As many as there are: met while they are healthy. One more: never.
                threshold = children if serving else children + 1
                client.update_health_check(HealthCheckId=check, HealthThreshold=threshold)
            except (ClientError, BotoCoreError):
                return False
            return True

        for attempt in range(RETRIES):
            if attempt:
                yield self._cloud.kernel.env.timeout(RETRY_S)
            done = yield from self._cloud.kernel.call(ask)
            if done:
                return True
        return False


class ByDataPlane:
    """ARC's routing controls: no control plane needed."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud = cloud
        for region in cloud.topology.regions:
            cloud.route53.checks.set_routing_control(CONTROL_ARN + region, True)

    def flip(self, region: str, serving: bool) -> Steps[bool]:
        """It works."""
        self._cloud.route53.checks.set_routing_control(CONTROL_ARN + region, serving)
        yield self._cloud.kernel.env.timeout(0.0)
        return True


class OnAlarms:
    """Steps a Region out when any of its alarms rings, and back once none does.

    `start_s`: from an alarm's change to the flip. `again_s`: least time from a return to the next
    drain. `out_s`: least time from a drain to the return: alarms on a Region's clients are quiet
    as soon as it has none. `home`: the Region that it runs in, None for a service that is in all
    of them. `other_green`: no Region is left while alarms ring for each of the others that serve.
    Never the last Region.
    """

    def __init__(
        self,
        cloud: LocalCloud,
        switches: Switches,
        start_s: float,
        again_s: float,
        out_s: float,
        home: str | None,
        other_green: bool,
    ) -> None:
        self._cloud, self._switches = cloud, switches
        self._start_s, self._home, self._other_green = start_s, home, other_green
        self._least_s = {True: again_s, False: out_s}
        regions = cloud.topology.regions
        self._ringing: dict[str, set[str]] = {region: set() for region in regions}
        self._serving = dict.fromkeys(regions, True)
        self._moved_at = dict.fromkeys(regions, -again_s)
        self._busy: set[str] = set()
        self._names = _watched_names(cloud)
        cloud.kernel.process(cloud.kernel.call(self._watch_endpoints))
        cloud.kernel.subscribe(self._hear)

    def _watch_endpoints(self) -> None:
        """An alarm on each endpoint check's HealthCheckStatus, of one minute, in us-east-1."""
        for region in self._cloud.topology.regions:
            for name, check in endpoint_checks(self._cloud, region).items():
                self._cloud.client("cloudwatch", HOME).put_metric_alarm(
                    AlarmName=f"{name}-{region}",
                    Namespace="AWS/Route53",
                    MetricName="HealthCheckStatus",
                    Dimensions=[{"Name": "HealthCheckId", "Value": check}],
                    Statistic="Minimum",
                    Period=60,
                    EvaluationPeriods=1,
                    Threshold=1,
                    ComparisonOperator="LessThanThreshold",
                    TreatMissingData="notBreaching",
                )

    def _hear(self, event: Mapping[str, Any]) -> None:
        region = self._names.get(event["name"]) if event["kind"] == "alarm" else None
        if region is None or not self._told(event["region"]):
            return
        ringing = self._ringing[region]
        (ringing.add if event["state"] == "ALARM" else ringing.discard)(event["name"])
        for other in self._ringing:  # one that goes quiet may free the others to leave
            if not self._as_wanted(other):
                self._begin(other)

    def _begin(self, region: str) -> None:
        if region not in self._busy:
            self._busy.add(region)
            self._cloud.kernel.process(self._act(region))

    def _as_wanted(self, region: str) -> bool:
        """Whether the Region is where its alarms, and those of the others, want it."""
        if self._serving[region]:
            return not self._ringing[region] or not self._may_leave(region)
        return bool(self._ringing[region])

    def _may_leave(self, region: str) -> bool:
        """Whether another Region serves, and seems well where that is asked."""
        return any(
            up and not (self._other_green and self._ringing[other])
            for other, up in self._serving.items()
            if other != region
        )

    def _told(self, source: str) -> bool:
        """Whether an alarm's event comes from its Region to where it is acted on."""
        network = self._cloud.network
        return source not in network.down and (
            self._home is None or network.reachable(source, self._home)
        )

    def _act(self, region: str) -> Steps[None]:
        env = self._cloud.kernel.env
        yield env.timeout(self._start_s)
        least_s = self._least_s[self._serving[region]]
        yield env.timeout(max(0.0, self._moved_at[region] + least_s - env.now))
        while self._home in self._cloud.network.down:  # it goes on when its Region is back
            yield env.timeout(RETRY_S)
        if not self._as_wanted(region):
            wanted = not self._serving[region]
            done = yield from self._switches.flip(region, wanted)
            if done:
                self._serving[region] = wanted
                self._moved_at[region] = env.now
        self._busy.discard(region)
        if not self._as_wanted(region):
            self._begin(region)


class Oracle:
    """Knows a fault the moment it strikes, and when the last of them ends: it goes out once.

    `ends_s`: the Regions that it is right to leave, and when their last fault is over.
    """

    def __init__(self, cloud: LocalCloud, switches: Switches, ends_s: Mapping[str, float]) -> None:
        self._cloud, self._switches = cloud, switches
        self._ends_s = ends_s
        cloud.kernel.subscribe(self._hear)

    def _hear(self, event: Mapping[str, Any]) -> None:
        if event["kind"] not in ("fault", "fault_over") or KINDS[event["what"]].aside:
            return
        region = event["region"]
        if region in self._ends_s:
            over = event["kind"] == "fault_over" and event["t"] >= self._ends_s[region] - 1.0
            if event["kind"] == "fault" or over:
                self._cloud.kernel.process(self._flip(region, over))

    def _flip(self, region: str, serving: bool) -> Steps[None]:
        yield from self._switches.flip(region, serving)


def endpoint_checks(cloud: LocalCloud, region: str) -> dict[str, str]:
    """The Region's endpoint checks: name in the template → id."""
    resources = cloud.stacks[region].resources
    return {name: resources[name].physical_id for name in (HEALTH, CANARY) if name in resources}


def _watched_names(cloud: LocalCloud) -> dict[str, str]:
    """Alarm → the Region that it is about."""
    application = cloud.topology.application
    names: dict[str, str] = {}
    for region in cloud.topology.regions:
        names |= {f"{check}-{region}": region for check in endpoint_checks(cloud, region)}
        names |= {f"sidestep-{application}-{region}-{what}": region for what in CLIENT_ALARMS}
    return names
