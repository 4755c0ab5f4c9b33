"""Views for decisions: who says what about whom, and how the control item stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sidestep.core.canaries import Score
from sidestep.core.control import AUTOMATIC, FAILOVER, ControlState, Move, RegionState
from sidestep.core.decide import Decision, decide
from sidestep.core.evidence import Evidence
from sidestep.core.findings import View
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, Ballot, Vote

APPLICATION = "demo"
LONDON, VIRGINIA, OREGON = "eu-west-2", "us-east-1", "us-west-2"
REGIONS = (LONDON, VIRGINIA, OREGON)
NOW = 1_800_000_000_000
LONG_AGO = NOW - 86_400_000 * 3


def ballot(
    observer: str,
    bad: tuple[str, ...] = (),
    age_s: float = 5.0,
    believed: bool = True,
    since_s: float = 600.0,
    looked_s: float = 0.0,
) -> Ballot:
    """What an observer says: these Regions are impaired, the others healthy, for so long. It looked
    so many seconds before it said so."""
    at_ms = NOW - int(age_s * 1000)
    looked_ms = at_ms - int(looked_s * 1000)
    votes = {}
    for region in REGIONS:
        is_bad = region in bad
        words = f"GET /health of {region} from {observer} answered {503 if is_bad else 200}"
        seen = Evidence("health", 503.0 if is_bad else 200.0, 200, is_bad, words)
        verdict = IMPAIRED if is_bad else HEALTHY
        lately = Score(asked=24, failed=24 if is_bad else 0)
        votes[region] = Vote(
            region, verdict, NOW - int(since_s * 1000), 3, (seen,), lately, looked_ms
        )
    return Ballot(observer, at_ms, believed, "as it says", votes)


def view(*ballots: Ballot, control: ControlState | None = None) -> View:
    """A view of these ballots; all Regions serve unless told."""
    return View(APPLICATION, REGIONS, tuple(ballots), control or ControlState(serving=3))


def all_say(bad: tuple[str, ...] = (), since_s: float = 600.0) -> tuple[Ballot, ...]:
    """Every observer says the same."""
    return tuple(ballot(observer, bad, since_s=since_s) for observer in REGIONS)


def with_region(region: str, control: ControlState | None = None, **what: object) -> ControlState:
    """A control item in which one Region's state is this."""
    before = control or ControlState(serving=3)
    state: RegionState = replace(before.of(region), **what)  # type: ignore[arg-type]
    return replace(before, regions={**before.regions, region: state})


def drained_once(region: str, at_ms: int) -> ControlState:
    """A Region that was drained and brought back."""
    control = with_region(region, epoch=1, kind="recovery", mode=AUTOMATIC, since_ms=at_ms)
    moves = (Move(at_ms - 1, region, "drain", "x"), Move(at_ms, region, "restore", "x"))
    return replace(control, moves=moves)


def undrained(region: str, times: int, ago_s: float) -> ControlState:
    """A Region whose last failovers were put down without a drain."""
    return with_region(
        region,
        epoch=times,
        incident=f"{APPLICATION}-{region}-{times}",
        kind=FAILOVER,
        mode=AUTOMATIC,
        attempts=times - 1,
        since_ms=NOW - int(ago_s * 1000),
    )


def decided(seen: View, policy: Policy | None = None) -> Mapping[str, Decision]:
    """The decision about each Region."""
    return {d.region: d for d in decide(seen, policy or Policy(), NOW)}
