"""What a health check's configuration may be, and what of it may change."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.calls.wire import AwsError
from localcloud.route53.config import HealthCheck, updated, validated

ENDPOINT = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.example.com"}
ALARM = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-east-1", "Name": "a"}}
EIGHT_AND_ONE = ["us-east-1", "us-west-1", "eu-west-2"]


def test_an_endpoint_check_has_route_53s_defaults() -> None:
    settings = validated(ENDPOINT)

    assert settings == {
        **ENDPOINT,
        "Port": 443,
        "RequestInterval": 30,
        "FailureThreshold": 3,
        "MeasureLatency": False,
        "EnableSNI": True,
        "Inverted": False,
        "Disabled": False,
    }


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"Type": "PING"}, "PING"),
        ({"Type": "HTTPS"}, "FullyQualifiedDomainName"),
        ({**ENDPOINT, "RequestInterval": 15}, "RequestInterval"),
        ({**ENDPOINT, "FailureThreshold": 0}, "FailureThreshold"),
        ({**ENDPOINT, "Port": 0}, "Port"),
        ({**ENDPOINT, "Type": "TCP"}, "Port"),
        ({**ENDPOINT, "Type": "HTTP_STR_MATCH"}, "SearchString"),
        ({**ENDPOINT, "ResourcePath": "/" * 256}, "ResourcePath"),
        ({**ENDPOINT, "Regions": ["us-east-1", "us-west-1", "us-west-1"]}, "at least 3"),
        ({**ENDPOINT, "Regions": EIGHT_AND_ONE}, "eu-west-2"),
        ({**ENDPOINT, "HealthThreshold": 1}, "HealthThreshold"),
        ({"Type": "HTTP", "FullyQualifiedDomainName": "a", "EnableSNI": True}, "EnableSNI"),
        ({"Type": "CALCULATED"}, "must have a health threshold"),
        ({"Type": "CALCULATED", "HealthThreshold": 257}, "256"),
        ({"Type": "CALCULATED", "HealthThreshold": 1, "Port": 80}, "Port"),
        ({"Type": "CLOUDWATCH_METRIC"}, "AlarmIdentifier"),
        ({**ALARM, "InsufficientDataHealthStatus": "Perhaps"}, "LastKnownStatus"),
        ({"Type": "RECOVERY_CONTROL"}, "RoutingControlArn"),
    ],
)
def test_a_wrong_configuration_is_refused_and_the_member_named(
    given: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(AwsError, match=complaint) as refused:
        validated(given)

    assert (refused.value.code, refused.value.status) == ("InvalidInput", 400)


@pytest.mark.parametrize(
    "change",
    [{"RequestInterval": 30}, {"Type": "HTTP"}, {"MeasureLatency": True}, {"IPAddress": "1.1.1.1"}],
)
def test_what_is_fixed_at_creation_cannot_be_changed(change: dict[str, Any]) -> None:
    check = HealthCheck("id", "ref", validated(ENDPOINT))

    with pytest.raises(AwsError, match=next(iter(change))):
        updated(check, change)


def test_an_update_keeps_what_it_does_not_name_and_counts_the_version_on() -> None:
    check = HealthCheck("id", "ref", validated({**ENDPOINT, "ResourcePath": "/health"}))

    changed = updated(check, {"HealthCheckId": "id", "FailureThreshold": 5})

    assert changed.settings == {**check.settings, "FailureThreshold": 5}
    assert (check.version, changed.version) == (1, 2)


def test_an_update_without_a_version_overwrites_whatever_came_between() -> None:
    check = HealthCheck("id", "ref", validated(ENDPOINT), version=7)

    assert updated(check, {"Inverted": True}).version == 8


@pytest.mark.parametrize("wanted", [6, 8])
def test_an_update_for_another_version_is_refused(wanted: int) -> None:
    check = HealthCheck("id", "ref", validated(ENDPOINT), version=7)

    with pytest.raises(AwsError, match="version 7") as refused:
        updated(check, {"HealthCheckVersion": wanted, "Inverted": True})

    assert (refused.value.code, refused.value.status) == ("HealthCheckVersionMismatch", 409)


def test_elements_that_are_reset_are_gone() -> None:
    check = HealthCheck("id", "ref", validated({**ENDPOINT, "ResourcePath": "/health"}))

    assert "ResourcePath" not in updated(check, {"ResetElements": ["ResourcePath"]}).settings
