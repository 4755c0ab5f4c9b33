"""Route 53 in one piece: an API in one Region, health checkers and name servers everywhere.

The API (control plane) lives in us-east-1, is throttled, and can be down. Checkers and
name servers (data plane) go on.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Protocol

from moto.core.utils import get_service_model

from localcloud.calls.endpoint import ACCOUNT, GLOBAL_HOME, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.route53.health import HealthChecks
from localcloud.route53.health_api import HealthCheckApi
from localcloud.route53.ports import AlarmData, Ask, Record, World
from localcloud.route53.record_api import RecordApi
from localcloud.route53.servers import ServedZones
from localcloud.route53.status_metrics import publish
from localcloud.route53.throttle import Throttle


class Regions(Protocol):
    """Which Regions are down: what `localcloud.network.reach.Network` is."""

    @property
    def down(self) -> Container[str]:
        """Their names."""


class Route53:
    """Health checks, hosted zones and the API to both. `control_plane_down` counts what keeps the
    API away; `record`, when given, gets AWS/Route53's metrics, which exist in us-east-1 only."""

    def __init__(
        self,
        world: World,
        endpoint: Endpoint,
        network: Regions,
        ask: Ask,
        alarm_data: AlarmData,
        record: Record | None = None,
    ) -> None:
        self.control_plane_down = 0
        self.checks = HealthChecks(world, ask, alarm_data)
        self.served = ServedZones(world, ACCOUNT)
        self._world, self._network, self._record = world, network, record
        self._throttle = Throttle(lambda: world.now)
        self._running = False
        HealthCheckApi(world, endpoint, self.checks)
        self._records = RecordApi(world, endpoint, ACCOUNT, self.checks, self.served)
        endpoint.before("route53", *get_service_model("route53").operation_names)(self._admit)

    def start(self) -> None:
        """Deployment is over: checkers ask, calls are counted, record changes take their time."""
        self._running = True
        self.checks.start()
        self._records.start()
        if self._record is not None:
            steps = publish(self._world, self.checks, self._record, self._home_is_up)
            self._world.env.process(steps)

    def healthy(self, check_id: str) -> bool:
        """Whether the DNS servers hold a check to be healthy."""
        return self.checks.in_dns(check_id)

    def _admit(self, call: ApiCall) -> None:
        if self.control_plane_down or not self._home_is_up():
            raise AwsError("ServiceUnavailable", "Route 53's control plane is down", 503)
        # Before the start the world stands still while its stacks are deployed, and no bucket
        # would ever fill again; CloudFormation paces itself by them.
        if self._running:
            self._throttle.admit(call.operation)

    def _home_is_up(self) -> bool:
        return GLOBAL_HOME not in self._network.down
