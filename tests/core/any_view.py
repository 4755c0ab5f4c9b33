"""Any view and any policy, for hypothesis: whatever observers say, however the item stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st

from sidestep.core.canaries import Score
from sidestep.core.control import (
    AUTOMATIC,
    COUNTED,
    DRAINED,
    DRAINING,
    FAILOVER,
    MODES,
    OPEN,
    PROBATION,
    RECOVERY,
    RESTORING,
    SERVING,
    SHUT,
    Acknowledgement,
    ControlState,
    Move,
    Pause,
    RegionState,
    incident_id,
)
from sidestep.core.control import UNKNOWN as TOGGLE_UNKNOWN
from sidestep.core.decide import decide
from sidestep.core.evidence import REQUESTS, Evidence
from sidestep.core.findings import View
from sidestep.core.maintenance import Window
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, SUSPECTED, UNKNOWN, Ballot, Vote
from tests.core.views import APPLICATION, NOW

rarely = st.sampled_from([False, False, False, False, True])
ages = st.integers(0, 90_000)
"""Seconds, up to a day and an hour."""


def _score(value: float, looks: int, asked: float, share: float, doubted: float = 0.0) -> Score:
    doubted = min(doubted, value)
    failed = round(asked * share, 3)
    return Score(
        value, looks if value else 0, asked, failed, doubted=doubted, silences=int(doubted > 0)
    )


quiet = st.builds(_score, st.just(0.0), st.just(0), st.sampled_from([0.0, 40.0, 400.0]), st.just(0))
"""Nothing failed, of none, of some, or of enough to compare with any share."""
scores = st.builds(
    _score,
    st.sampled_from([0.0, 1.5, 3.6, 5.5, 7.0, 14.0]),
    st.integers(1, 4),
    st.sampled_from([8.0, 40.0, 400.0]),
    st.sampled_from([0.0, 0.005, 0.02, 0.1, 0.5, 1.0]),
    st.sampled_from([0.0, 0.0, 0.0, 2.0, 14.0]),
)


@dataclass(frozen=True)
class Sight:
    """What an observer makes of a Region, whoever it is."""

    verdict: str
    since_s: int
    streak: int
    score: Score

    def by(self, observer: str, region: str, looked_ms: int) -> Vote:
        """It as this observer's vote, of a look at that time."""
        bad = {IMPAIRED: True, HEALTHY: False}.get(self.verdict)
        said = [Evidence("health", 503.0, 200, bad, f"{observer} on {region}")]
        if self.score.value:
            words = f"requests of {observer} to {region}: {self.score.value}"
            said.append(Evidence(REQUESTS, self.score.value, 7.0, bad or None, words))
        since_ms = NOW - self.since_s * 1000
        return Vote(region, self.verdict, since_ms, self.streak, tuple(said), self.score, looked_ms)


since = st.sampled_from([0, 30, 200, 200])
well = st.builds(Sight, st.just(HEALTHY), since, st.sampled_from([-3, -3, 0]), quiet)
ill = st.builds(Sight, st.just(IMPAIRED), since, st.sampled_from([3, 3, 3, -1]), quiet | scores)
grey = st.builds(
    Sight,
    st.sampled_from([HEALTHY, SUSPECTED, UNKNOWN]),
    since,
    st.sampled_from([0, 1, -1]),
    scores,
)
unseen = st.builds(Sight, st.just(UNKNOWN), since, st.just(0), quiet)
sights = st.one_of(well, well, ill, grey, unseen)


young, odd = st.integers(0, 15), st.integers(-40, 60)
older = st.integers(0, 60)
at_work_s = st.sampled_from([0, 100, 900])


