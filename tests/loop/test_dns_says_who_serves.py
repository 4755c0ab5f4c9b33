"""Where DNS sends clients is told by name: the real step, template and name servers agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from sidestep.aws.toggle import threshold
from tests.loop.world import go_on, world_without

HERE, LEFT = "us-east-1", "eu-west-2"
"""Where the step runs, and the Region that it is about."""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with world_without() as made:
        go_on(made, 14)  # every Region has voted and registered its clients' subnet
        yield made


def invoke(cloud: LocalCloud, function: str, given: dict[str, Any]) -> dict[str, Any]:
    name = cloud.stacks[HERE].resources[function].physical_id
    done = cloud.kernel.finish(cloud.lambdas.invoke(HERE, name, given))
    assert done.error is None
    payload: dict[str, Any] = json.loads(json.dumps(done.payload))
    return payload


def claim(cloud: LocalCloud) -> dict[str, Any]:
    execution = f"arn:aws:states:{HERE}:123456789012:execution:a-failover:a-test"
    given = {"region": LEFT, "kind": "failover", "execution": execution}
    held: dict[str, Any] = invoke(cloud, "ClaimFunction", given)["claim"]
    return held


def seen(cloud: LocalCloud, held: dict[str, Any], expect: str) -> tuple[bool | None, list[str]]:
    answer = invoke(cloud, "TrafficFunction", {"claim": held, "expect": expect})
    return answer["dns_moved"], answer["answers"]


def test_dns_moved_is_seen_by_the_name_of_the_region_that_it_chooses(cloud: LocalCloud) -> None:
    held, toggle = claim(cloud), cloud.stacks[LEFT].resources["RegionCheck"].physical_id
    assert seen(cloud, held, "elsewhere") == (False, [LEFT])
    assert seen(cloud, held, "back") == (True, [LEFT])

    cloud.client("route53").update_health_check(
        HealthCheckId=toggle, HealthThreshold=threshold(3, drained=True)
    )
    go_on(cloud, 20)

    assert seen(cloud, held, "elsewhere") == (True, [HERE])
    assert seen(cloud, held, "back") == (False, [HERE])


def test_a_regions_two_names_have_no_address_in_common(cloud: LocalCloud) -> None:
    """AWS does not say that they have: what compares them must fail here too."""
    domain = cloud.topology.domain

    def addresses(name: str) -> set[str]:
        return set(cloud.answers.answer(name, "A", LEFT).records)

    assert {cloud.region_of(one) for one in addresses(domain)} == {LEFT}
    assert {cloud.region_of(one) for one in addresses(f"{LEFT}.{domain}")} == {LEFT}
    assert not addresses(domain) & addresses(f"{LEFT}.{domain}")
