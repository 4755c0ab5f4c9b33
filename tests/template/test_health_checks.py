"""Health checks and records: what takes a Region out of DNS, and what never does by mistake."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.aws.toggle import threshold
from sidestep.core.topology import served_by, wardens_of
from tests.template.one_stack import THREE, Stack


def checks(here: str = "eu-west-2", regions: tuple[str, ...] = THREE) -> dict[str, dict[str, Any]]:
    made = Stack(here, regions).of_type("AWS::Route53::HealthCheck")
    return {name: check["HealthCheckConfig"] for name, check in made.items()}


def test_every_check_of_an_endpoint_aims_at_a_regional_name_never_at_the_guarded_record() -> None:
    names = {name: c["FullyQualifiedDomainName"] for name, c in checks().items() if "Port" in c}
    first, second = wardens_of("eu-west-2", THREE)
    assert names == {
        "HealthEndpointCheck": "eu-west-2.api.example.com",
        "Warden1Check": f"{first}.api.example.com",
        "Warden2Check": f"{second}.api.example.com",
    }


def test_each_endpoint_check_looks_every_ten_seconds_from_three_checker_regions() -> None:
    for check in (c for c in checks().values() if "Port" in c):
        assert (check["Type"], check["RequestInterval"], len(check["Regions"])) == ("HTTPS", 10, 3)


def test_only_the_wardens_checks_are_inverted_so_a_dead_region_never_looks_healthy() -> None:
    inverted = {name for name, check in checks().items() if check.get("Inverted")}
    assert inverted == {"Warden1Check", "Warden2Check"}


def test_no_check_is_ever_disabled_since_disabled_means_healthy() -> None:
    assert [name for name, check in checks().items() if "Disabled" in check] == []


@pytest.mark.parametrize(("regions", "children"), [(THREE[:2], 2), (THREE, 3)])
def test_any_one_unhealthy_child_takes_the_region_out(
    regions: tuple[str, ...], children: int
) -> None:
    region = checks("eu-west-2", regions)["RegionCheck"]
    names = ["HealthEndpointCheck", "Warden1Check", "Warden2Check"][:children]
    assert region["Type"] == "CALCULATED"
    assert region["ChildHealthChecks"] == [f"<{name}>" for name in names]
    assert len(region["ChildHealthChecks"]) == children
    assert region["HealthThreshold"] == threshold(children, drained=False)


def test_no_calculated_check_monitors_a_calculated_one_since_route_53_refuses_it() -> None:
    made = checks()
    monitored = {name.strip("<>") for c in made.values() for name in c.get("ChildHealthChecks", ())}
    assert monitored == {name for name, check in made.items() if check["Type"] != "CALCULATED"}


def test_the_guarded_record_hangs_on_the_regions_check_and_on_nothing_else() -> None:
    record = Stack("eu-west-2").resources["LatencyRecord"]["Properties"]
    assert (record["Name"], record["SetIdentifier"]) == ("api.example.com", "eu-west-2")
    assert (record["Region"], record["HealthCheckId"]) == ("eu-west-2", "<RegionCheck>")
    assert record["AliasTarget"]["EvaluateTargetHealth"] is False


def test_the_record_that_names_the_region_is_chosen_as_the_guarded_one_is() -> None:
    made = Stack("eu-west-2").resources
    guarded, named = (made[name]["Properties"] for name in ("LatencyRecord", "ServedByRecord"))
    chosen_by = ("SetIdentifier", "Region", "HealthCheckId", "HostedZoneId")
    assert [named[key] for key in chosen_by] == [guarded[key] for key in chosen_by]
    assert (named["Name"], named["Type"]) == (served_by("api.example.com"), "TXT")
    assert (named["ResourceRecords"], named["TTL"]) == (['"eu-west-2"'], "60")


def test_while_dns_names_the_region_its_name_leads_to_the_api() -> None:
    """CloudFormation makes what a resource depends on before it, and deletes it after."""
    waits_for = set(Stack("eu-west-2").resources["LatencyRecord"]["DependsOn"])
    assert waits_for == {"GlobalMapping", "RegionalMapping", "RegionalRecord"}


def test_no_failover_moves_a_regional_host_name() -> None:
    record = Stack("eu-west-2").resources["RegionalRecord"]["Properties"]
    assert record["Name"] == "eu-west-2.api.example.com"
    assert "HealthCheckId" not in record


@pytest.mark.parametrize(
    ("name", "path", "threshold"),
    [
        ("HealthEndpointCheck", "/health", 1),
        ("Warden1Check", "/drained/eu-west-2", 1),
        ("Warden2Check", "/drained/eu-west-2", 1),
    ],
)
def test_a_check_asks_over_tls_by_name_and_believes_each_checkers_first_answer(
    name: str, path: str, threshold: int
) -> None:
    check = checks()[name]
    assert (check["ResourcePath"], check["FailureThreshold"]) == (path, threshold)
    # API Gateway tells its custom domains apart by SNI.
    assert (check["Port"], check["EnableSNI"]) == (443, True)


def test_a_person_finds_each_check_by_its_name() -> None:
    made = Stack("eu-west-2").of_type("AWS::Route53::HealthCheck")
    names = {check["HealthCheckTags"][0]["Value"] for check in made.values()}
    assert len(names) == len(made) == 4
    assert all(name.startswith("sidestep-demo-eu-west-2") for name in names)
