"""A Region that flaps all day, however it flaps: the waits bound the moves, not the flaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import cycle, pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sidestep.core.control import (
    AUTOMATIC,
    DRAINED,
    FAILOVER,
    MOVES_KEPT,
    PROBATION,
    RECOVERY,
    SERVING,
    Acknowledgement,
    ControlState,
    Move,
    Pause,
    RegionState,
    plan_claim,
)
from sidestep.core.decide import View, decide
from sidestep.core.evidence import Evidence
from sidestep.core.holds import patience_s, window
from sidestep.core.maintenance import Window
from sidestep.core.policy import Policy
from sidestep.core.policy_words import failovers_in_a_day
from sidestep.core.votes import HEALTHY, IMPAIRED, Ballot, Vote
from tests.core.views import APPLICATION, LONDON, NOW, REGIONS

ROUND_S = 20
"""Half as often as observers look: the day is simulated in half the time."""
DAY_S = 86_400

Spells = list[int]
"""Seconds for which the Region is bad, then good, then bad, over and over."""


@dataclass
class Day:
    """A day of one flapping Region: what the decision moved, when (s), after what wait."""

    policy: Policy
    acknowledge_at: frozenset[int] = frozenset()
    pause: tuple[int, int] = (0, 0)
    flaps: int = 0
    failovers: list[int] = field(default_factory=list)
    returns: list[int] = field(default_factory=list)
    drains: list[int] = field(default_factory=list)
    acknowledged: int = 0
    waited: list[tuple[float, float]] = field(default_factory=list)
    """Of each move that had to wait: how long it did, and for how long it should have."""

    def __post_init__(self) -> None:
        pause = Pause("ada", "a release", NOW + self.pause[1] * 1000)
        self._paused = {LONDON: pause} if self.pause[1] else {}
        self.control = ControlState(serving=3, regions={r: RegionState() for r in REGIONS})

    def live(self, spells: Spells) -> Day:
        """Round by round; a bad look is a verdict, as worst observers would have it."""
        bad, since_s = False, 0
        for at_s, is_bad in rounds(spells):
            if is_bad != bad:
                bad, since_s, self.flaps = is_bad, at_s, self.flaps + 1
            self._acknowledge(at_s)
            began, ends = self.pause
            paused = self._paused if began <= at_s < ends else {}
            self.control = replace(self.control, paused_regions=paused)
            self._on_probation(at_s, bad)
            view = View(APPLICATION, REGIONS, says(at_s, bad, since_s), self.control)
            action = decide(view, self.policy, NOW + at_s * 1000)[0].action
            if action in (FAILOVER, RECOVERY):
                self._move(action, at_s)
        return self

    def _acknowledge(self, at_s: int) -> None:
        state = self.control.of(LONDON)
        if at_s in self.acknowledge_at and state.incident and not state.holder:
            self.acknowledged += 1
            given = Acknowledgement(state.incident, state.token, "ada", NOW + at_s * 1000)
            self.control = replace(self.control, acknowledged={LONDON: given})

    def _move(self, kind: str, at_s: int) -> None:
        """What the workflows would do, at once: no failover fails."""
        before = self.control.of(LONDON)
        self._note_wait(kind, before, at_s)
        now_ms = NOW + at_s * 1000
        claimed = plan_claim(
            self.control, APPLICATION, LONDON, kind, AUTOMATIC, f"at {at_s}", None, 90_000, now_ms
        ).state
        assert claimed is not None
        self.control = replace(self.control, token=claimed.token)
        if kind == FAILOVER:
            self.failovers.append(at_s)
            self._stand(replace(claimed, state=DRAINED, holder="", attempts=0), at_s, "drain")
        else:
            self.returns.append(at_s)
            held = replace(claimed, state=PROBATION, lease_until_ms=now_ms + DAY_S * 1000)
            self._stand(held, at_s, "restore")

    def _note_wait(self, kind: str, before: RegionState, at_s: int) -> None:
        if self.control.acknowledgement(LONDON) is not None or not self.drains:
            return
        times = len(self.drains) if kind == FAILOVER else before.attempts
        last = max(self.drains + self.returns) if kind == FAILOVER else self.drains[-1]
        self.waited.append((at_s - last, patience_s(self.policy, times)))

    def _on_probation(self, at_s: int, bad: bool) -> None:
        state = self.control.of(LONDON)
        if state.state != PROBATION:
            return
        if bad:
            self._stand(replace(state, state=DRAINED, holder=""), at_s, "drain")
        elif at_s - self.returns[-1] >= self.policy.probation_s:
            self._stand(replace(state, state=SERVING, holder=""), at_s, None)

    def _stand(self, state: RegionState, at_s: int, what: str | None) -> None:
        now_ms, moves = NOW + at_s * 1000, self.control.moves
        if what is not None:
            moves = (*moves, Move(now_ms, LONDON, what, state.incident))
        if what == "drain":
            self.drains.append(at_s)
        regions = {**self.control.regions, LONDON: replace(state, since_ms=now_ms)}
        self.control = replace(self.control, regions=regions, moves=moves[-MOVES_KEPT:])


def rounds(spells: Spells) -> Iterator[tuple[int, bool]]:
    """Each round of a day (s), and whether the Region is bad then."""
    ends = 0
    turns = cycle((spell, n % 2 == 0) for n, spell in enumerate(spells * 2))
    bad = False
    for at_s in range(0, DAY_S, ROUND_S):
        while at_s >= ends:
            spell, bad = next(turns)
            ends += spell
        yield at_s, bad


def says(at_s: int, bad: bool, since_s: int) -> tuple[Ballot, ...]:
    """Everybody's ballots: London as it is, the others well."""
    at_ms, since_ms = NOW + at_s * 1000, NOW + since_s * 1000
    seen = (Evidence("health", 503.0, 200, True, "503"),) if bad else ()
    votes = {region: Vote(region, HEALTHY, NOW, 3, (), looked_ms=at_ms) for region in REGIONS}
    votes[LONDON] = Vote(LONDON, IMPAIRED if bad else HEALTHY, since_ms, 3, seen, looked_ms=at_ms)
    return tuple(Ballot(observer, at_ms, True, "", votes) for observer in REGIONS)


