"""What is known of Route 53's API and answers, asked from outside: no kinder than AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.localcloud.route53.facts_world import FactsWorld, calculated, refused


@pytest.fixture
def world() -> Iterator[FactsWorld]:
    made = FactsWorld()
    with made.kernel:
        made.endpoint.open()
        yield made
        made.endpoint.close()


def test_an_update_with_an_old_version_is_refused_and_changes_nothing(world: FactsWorld) -> None:
    check = calculated(world, 0)
    world.api.update_health_check(HealthCheckId=check, HealthCheckVersion=1, HealthThreshold=1)

    def late() -> None:
        world.api.update_health_check(HealthCheckId=check, HealthCheckVersion=1, HealthThreshold=0)

    assert refused(late) == ("HealthCheckVersionMismatch", 409)
    kept = world.api.get_health_check(HealthCheckId=check)["HealthCheck"]
    assert (kept["HealthCheckVersion"], kept["HealthCheckConfig"]["HealthThreshold"]) == (2, 1)


def test_a_recovery_control_check_cannot_be_updated(world: FactsWorld) -> None:
    check = world.check(Type="RECOVERY_CONTROL", RoutingControlArn="arn:aws:r")

    code, _ = refused(lambda: world.api.update_health_check(HealthCheckId=check, Inverted=True))

    assert code == "InvalidInput"


def test_an_unknown_check_is_404(world: FactsWorld) -> None:
    call = world.api.get_health_check

    assert refused(lambda: call(HealthCheckId="none")) == ("NoSuchHealthCheck", 404)


def test_status_is_throttled_after_four_calls_and_then_one_a_second(world: FactsWorld) -> None:
    check, api = world.check(), world.api
    world.start()

    def ask() -> None:
        api.get_health_check_status(HealthCheckId=check)

    for _ in range(4):
        ask()

    assert refused(ask) == ("Throttling", 400)
    world.pass_s(1)
    ask()
    assert refused(ask) == ("Throttling", 400)


def test_other_calls_are_throttled_after_fifty(world: FactsWorld) -> None:
    check, api = world.check(), world.api
    world.start()

    def ask() -> None:
        api.get_health_check(HealthCheckId=check)

    for _ in range(50):
        ask()

    assert refused(ask) == ("Throttling", 400)


def test_without_its_control_plane_checks_and_answers_go_on(world: FactsWorld) -> None:
    check = world.check()
    world.latency_records({"eu-west-2": check})
    world.start()
    world.pass_s(30)
    world.route53.control_plane_down = True
    world.status = 500

    world.pass_s(60)

    assert world.at_london() == ("127.0.1.2",)
    for call in (
        lambda: world.api.update_health_check(HealthCheckId=check, Disabled=True),
        lambda: world.api.list_hosted_zones(),
        lambda: world.api.list_health_checks(),
    ):
        assert refused(call) == ("ServiceUnavailable", 503)


# -- answers --------------------------------------------------------------------------------------


def test_all_records_unhealthy_are_answered_as_if_all_were_healthy(world: FactsWorld) -> None:
    world.latency_records({"eu-west-2": calculated(world, 1), "us-east-1": calculated(world, 1)})

    assert world.at_london() == ("127.0.1.1",)


def test_an_alias_has_the_ttl_of_its_target(world: FactsWorld) -> None:
    world.latency_records({})

    assert world.answers.answer("api.test", "A", "eu-west-2").ttl == 60


def test_a_name_without_such_records_is_not_a_name_that_is_not_there(world: FactsWorld) -> None:
    world.latency_records({})

    assert world.answers.answer("api.test", "AAAA", "eu-west-2").rcode == 0
    assert world.answers.answer("none.api.test", "A", "eu-west-2").rcode == 3
