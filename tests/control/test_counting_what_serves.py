"""How many Regions serve is counted when it matters, among those that are guarded by then."""

from __future__ import annotations

import pytest

from sidestep.aws.clients import client
from sidestep.aws.coordination import CoordinationTable
from sidestep.aws.incident_lease import IncidentLease
from sidestep.core.control import DRAINED, DRAINING, Claim, ControlState
from sidestep.core.errors import LastServingRegion, Refused
from tests.control.control_plane import COORDINATION, LONDON, OREGON, VIRGINIA, ControlPlane

LESS, MORE = (LONDON, VIRGINIA), (LONDON, VIRGINIA, OREGON)


class Guard:
    """The control plane of a stack that guards these Regions."""

    def __init__(self, plane: ControlPlane, regions: tuple[str, ...]) -> None:
        asked = {COORDINATION[0]: client("dynamodb", COORDINATION[0])}
        table = CoordinationTable(asked, "sidestep-demo-coordination", "demo")
        self.plane, self.lease = plane, IncidentLease(table, "demo", regions, 90)

    def claim(self, region: str) -> Claim:
        """A claim that is held."""
        now = self.plane.now
        given, why, _ = self.lease.claim(region, "failover", "manual", region, None, now)
        assert given is not None, why
        return given

    def drain(self, claim: Claim, to: str = DRAINING, most: int | None = None) -> None:
        """Bring the claim's Region to a state, while fewer than so many are drained in a day."""
        self.lease.advance(claim, to, self.plane.now, max_drains=most)

    def control(self) -> ControlState:
        """The control item."""
        return self.lease.read()


def test_a_region_that_was_taken_off_the_list_does_not_count(plane: ControlPlane) -> None:
    Guard(plane, MORE).claim(OREGON)
    less = Guard(plane, LESS)
    less.drain(less.claim(VIRGINIA))

    with pytest.raises(LastServingRegion, match="would leave 0"):
        less.drain(less.claim(LONDON))


def test_a_region_that_was_added_counts(plane: ControlPlane) -> None:
    less, more = Guard(plane, LESS), Guard(plane, MORE)
    less.drain(less.claim(LONDON))

    more.drain(more.claim(VIRGINIA))

    assert (more.control().of(VIRGINIA).state, more.control().serving) == (DRAINING, 1)
    with pytest.raises(LastServingRegion):
        more.drain(more.claim(OREGON))


def test_a_drained_region_that_was_taken_off_the_list_does_not_hold_others_back(
    plane: ControlPlane,
) -> None:
    more, less = Guard(plane, MORE), Guard(plane, LESS)
    more.drain(more.claim(OREGON))

    less.drain(less.claim(LONDON))

    assert less.control().serving == 1


def test_of_two_drains_at_once_one_leaves_the_last_region_though_the_number_stays_the_same(
    plane: ControlPlane,
) -> None:
    less, more = Guard(plane, LESS), Guard(plane, MORE)
    less.drain(less.claim(LONDON))  # one serves, says the number; with Oregon they are two
    virginia, oregon = more.claim(VIRGINIA), more.claim(OREGON)
    plane.before["UpdateItem"] = lambda: more.drain(oregon)

    with pytest.raises(LastServingRegion):
        more.drain(virginia)

    assert more.control().counted(MORE) == (VIRGINIA,)


def test_of_two_drains_at_once_no_more_are_begun_than_the_day_has_left(plane: ControlPlane) -> None:
    more = Guard(plane, MORE)
    virginia, oregon = more.claim(VIRGINIA), more.claim(OREGON)
    plane.before["UpdateItem"] = lambda: more.drain(oregon, most=1)

    with pytest.raises(Refused, match="max_drains_per_day"):
        more.drain(virginia, most=1)

    assert more.control().counted(MORE) == (LONDON, VIRGINIA)


def test_a_drain_counts_once_in_the_days_budget_however_often_its_step_runs(
    plane: ControlPlane,
) -> None:
    more = Guard(plane, MORE)
    claim = more.claim(VIRGINIA)

    for _ in range(2):
        more.drain(claim, most=1)
    more.drain(claim, DRAINED)

    with pytest.raises(Refused, match="1 drains in 24 hours"):
        more.drain(more.claim(OREGON), most=1)


def test_of_two_moves_at_once_none_is_forgotten(plane: ControlPlane) -> None:
    more = Guard(plane, MORE)
    virginia, oregon = more.claim(VIRGINIA), more.claim(OREGON)
    for claim in (virginia, oregon):
        more.drain(claim)
    plane.before["UpdateItem"] = lambda: more.drain(oregon, DRAINED)

    more.drain(virginia, DRAINED)

    assert {move.region for move in more.control().moves} == {VIRGINIA, OREGON}
