"""Before anything is touched the world is read again: what stops a failover, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.control import Claim, ControlState, Move, Pause, RegionState
from sidestep.core.decide import View
from sidestep.core.evidence import Evidence
from sidestep.core.maintenance import Window
from sidestep.core.policy import Policy
from sidestep.core.recheck import recheck
from sidestep.core.votes import HEALTHY, IMPAIRED, Ballot, Vote
from tests.control.control_plane import LONDON, OREGON, REGIONS, VIRGINIA

NOW = 1_000_000
PAUSE = Pause("ada", "release", NOW + 1)
SPENT = tuple(Move(NOW - n, OREGON, "drain", "x") for n in range(Policy().max_drains_per_day))
BAD = Evidence("health", 503, 200, True, "GET /health answered 503")


def view(bad: set[str] = frozenset({LONDON}), **control: Any) -> View:  # type: ignore[assignment]  # a frozen default
    """Every observer calls these Regions impaired, and all others healthy."""
    votes = {
        region: Vote(region, IMPAIRED if region in bad else HEALTHY, NOW, 3, (BAD,), looked_ms=NOW)
        for region in REGIONS
    }
    ballots = tuple(Ballot(region, NOW, True, "", votes) for region in REGIONS)
    return View("demo", REGIONS, ballots, ControlState(serving=3, **control))


def claim(mode: str) -> Claim:
    return Claim("demo", LONDON, "demo-eu-west-2-1", "failover", mode, 1, "holder", NOW)


@pytest.mark.parametrize(
    ("mode", "seen", "goes_on", "says"),
    [
        ("automatic", view(), True, "us-west-2 can serve"),
        ("automatic", view(bad=set()), False, "not impaired any more"),
        ("automatic", view(bad=set(REGIONS)), False, "too few other Regions can serve"),
        ("automatic", view(paused=Pause("ada", "release", NOW + 1)), False, "paused by ada"),
        ("automatic", view(paused=Pause("ada", "release", NOW)), True, "us-west-2 can serve"),
        ("automatic", view(paused_regions={LONDON: PAUSE}), False, "eu-west-2 is paused by ada"),
        ("automatic", view(paused_regions={OREGON: PAUSE}), True, "us-west-2 can serve"),
        ("automatic", view(moves=SPENT), False, "as many as max_drains_per_day allows"),
        ("automatic", view(moves=SPENT[1:]), True, "us-west-2 can serve"),
        ("manual", view(moves=SPENT), True, "can serve"),
        ("manual", view(paused_regions={LONDON: PAUSE}), True, "can serve"),
        ("manual", view(bad=set()), True, "us-east-1, us-west-2 can serve"),
        ("manual", view(paused=Pause("ada", "release", NOW + 1)), True, "can serve"),
        ("manual", view(bad={VIRGINIA, OREGON}), False, "mode forced would go on"),
        ("planned", view(bad={VIRGINIA, OREGON}), False, "mode forced would go on"),
        ("forced", view(bad={VIRGINIA, OREGON}), True, "forced"),
    ],
)
def test_what_has_to_hold_is_the_modes(mode: str, seen: View, goes_on: bool, says: str) -> None:
    found = recheck(claim(mode), seen, Policy(), NOW)

    assert (found.go, says in found.why) == (goes_on, True), found.why


def test_observe_only_holds_an_automatic_failover_back() -> None:
    found = recheck(claim("automatic"), view(), Policy(observe_only=True), NOW)

    assert (found.go, "observe_only is on" in found.why) == (False, True)


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("automatic", "carry 90 % of the peak (us-east-1 50 %, us-west-2 40 %)"),
        ("manual", "mode forced would go on all the same"),
        ("planned", "mode forced would go on all the same"),
        ("forced", ""),
    ],
)
def test_what_the_others_cannot_carry_stays_unless_it_is_forced(mode: str, says: str) -> None:
    policy = Policy(capacity_percent={VIRGINIA: 50, OREGON: 40})

    found = recheck(claim(mode), view(), policy, NOW)

    assert (found.go, says in found.why) == (mode == "forced", True), found.why


@pytest.mark.parametrize(("mode", "goes_on"), [("automatic", False), ("manual", True)])
def test_a_maintenance_window_holds_an_automatic_failover_back(mode: str, goes_on: bool) -> None:
    policy = Policy(maintenance=(Window(LONDON, "daily", 0, 1440),))

    found = recheck(claim(mode), view(), policy, NOW)

    assert (found.go, "maintenance window" in found.why) == (goes_on, not goes_on)


def test_an_acknowledged_region_is_drained_again_within_its_cool_down() -> None:
    """The claim has made the acknowledgement void: what it ended must not hold here either."""
    moved = (Move(NOW - 1000, LONDON, "drain", "x"), Move(NOW - 500, LONDON, "restore", "x"))

    assert recheck(claim("automatic"), view(moves=moved), Policy(), NOW).go


def test_a_region_that_is_drained_cannot_take_the_traffic() -> None:
    drained = {region: RegionState(state="DRAINED") for region in (VIRGINIA, OREGON)}

    assert not recheck(claim("manual"), view(regions=drained), Policy(), NOW).go


def test_a_drain_that_has_begun_is_finished_whatever_the_votes_say() -> None:
    begun = {LONDON: RegionState(state="DRAINING")}

    assert recheck(claim("automatic"), view(bad=set(), regions=begun), Policy(), NOW).go


def test_without_any_ballot_an_automatic_failover_stands_down() -> None:
    nobody = View("demo", REGIONS, (), ControlState(serving=3))

    assert not recheck(claim("automatic"), nobody, Policy(), NOW).go
