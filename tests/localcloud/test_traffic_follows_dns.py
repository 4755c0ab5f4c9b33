"""From a flipped health check to where clients really go: DNS moved, and then traffic moved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcloud.client_report import back_after_s, errors, left_after_s, share_by_region
from localcloud.clients import LIFETIME_S, Clients
from localcloud.dns.resolver import Resolver
from tests.localcloud.route53.facts_world import TO_DNS_S, FactsWorld, calculated
from tests.localcloud.test_clients import Door

TTL_S = 60.0
DRAINED_AT_S, RESTORED_AT_S = 150.0, 500.0
REGIONS = {"127.0.1.1": "eu-west-2", "127.0.1.2": "us-east-1"}


class Traffic(FactsWorld):
    """Clients near London and Virginia, whose resolvers ask Route 53."""

    def __init__(self) -> None:
        super().__init__()
        self.door = Door(self.kernel, self.network)

    def clients(self, keep_alive_share: float) -> Clients:
        made = Clients(
            self.kernel,
            self.door.request,
            lambda near: Resolver(lambda: float(self.kernel.env.now), self.answers.answer, near),
            REGIONS.get,
            "api.test",
            {"eu-west-2": 1, "us-east-1": 1},
            rate_per_s=20,
            keep_alive_share=keep_alive_share,
        )
        made.start()
        return made

    def play(self, keep_alive_share: float) -> Clients:
        """London is drained by its toggle, and restored after a while."""
        toggle = calculated(self, 0)
        self.latency_records({"eu-west-2": toggle})
        self.start()
        clients = self.clients(keep_alive_share)
        for at, threshold in ((DRAINED_AT_S, 1), (RESTORED_AT_S, 0)):
            self.kernel.run(until=at)
            self.api.update_health_check(HealthCheckId=toggle, HealthThreshold=threshold)
        self.kernel.run(until=RESTORED_AT_S + 300)
        return clients


@pytest.fixture
def traffic() -> Iterator[Traffic]:
    made = Traffic()
    with made.kernel:
        made.endpoint.open()
        yield made
        made.endpoint.close()


def test_before_a_drain_clients_go_to_the_region_they_are_near(traffic: Traffic) -> None:
    clients = traffic.play(keep_alive_share=0.3)

    before = [sample for sample in clients.samples if sample.at_s < DRAINED_AT_S]
    assert all(sample.region == sample.near for sample in before)
    assert set(share_by_region(before)) == set(REGIONS.values())


def test_a_drained_region_is_left_within_the_ttl(traffic: Traffic) -> None:
    clients = traffic.play(keep_alive_share=0)

    left = left_after_s(clients.samples, "eu-west-2", DRAINED_AT_S)

    assert left is not None
    assert TTL_S / 2 < left <= TTL_S + TO_DNS_S


def test_kept_connections_make_traffic_move_later_than_dns(traffic: Traffic) -> None:
    clients = traffic.play(keep_alive_share=1)

    left = left_after_s(clients.samples, "eu-west-2", DRAINED_AT_S)

    assert left is not None
    assert TTL_S + TO_DNS_S < left <= TTL_S + LIFETIME_S + TO_DNS_S


def test_a_restored_region_is_asked_again(traffic: Traffic) -> None:
    clients = traffic.play(keep_alive_share=0)

    back = back_after_s(clients.samples, "eu-west-2", RESTORED_AT_S)

    assert back is not None
    assert 0 < back <= TTL_S + TO_DNS_S


def test_a_drain_of_healthy_regions_costs_no_client_an_error(traffic: Traffic) -> None:
    clients = traffic.play(keep_alive_share=0.3)

    assert errors(clients.samples) == 0
    assert clients.acknowledged