# Strategies that are made anew in each draw cost more than all that is drawn.
@cache
def one_of(regions: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One of these."""
    return st.sampled_from(regions)


@cache
@st.composite
def ballots(draw: st.DrawFn, regions: tuple[str, ...]) -> tuple[Ballot, ...]:
    """Most observers' ballots, mostly of one mind, mostly fresh and believed: else nearly nothing
    would ever be decided. One a Region at most, as in the table that they are kept in."""
    truth = {region: draw(sights) for region in regions}
    cast = []
    for observer in regions:
        if draw(rarely):
            continue
        at_ms = NOW - draw(odd if draw(rarely) else young) * 1000
        votes = {region: truth[region].by(observer, region, at_ms) for region in regions}
        if draw(rarely):
            region = draw(one_of(regions))
            votes[region] = draw(sights).by(observer, region, at_ms - draw(older) * 1000)
        believed = not draw(rarely)
        works, since_ms = believed or draw(st.booleans()), NOW - draw(at_work_s) * 1000
        cast.append(Ballot(observer, at_ms, believed, "", votes, works, since_ms))
    return tuple(cast)


HELD = (DRAINING, RESTORING, PROBATION)
"""A Region is in these while somebody is at it; only what is half done stays in them."""


states = st.sampled_from([SERVING, SERVING, DRAINED, DRAINED, *HELD])
epochs, lease_left_s, since_s = st.integers(1, 3), st.integers(-300, 90), st.integers(0, 900)
kinds, modes = st.sampled_from([FAILOVER, RECOVERY]), st.sampled_from([AUTOMATIC, *MODES])
few = st.integers(0, 2)
toggles = st.sampled_from(["", SHUT, OPEN, TOGGLE_UNKNOWN])


@st.composite
def region_states(draw: st.DrawFn) -> RegionState:
    """Any state of a Region: at rest, in a holder's hands, or in a dead one's."""
    if draw(st.booleans()):
        return RegionState()
    state = draw(states)
    held = state in HELD or draw(rarely)
    return RegionState(
        state=state,
        epoch=draw(epochs),
        kind=draw(kinds),
        mode=draw(modes),
        holder="arn:of-somebody" if held else "",
        token=draw(few),
        lease_until_ms=NOW + draw(lease_left_s) * 1000 if held else 0,
        since_ms=NOW - draw(since_s) * 1000,
        attempts=draw(few),
        toggle=draw(toggles),
    )


pauses = st.builds(
    lambda left_s: Pause("ada", "a release", NOW + left_s * 1000), st.integers(-90_000, 90_000)
)
acknowledgements = st.builds(
    lambda token, ago_s: Acknowledgement("demo-x-1", token, "ada", NOW - ago_s * 1000),
    st.integers(1, 2),
    ages,
)


def _move(region: str, what: str, ago_s: int) -> Move:
    return Move(NOW - ago_s * 1000, region, what, "demo-x-1")


tokens, any_state = st.integers(2, 9), region_states()


@cache
@st.composite
def controls(draw: st.DrawFn, regions: tuple[str, ...]) -> ControlState:
    """Any control item of these Regions, with any orders of operators."""
    some = one_of(regions)
    held = {}
    for region in regions:
        now = draw(any_state)
        name = incident_id(APPLICATION, region, now.epoch) if now.epoch else ""
        held[region] = replace(now, incident=name)
    return ControlState(
        token=draw(tokens),
        serving=sum(now.state in COUNTED for now in held.values()),
        regions=held,
        paused=draw(pauses) if draw(rarely) else None,
        paused_regions={draw(some): draw(pauses)} if draw(rarely) else {},
        acknowledged={draw(some): draw(acknowledgements)} if draw(st.booleans()) else {},
        moves=tuple(_move(draw(some), draw(whats), draw(ages)) for _ in range(draw(few))),
    )


counts, whats = st.integers(2, 5), st.sampled_from(["drain", "restore"])


@st.composite
def views(draw: st.DrawFn) -> View:
    """Two to five Regions, any ballots, any control item; now and then one never deployed."""
    regions = tuple(f"region-{n}" for n in range(draw(counts)))
    registered = frozenset(regions[1:]) if draw(rarely) else None
    cast, control = draw(ballots(regions)), draw(controls(regions))
    return View(APPLICATION, regions, cast, control, registered)


def around_now(region: str, ago_min: int, minutes: int) -> Window:
    """A window that began so many minutes ago: open, or over already."""
    begins = (NOW // 60_000 - ago_min) % 1440
    return Window(region, "daily", begins, minutes)


names = st.sampled_from([f"region-{n}" for n in range(5)])
policies = st.builds(
    Policy,
    min_serving_regions=st.sampled_from([1, 1, 1, 2, 3]),
    vote_max_age_s=st.integers(20, 60),
    observe_only=rarely,
    stability_window_s=st.sampled_from([60, 60, 0]),
    maintenance=st.lists(
        st.builds(around_now, names | st.just("all"), st.integers(0, 90), st.integers(1, 120)),
        max_size=1,
    ).map(tuple),
    capacity_percent=st.dictionaries(names, st.integers(0, 150), max_size=2),
)


def drains(view: View, policy: Policy) -> set[str]:
    """The Regions whose failover is decided."""
    return {d.region for d in decide(view, policy, NOW) if d.action == FAILOVER}
