"""What operators order stands in the control item, whoever else writes there."""

from __future__ import annotations

import pytest

from sidestep.aws.coordination import CoordinationTable
from sidestep.aws.orders import Orders
from sidestep.core.control import Pause
from sidestep.core.errors import Refused
from tests.control.control_plane import COORDINATION, LONDON, OREGON, REGIONS, ControlPlane


@pytest.fixture
def orders(plane: ControlPlane) -> Orders:
    clients = {COORDINATION[0]: plane.dynamodb[COORDINATION[0]]}
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
