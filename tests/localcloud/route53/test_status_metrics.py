"""AWS/Route53's metrics: the state of every check, once a minute, while us-east-1 is there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from localcloud.route53.limits import STATUS_METRIC_S
from localcloud.route53.status_metrics import publish
from tests.localcloud.route53.small_world import THREE_REGIONS
from tests.localcloud.route53.test_states import Account


class Published(Account):
    """Checks whose metrics are written down: (metric, check) → values."""

    def __init__(self) -> None:
        super().__init__()
        self.home_is_up = True
        self.values: dict[tuple[str, str], list[float]] = {}
        steps = publish(self.world, self.checks, self._record, lambda: self.home_is_up)
        self.world.env.process(steps)

    def _record(self, name: str, dimensions: Mapping[str, str], value: float) -> None:
        self.values.setdefault((name, dimensions["HealthCheckId"]), []).append(value)


@pytest.fixture
def account() -> Published:
    return Published()


def test_a_checks_state_is_published_again_and_again(account: Published) -> None:
    account.sum_up("good", 0)
    account.sum_up("bad", 1)
    account.sum_up("region", 2, "good", "bad")

    account.go(2 * STATUS_METRIC_S + 1)

    assert account.values["HealthCheckStatus", "good"] == [1, 1]
    assert account.values["HealthCheckStatus", "region"] == [0, 0]
    assert account.values["ChildHealthCheckHealthyCount", "region"] == [1, 1]


def test_an_endpoints_share_of_healthy_checkers_is_published(account: Published) -> None:
    account.endpoint.dead_to = {f"near {THREE_REGIONS[0]}"}
    account.add(
        "endpoint",
        Type="HTTPS",
        FullyQualifiedDomainName="a",
        RequestInterval=10,
        FailureThreshold=1,
        Regions=list(THREE_REGIONS),
    )
    account.checks.start()

    account.go(6 * STATUS_METRIC_S + 1)

    shares = account.values["HealthCheckPercentageHealthy", "endpoint"]
    assert shares[-1] == pytest.approx(200 / 3)


def test_nothing_is_published_while_us_east_1_is_down(account: Published) -> None:
    account.sum_up("good", 0)
    account.home_is_up = False

    account.go(10 * STATUS_METRIC_S)

    assert account.values == {}
