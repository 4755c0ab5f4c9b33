"""What operators order stands in the control item, whoever else writes there."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from sidestep.aws.coordination import CoordinationTable
from sidestep.aws.orders import Orders
from sidestep.core.control import Acknowledgement, Pause
from sidestep.core.errors import Refused
from tests.control.control_plane import COORDINATION, LONDON, OREGON, REGIONS, ControlPlane


@pytest.fixture
def orders(plane: ControlPlane) -> Orders:  # noqa: ARG001  # it has to be there first
    make: Any = boto3.client
    clients = {region: make("dynamodb", region_name=region) for region in COORDINATION}
    return Orders(CoordinationTable(clients, "sidestep-demo-coordination", "demo"))


def pause(plane: ControlPlane, owner: str = "ada", for_s: int = 60) -> Pause:
    return Pause(owner, "a release", plane.now + for_s * 1000)


@pytest.mark.parametrize("region", [None, LONDON], ids=["everything", "one Region"])
def test_a_pause_ordered_before_the_first_claim_stands_through_it(
    plane: ControlPlane, orders: Orders, region: str | None
) -> None:
    orders.pause(pause(plane), plane.now, region)

    claim = plane.claim("one")

    control = plane.control()
    assert (claim["token"], control.serving, set(control.regions)) == (1, 3, set(REGIONS))
    assert control.pause_of(LONDON, plane.now) == pause(plane)
    assert (control.pause_of(OREGON, plane.now) is None) == (region is not None)


def test_a_pause_leaves_states_and_leases_alone_and_resuming_leaves_no_trace(
    plane: ControlPlane, orders: Orders
) -> None:
    plane.claim("one")
    before = plane.control()

    orders.pause(pause(plane), plane.now)
    orders.pause(pause(plane), plane.now, LONDON)
    assert plane.control().regions == before.regions
    assert (orders.resume(), orders.resume(LONDON)) == (True, True)

    assert plane.control() == before
    assert (orders.resume(), orders.resume(LONDON)) == (False, False)


@pytest.mark.parametrize("region", [None, LONDON], ids=["everything", "one Region"])
def test_anothers_pause_is_not_overwritten_while_it_is_in_force(
    plane: ControlPlane, orders: Orders, region: str | None
) -> None:
    orders.pause(pause(plane), plane.now, region)

    with pytest.raises(Refused, match="paused by ada: a release; resume it first"):
        orders.pause(pause(plane, "bob"), plane.now, region)
    orders.pause(pause(plane, "ada", 600), plane.now, region)  # her own she may change
    plane.later(601)
    orders.pause(pause(plane, "bob"), plane.now, region)

    held = orders.read().pause_of(LONDON, plane.now)
    assert held is not None
    assert held.owner == "bob"


def test_two_regions_are_paused_each_on_its_own(plane: ControlPlane, orders: Orders) -> None:
    orders.pause(pause(plane), plane.now, LONDON)
    orders.pause(pause(plane, "bob"), plane.now, OREGON)
    orders.resume(LONDON)

    assert {r: p.owner for r, p in orders.read().paused_regions.items()} == {OREGON: "bob"}


def test_an_acknowledgement_is_of_the_last_incident_as_it_was_put_down(
    plane: ControlPlane, orders: Orders
) -> None:
    with pytest.raises(Refused, match="nothing has happened to eu-west-2"):
        orders.acknowledge(LONDON, "ada", plane.now)
    claim = plane.claim("one")
    with pytest.raises(Refused, match=r"demo-eu-west-2-1 is in the hands of .*:one"):
        orders.acknowledge(LONDON, "ada", plane.now)
    plane.record(claim, "stood down", release=True)

    given = orders.acknowledge(LONDON, "ada", plane.now)

    assert given == Acknowledgement("demo-eu-west-2-1", 1, "ada", plane.now)
    assert plane.control().acknowledgement(LONDON) == given
    plane.claim("two")
    assert plane.control().acknowledgement(LONDON) is None


def test_an_incident_that_opens_while_one_is_acknowledged_is_not(
    plane: ControlPlane, orders: Orders
) -> None:
    claim = plane.claim("one")
    plane.record(claim, "stood down", release=True)
    orders.acknowledge(LONDON, "ada", plane.now)  # so that its map is there
    plane.before["UpdateItem"] = lambda: plane.claim("two")

    with pytest.raises(Refused, match="look again"):
        orders.acknowledge(LONDON, "bob", plane.now)
