"""What is known of health checks, asked from outside: fails if we were kinder than AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.localcloud.route53.facts_world import TO_DNS_S, FactsWorld, calculated, refused, switch

THREE_REGIONS = ["us-east-1", "us-west-2", "eu-west-1"]


@pytest.fixture
def world() -> Iterator[FactsWorld]:
    made = FactsWorld()
    with made.kernel:
        made.endpoint.open()
        yield made
        made.endpoint.close()


# -- endpoint checks ------------------------------------------------------------------------------


def test_the_interval_cannot_be_changed(world: FactsWorld) -> None:
    made = world.api.update_health_check
    check = world.check()

    with pytest.raises(Exception, match="RequestInterval"):
        made(HealthCheckId=check, RequestInterval=30)


@pytest.mark.parametrize("wrong", [{"RequestInterval": 20}, {"FailureThreshold": 11}])
def test_no_interval_but_10_or_30_and_no_threshold_over_10(
    world: FactsWorld, wrong: dict[str, int]
) -> None:
    assert refused(lambda: world.check(**wrong)) == ("InvalidInput", 400)


def test_a_check_asks_from_sixteen_checkers_in_eight_regions(world: FactsWorld) -> None:
    world.check()
    world.start()

    world.pass_s(10)

    assert len({place for _, place in world.asked}) == 8
    assert len(world.asked) == 16


def test_a_check_can_be_limited_to_three_checker_regions_and_no_fewer(world: FactsWorld) -> None:
    world.check(Regions=THREE_REGIONS)
    world.start()
    world.pass_s(10)

    with pytest.raises(Exception, match="Regions"):
        world.check(Regions=THREE_REGIONS[:2])

    assert {place for _, place in world.asked} == set(THREE_REGIONS)


def test_it_takes_the_threshold_of_failures_to_turn_unhealthy(world: FactsWorld) -> None:
    check = world.check()
    world.start()
    world.pass_s(60)
    world.status = 500

    world.pass_s(19)
    early = world.route53.healthy(check)
    world.pass_s(20 + TO_DNS_S)

    assert (early, world.route53.healthy(check)) == (True, False)


def test_it_takes_as_many_successes_to_turn_healthy_again(world: FactsWorld) -> None:
    check = world.check()
    world.start()
    world.status = 500
    world.pass_s(60)
    world.status = 200

    world.pass_s(19)
    early = world.route53.healthy(check)
    world.pass_s(20 + TO_DNS_S)

    assert (early, world.route53.healthy(check)) == (False, True)


@pytest.mark.parametrize(("healthy_regions", "healthy"), [(2, True), (1, False)])
def test_more_than_18_percent_of_checkers_make_an_endpoint_healthy(
    world: FactsWorld, healthy_regions: int, healthy: bool
) -> None:
    check = world.check()
    world.start()
    world.pass_s(15)
    places = sorted({place for _, place in world.asked})
    world.dead_from = set(places[healthy_regions:])

    world.pass_s(120)

    assert world.route53.healthy(check) is healthy


@pytest.mark.parametrize(("status", "healthy"), [(204, True), (301, True), (404, False)])
def test_2xx_and_3xx_are_healthy(world: FactsWorld, status: int, healthy: bool) -> None:
    world.status = status
    check = world.check()
    world.start()

    world.pass_s(60)

    assert world.route53.healthy(check) is healthy


def test_a_status_after_more_than_two_seconds_is_a_failure(world: FactsWorld) -> None:
    world.answer_s = 2.5
    check = world.check()
    world.start()

    world.pass_s(80)

    assert not world.route53.healthy(check)


def test_a_new_check_is_healthy_and_a_new_inverted_one_is_not(world: FactsWorld) -> None:
    plain, inverted = world.check(), world.check(Inverted=True)

    assert (world.route53.healthy(plain), world.route53.healthy(inverted)) == (True, False)


def test_an_inverted_check_is_healthy_while_its_endpoint_is_dead(world: FactsWorld) -> None:
    check = world.check(Inverted=True)
    world.start()
    world.status = 500

    world.pass_s(60)

    assert world.route53.healthy(check)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_disabled_check_is_healthy_whatever_happens(world: FactsWorld, inverted: bool) -> None:
    check = world.check(Disabled=True, Inverted=inverted)
    world.start()
    world.status = 500

    world.pass_s(120)

    assert world.route53.healthy(check)
    assert world.asked == []


# -- calculated and alarm checks ------------------------------------------------------------------


def test_a_threshold_above_the_children_is_never_met_and_0_always(world: FactsWorld) -> None:
    never, always = calculated(world, 1), calculated(world, 0)

    assert (world.route53.healthy(never), world.route53.healthy(always)) == (False, True)


def test_a_calculated_check_needs_its_threshold_of_healthy_children(world: FactsWorld) -> None:
    good, bad = switch(world, on=True), switch(world, on=False)

    assert world.route53.healthy(calculated(world, 1, good, bad))
    assert not world.route53.healthy(calculated(world, 2, good, bad))


def test_a_disabled_child_counts_as_healthy(world: FactsWorld) -> None:
    child = world.check(Disabled=True, Inverted=True)

    assert world.route53.healthy(calculated(world, 1, child))


def test_no_more_than_256_children(world: FactsWorld) -> None:
    child = switch(world, on=True)

    with pytest.raises(Exception, match="no more than 256"):
        calculated(world, 1, *[child] * 257)


def test_flipping_the_threshold_takes_the_record_out_and_brings_it_back(world: FactsWorld) -> None:
    toggle = calculated(world, 0)
    world.latency_records({"eu-west-2": toggle})
    world.start()

    seen = [world.at_london()]
    for threshold in (1, 0):
        world.api.update_health_check(HealthCheckId=toggle, HealthThreshold=threshold)
        world.pass_s(TO_DNS_S)
        seen.append(world.at_london())

    assert seen == [("127.0.1.1",), ("127.0.1.2",), ("127.0.1.1",)]


def test_a_flip_does_not_reach_dns_in_the_same_moment(world: FactsWorld) -> None:
    toggle = calculated(world, 0)
    world.start()

    world.api.update_health_check(HealthCheckId=toggle, HealthThreshold=1)

    assert world.route53.healthy(toggle)


@pytest.mark.parametrize(
    ("without_data", "healthy"),
    [("Healthy", True), ("Unhealthy", False), ("LastKnownStatus", False)],
)
def test_an_alarm_check_follows_data_and_has_a_rule_for_their_lack(
    world: FactsWorld, without_data: str, healthy: bool
) -> None:
    check = world.check(
        Type="CLOUDWATCH_METRIC",
        AlarmIdentifier={"Region": "eu-west-2", "Name": "a"},
        InsufficientDataHealthStatus=without_data,
    )
    world.start()
    world.alarm = "ALARM"
    world.pass_s(30)
    in_alarm = world.route53.healthy(check)
    world.alarm = "INSUFFICIENT_DATA"

    world.pass_s(30)

    assert (in_alarm, world.route53.healthy(check)) == (False, healthy)
