"""TestDNSAnswer: what a name server would say, asked through the API with a stock SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.dns import DryRun
from tests.localcloud.dns.zone import SUBNETS
from tests.localcloud.route53.facts_world import FactsWorld, refused

LONDON, VIRGINIA = "127.0.1.1", "127.0.1.2"


class DryWorld(FactsWorld):
    """The zone api.test with latency records in two Regions."""

    def __init__(self) -> None:
        super().__init__()
        DryRun(self.endpoint, self.answers, SUBNETS)

    def test_answer(self, name: str = "api.test", kind: str = "A", **params: str) -> dict[str, Any]:
        (zone,) = self.api.list_hosted_zones()["HostedZones"]
        answer: dict[str, Any] = self.api.test_dns_answer(
            HostedZoneId=zone["Id"], RecordName=name, RecordType=kind, **params
        )
        return answer


@pytest.fixture
def world() -> Iterator[DryWorld]:
    made = DryWorld()
    with made.kernel:
        made.endpoint.open()
        made.latency_records({})
        yield made
        made.endpoint.close()


@pytest.mark.parametrize(
    ("params", "address"),
    [
        ({}, VIRGINIA),
        ({"EDNS0ClientSubnetIP": "198.18.0.9"}, LONDON),
        ({"ResolverIP": "198.18.0.9"}, LONDON),
        ({"EDNS0ClientSubnetIP": "198.18.1.9", "EDNS0ClientSubnetMask": "32"}, VIRGINIA),
        ({"EDNS0ClientSubnetIP": "198.18.1.9", "EDNS0ClientSubnetMask": "16"}, LONDON),
    ],
)
def test_the_answer_is_for_where_the_question_comes_from(
    world: DryWorld, params: dict[str, str], address: str
) -> None:
    answer = world.test_answer(**params)

    assert (answer["RecordData"], answer["ResponseCode"]) == ([address], "NOERROR")


def test_a_name_that_is_not_there_is_an_answer_too(world: DryWorld) -> None:
    answer = world.test_answer("none.api.test")

    assert (answer["RecordData"], answer["ResponseCode"]) == ([], "NXDOMAIN")


@pytest.mark.parametrize("params", [{"name": "example.com"}, {"EDNS0ClientSubnetIP": "198.18.1"}])
def test_a_name_out_of_the_zone_and_a_broken_address_are_refused(
    world: DryWorld, params: dict[str, str]
) -> None:
    assert refused(lambda: world.test_answer(**params)) == ("InvalidInput", 400)


def test_an_unknown_zone_is_404(world: DryWorld) -> None:
    def ask() -> None:
        world.api.test_dns_answer(HostedZoneId="ZNONE", RecordName="api.test", RecordType="A")

    assert refused(ask) == ("NoSuchHostedZone", 404)
