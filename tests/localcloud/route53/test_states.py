"""States of checks that hang on others, on alarms and on routing controls, and when DNS hears."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.route53.config import HealthCheck, updated, validated
from localcloud.route53.health import HealthChecks
from localcloud.route53.limits import ALARM_POLL_S, STATE_TO_DNS_S
from tests.localcloud.route53.small_world import Endpoint, SmallWorld

ALARM = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-east-1", "Name": "a"}}
CONTROL = {"Type": "RECOVERY_CONTROL", "RoutingControlArn": "arn:control"}


class Account:
    """Health checks by name, in a small world."""

    def __init__(self) -> None:
        self.world = SmallWorld()
        self.endpoint = Endpoint(self.world)
        self.alarm: str | None = "OK"
        self.checks = HealthChecks(self.world, self.endpoint.ask, self._alarm_data)

    def _alarm_data(self, _region: str, name: str) -> str | None:
        if self.alarm == "deleted":
            raise LookupError(name)
        return self.alarm

    def add(self, name: str, **settings: Any) -> None:
        self.checks.put(HealthCheck(name, name, validated(settings)))

    def sum_up(self, name: str, threshold: int, *children: str, **settings: Any) -> None:
        self.add(
            name,
            Type="CALCULATED",
            HealthThreshold=threshold,
            ChildHealthChecks=list(children),
            **settings,
        )

    def change(self, name: str, **params: Any) -> None:
        check = self.checks.get(name)
        assert check is not None
        self.checks.put(updated(check, params))

    def go(self, seconds: float) -> None:
        self.world.run(float(self.world.env.now) + seconds)

    def told(self) -> list[tuple[float, str, bool]]:
        """What the history says that DNS heard: (when, check, healthy)."""
        return [(e["t"], e["id"], e["healthy"]) for e in self.world.history]


@pytest.fixture
def account() -> Account:
    return Account()


def test_a_change_goes_up_through_every_parent_at_once(account: Account) -> None:
    account.sum_up("toggle", 0)
    account.sum_up("region", 1, "toggle")
    account.sum_up("all", 1, "region")

    account.change("toggle", HealthThreshold=1)

    assert [account.checks.state(name) for name in ("toggle", "region", "all")] == [False] * 3


def test_dns_hears_of_a_change_seconds_later(account: Account) -> None:
    account.sum_up("toggle", 0)
    account.sum_up("region", 1, "toggle")
    account.change("toggle", HealthThreshold=1)

    account.go(STATE_TO_DNS_S - 0.1)
    before = account.checks.in_dns("region")
    account.go(0.2)

    assert (before, account.checks.in_dns("region")) == (True, False)
    assert account.told() == [
        (STATE_TO_DNS_S, "toggle", False),
        (STATE_TO_DNS_S, "region", False),
    ]


def test_a_flip_and_its_undoing_reach_dns_in_their_order(account: Account) -> None:
    account.sum_up("toggle", 0)
    account.change("toggle", HealthThreshold=1)
    account.go(1)
    account.change("toggle", HealthThreshold=0)

    account.go(10)

    assert account.told() == [
        (STATE_TO_DNS_S, "toggle", False),
        (STATE_TO_DNS_S + 1, "toggle", True),
    ]


def test_what_does_not_change_is_not_told(account: Account) -> None:
    account.sum_up("toggle", 0)
    account.sum_up("region", 0, "toggle")

    account.change("toggle", HealthThreshold=1)
    account.go(10)

    assert [check for _, check, _ in account.told()] == ["toggle"]


def test_a_calculated_check_can_be_inverted(account: Account) -> None:
    account.sum_up("never", 1, Inverted=True)

    assert account.checks.state("never")


def test_disabling_heals_whatever_the_check_says(account: Account) -> None:
    account.sum_up("bad", 1)
    account.sum_up("region", 1, "bad")

    account.change("bad", Disabled=True)

    assert account.checks.state("bad")
    assert account.checks.state("region")


def test_a_deleted_child_is_not_counted(account: Account) -> None:
    account.sum_up("child", 0)
    account.sum_up("region", 1, "child")

    account.checks.remove("child")
    account.go(10)

    assert not account.checks.in_dns("region")


def test_a_record_whose_check_is_gone_is_healthy(account: Account) -> None:
    assert account.checks.in_dns("gone")


def test_a_routing_control_is_off_until_it_is_set(account: Account) -> None:
    account.add("control", **CONTROL)
    account.sum_up("region", 1, "control")
    off = account.checks.state("region")

    account.checks.set_routing_control("arn:control", on=True)

    assert (off, account.checks.state("region")) == (False, True)


@pytest.mark.parametrize("alarm", ["INSUFFICIENT_DATA", None, "deleted"])
def test_an_alarm_without_data_is_healthy_when_nothing_was_known_before(
    account: Account, alarm: str | None
) -> None:
    account.alarm = alarm

    account.add("alarm", **ALARM)

    assert account.checks.state("alarm")


def test_the_last_known_status_of_an_alarm_outlives_its_data(account: Account) -> None:
    account.add("alarm", **ALARM)
    account.checks.start()
    account.alarm = "ALARM"
    account.go(ALARM_POLL_S + 1)
    account.alarm = "deleted"

    account.go(60)

    assert not account.checks.in_dns("alarm")


def test_a_disabled_alarm_check_no_longer_looks_at_its_alarm(account: Account) -> None:
    account.add("alarm", **ALARM, Disabled=True)
    account.checks.start()
    account.alarm = "ALARM"

    account.go(60)

    assert account.checks.in_dns("alarm")


def test_checks_made_after_the_start_are_asked_at_once(account: Account) -> None:
    account.checks.start()

    account.add("late", Type="HTTPS", FullyQualifiedDomainName="a", RequestInterval=10)
    account.go(11)

    assert len(account.endpoint.asked) >= 16


def test_no_checker_asks_before_the_start(account: Account) -> None:
    account.add("early", Type="HTTPS", FullyQualifiedDomainName="a", RequestInterval=10)

    account.go(60)

    assert account.endpoint.asked == []