policies: st.SearchStrategy[Policy] = st.builds(
    Policy,
    cooldown_s=st.integers(60, 1800),
    cooldown_factor=st.floats(1, 4),
    cooldown_max_s=st.integers(60, 7200),
    max_drains_per_day=st.integers(1, MOVES_KEPT // 2),
    stability_window_s=st.integers(0, 300),
    probation_s=st.integers(0, 300),
)
patterns = st.lists(st.integers(20, 4000), min_size=2, max_size=8)
few: Callable[[Callable[..., None]], Callable[..., None]] = settings(max_examples=5, deadline=None)


@few
@given(patterns, policies)
@example([60, 100], Policy())
@example([20, 400], Policy(max_drains_per_day=25, cooldown_s=60, cooldown_factor=1.0))
def test_a_flapping_region_is_moved_as_often_as_the_waits_allow(
    spells: Spells, policy: Policy
) -> None:
    day = Day(policy).live(spells)

    # One drain a cool-down at most, and the further ones at longer distances.
    assert all(waited >= wait for waited, wait in day.waited), day.waited
    first = patience_s(policy, 1)
    assert all(later - before >= first for before, later in pairwise(day.failovers))
    # So their number has an end that knows nothing of flaps.
    assert len(day.failovers) <= failovers_in_a_day(policy)
    assert len(day.drains) <= policy.max_drains_per_day
    assert len(day.returns) <= len(day.drains)


def test_flapping_ten_times_as_fast_moves_no_more() -> None:
    slow, quick = Day(Policy()).live([300, 900]), Day(Policy()).live([30, 90])

    assert quick.flaps > 9 * slow.flaps
    assert slow.failovers
    assert max(len(quick.drains), len(slow.drains)) <= Policy().max_drains_per_day


@few
@given(
    patterns,
    policies,
    st.frozensets(st.integers(0, DAY_S // ROUND_S).map(lambda n: n * ROUND_S), max_size=10),
)
def test_each_acknowledgement_lets_one_more_failover_begin_at_most(
    spells: Spells, policy: Policy, acknowledge_at: frozenset[int]
) -> None:
    day = Day(policy, acknowledge_at).live(spells)

    assert all(waited >= wait for waited, wait in day.waited), day.waited
    assert len(day.failovers) <= failovers_in_a_day(policy) + day.acknowledged
    assert len(day.drains) <= policy.max_drains_per_day


@few
@given(patterns, policies, st.integers(0, DAY_S), st.integers(0, 1439), st.integers(1, 720))
def test_a_flapping_region_is_left_alone_in_its_pause_and_its_window(
    spells: Spells, policy: Policy, began: int, begins: int, minutes: int
) -> None:
    own = replace(policy, maintenance=(Window(LONDON, "daily", begins, minutes),))
    day = Day(own, pause=(began, began + 7200)).live(spells)

    for at_s in day.failovers + day.returns:
        assert not began <= at_s < began + 7200
        assert window(LONDON, own, NOW + at_s * 1000) is None
    assert len(day.failovers) <= failovers_in_a_day(policy)


@few
@given(patterns)
def test_a_flapping_region_stays_while_the_others_cannot_carry_its_load(spells: Spells) -> None:
    small = dict.fromkeys(REGIONS, 40)

    assert not Day(Policy(capacity_percent=small)).live(spells).drains
