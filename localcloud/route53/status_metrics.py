"""AWS/Route53's metrics: each check's state by the minute, in us-east-1 and nowhere else.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Callable

from localcloud.route53.health import HealthChecks
from localcloud.route53.limits import STATUS_METRIC_S
from localcloud.route53.ports import Record, Steps, World


def publish(
    world: World, checks: HealthChecks, record: Record, home_is_up: Callable[[], bool]
) -> Steps[None]:
    """Publish for ever. While its Region is down there is no metric, which is not a 0."""
    while True:
        yield world.env.timeout(STATUS_METRIC_S)
        if not home_is_up():
            continue
        for check in checks:
            dimensions = {"HealthCheckId": check.id}
            record("HealthCheckStatus", dimensions, float(checks.state(check.id)))
            watch = checks.watch(check.id)
            if watch is not None:
                record("HealthCheckPercentageHealthy", dimensions, watch.percentage())
            if check.kind == "CALCULATED":
                healthy = float(checks.healthy_children(check))
                record("ChildHealthCheckHealthyCount", dimensions, healthy)
