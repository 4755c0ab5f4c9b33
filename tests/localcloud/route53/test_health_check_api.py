"""The health check operations as a stock SDK sees them, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.localcloud.route53.facts_world import FactsWorld, calculated, refused, switch


@pytest.fixture
def world() -> Iterator[FactsWorld]:
    made = FactsWorld()
    with made.kernel:
        made.endpoint.open()
        yield made
        made.endpoint.close()


def test_status_is_what_each_checker_saw_last(world: FactsWorld) -> None:
    check = world.check(Regions=["us-east-1", "us-west-2", "eu-west-1"])
    world.start()
    world.pass_s(20)

    seen = world.api.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]

    assert sorted(one["Region"] for one in seen) == sorted(
        2 * ["us-east-1", "us-west-2", "eu-west-1"]
    )
    assert len({one["IPAddress"] for one in seen}) == 6
    assert {one["StatusReport"]["Status"] for one in seen} == {"Success: HTTP Status Code 200, OK"}
    for one in seen:
        age_s = world.kernel.now - one["StatusReport"]["CheckedTime"].timestamp()
        assert 0 <= age_s <= 11


def test_a_checker_that_has_seen_nothing_yet_is_not_in_the_status(world: FactsWorld) -> None:
    check = world.check()

    answer = world.api.get_health_check_status(HealthCheckId=check)

    assert answer["HealthCheckObservations"] == []


def test_the_last_failure_reason_outlives_the_failure(world: FactsWorld) -> None:
    check = world.check()
    world.status = 500
    world.start()
    world.pass_s(20)
    world.status = 200
    world.pass_s(40)

    seen = world.api.get_health_check_last_failure_reason(HealthCheckId=check)

    reasons = {one["StatusReport"]["Status"] for one in seen["HealthCheckObservations"]}
    assert reasons == {"Failure: HTTP Status Code 500, Internal Server Error"}


def test_a_calculated_check_has_no_status_to_get(world: FactsWorld) -> None:
    check = calculated(world, 0)

    assert refused(lambda: world.api.get_health_check_status(HealthCheckId=check)) == (
        "InvalidInput",
        400,
    )


def test_the_same_request_again_is_the_same_check(world: FactsWorld) -> None:
    config = {"Type": "CALCULATED", "HealthThreshold": 0}

    made = [
        world.api.create_health_check(CallerReference="one", HealthCheckConfig=config)
        for _ in range(2)
    ]

    assert made[0]["HealthCheck"]["Id"] == made[1]["HealthCheck"]["Id"]
    assert world.api.get_health_check_count()["HealthCheckCount"] == 1


@pytest.mark.parametrize("deleted", [False, True])
def test_a_caller_reference_is_never_free_for_another_check(
    world: FactsWorld, deleted: bool
) -> None:
    def make(threshold: int) -> str:
        made = world.api.create_health_check(
            CallerReference="one",
            HealthCheckConfig={"Type": "CALCULATED", "HealthThreshold": threshold},
        )
        return str(made["HealthCheck"]["Id"])

    first = make(0)
    if deleted:
        world.api.delete_health_check(HealthCheckId=first)

    assert refused(lambda: make(1)) == ("HealthCheckAlreadyExists", 409)


def test_deleting_a_child_is_allowed_and_takes_it_from_its_parent(world: FactsWorld) -> None:
    child = switch(world, on=True)
    parent = calculated(world, 1, child)

    world.api.delete_health_check(HealthCheckId=child)
    world.pass_s(5)

    assert not world.route53.healthy(parent)


def test_a_child_must_exist_and_be_no_calculated_check(world: FactsWorld) -> None:
    """Developer guide, health-checks-creating-values: "You can't configure a calculated health
    check to monitor the health of other calculated health checks"."""
    one, other = calculated(world, 0), calculated(world, 0)

    assert refused(lambda: calculated(world, 1, "none")) == ("InvalidInput", 400)
    assert refused(lambda: calculated(world, 1, one)) == ("InvalidInput", 400)
    later = refused(
        lambda: world.api.update_health_check(HealthCheckId=one, ChildHealthChecks=[other])
    )
    assert later == ("InvalidInput", 400)


def test_a_list_can_be_read_page_by_page(world: FactsWorld) -> None:
    made = [calculated(world, 0) for _ in range(5)]

    pages = world.api.get_paginator("list_health_checks").paginate(PaginationConfig={"PageSize": 2})

    read = [[check["Id"] for check in page["HealthChecks"]] for page in pages]
    assert read == [made[:2], made[2:4], made[4:]]


def test_a_check_is_described_as_it_was_made(world: FactsWorld) -> None:
    check = world.check(
        Type="CLOUDWATCH_METRIC",
        AlarmIdentifier={"Region": "eu-west-2", "Name": "errors"},
        InsufficientDataHealthStatus="Unhealthy",
        Inverted=True,
    )

    kept = world.api.get_health_check(HealthCheckId=check)["HealthCheck"]

    assert kept["HealthCheckVersion"] == 1
    assert kept["HealthCheckConfig"] == {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Region": "eu-west-2", "Name": "errors"},
        "InsufficientDataHealthStatus": "Unhealthy",
        "Inverted": True,
        "Disabled": False,
    }


def test_an_account_has_two_hundred_checks(world: FactsWorld) -> None:
    for _ in range(200):
        calculated(world, 0)

    assert refused(lambda: calculated(world, 0)) == ("TooManyHealthChecks", 400)


def test_deploying_is_not_throttled_and_running_is(world: FactsWorld) -> None:
    for _ in range(60):
        world.api.get_health_check_count()
    world.start()

    for _ in range(50):
        world.api.get_health_check_count()

    assert refused(lambda: world.api.get_health_check_count()) == ("Throttling", 400)


def test_with_its_home_region_down_the_api_is_down(world: FactsWorld) -> None:
    check = world.check()
    world.start()
    world.network.down.add("us-east-1")

    call = world.api.get_health_check

    assert refused(lambda: call(HealthCheckId=check)) == ("ServiceUnavailable", 503)
