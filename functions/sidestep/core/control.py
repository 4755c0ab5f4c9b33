"""The control item of an application: every Region's state and lease, and who may claim what.

One lease a Region, one item for all Regions: so that *never the last serving Region* and the
fence are one condition expression (docs/decisions/002). A lease that ran out may be taken
over; clocks may differ by CLOCK_SKEW_MS, and if they differ more the fencing token, not the
clock, keeps two holders apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SERVING = "SERVING"
DRAINING = "DRAINING"
DRAINED = "DRAINED"
RESTORING = "RESTORING"
PROBATION = "PROBATION"

COUNTED = (SERVING, PROBATION)
"""In these states a Region counts as one that serves: clients are sent to it."""

SHUT, OPEN, UNKNOWN = "shut", "open", "unknown"
FAILOVER, RECOVERY = "failover", "recovery"
AUTOMATIC, MANUAL, PLANNED, FORCED = "automatic", "manual", "planned", "forced"
MODES = (AUTOMATIC, MANUAL, PLANNED, FORCED)
BY_HAND = (MANUAL, PLANNED, FORCED)

CLOCK_SKEW_MS = 30_000
"""How far two controllers' clocks may differ before a take-over could come early."""
MOVES_KEPT = 50
IN_A_ROW_MS = 3_600_000
"""Failovers that were put down without a drain, further apart than this, are not in a row: by then
the wait after them, which grows, is over (`cooldown_max_s` by default)."""


@dataclass(frozen=True)
class RegionState:
    """One Region of an application. Times are epoch milliseconds, 0 for never."""

    state: str = SERVING
    incident: str = ""
    epoch: int = 0
    kind: str = ""
    mode: str = ""
    holder: str = ""
    token: int = 0
    lease_until_ms: int = 0
    since_ms: int = 0
    drained_at_ms: int = 0
    restored_at_ms: int = 0
    attempts: int = 0
    """Of a drained Region: returns that were tried. Of a serving one: automatic failovers in a row
    that were put down without a drain, before the newest."""
    toggle: str = ""
    """Where the toggle stands: `shut`, `open`, "" for never touched, or `unknown` from when a
    holder goes to set it until it says that it did."""

    def leased(self, now_ms: int) -> bool:
        """Whether somebody's lease is still good, other controllers' clocks allowed for."""
        return bool(self.holder) and now_ms < self.lease_until_ms + CLOCK_SKEW_MS

    @property
    def toggle_wanted(self) -> str:
        """Where the toggle should stand; "" while a holder is at it or it was never touched."""
        if self.holder:
            return ""
        if self.state == DRAINED:
            return SHUT
        return OPEN if self.toggle and self.state == SERVING else ""

    @property
    def undrained(self) -> int:
        """How many automatic failovers in a row were put down without a drain; 0 after one that
        drained. A person's, called off, is none of them."""
        if self.state != SERVING or self.kind != FAILOVER or self.holder:
            return 0
        return self.attempts + (self.mode not in BY_HAND)

    @property
    def unfinished(self) -> bool:
        """Whether a holder began something and has not put it down."""
        return bool(self.holder)


@dataclass(frozen=True)
class Move:
    """A drain or a restore that was carried out."""

    at_ms: int
    region: str
    what: str
    incident: str


@dataclass(frozen=True)
class Pause:
    """An operator's order to hold automation, until a time (ms)."""

    owner: str
    reason: str
    until_ms: int

    def in_force(self, now_ms: int) -> bool:
        """Whether it still holds; an expired pause is as none."""
        return now_ms < self.until_ms


@dataclass(frozen=True)
class Acknowledgement:
    """An operator's word that a Region's last incident has been seen, and when (ms).

    It is of everything that had happened to the Region when it was given: `token` is the
    Region's then. Whoever claims the Region later changes the token, and what comes of that
    has not been seen. So no clock can make an acknowledgement reach further than it was meant.
    """

    incident: str
    token: int
    owner: str
    at_ms: int


@dataclass(frozen=True)
class ControlState:
    """The control item. A Region without an entry is SERVING."""

    token: int = 0
    serving: int = 0
    """How many Regions the last change of a state left serving: to be read by people. What may be
    drained is counted anew (`counted`), since the list of Regions may have changed meanwhile."""
    regions: Mapping[str, RegionState] = field(default_factory=dict)
    paused: Pause | None = None
    """Of all Regions."""
    moves: tuple[Move, ...] = ()
    paused_regions: Mapping[str, Pause] = field(default_factory=dict)
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)

    def of(self, region: str) -> RegionState:
        """A Region's state."""
        return self.regions.get(region, RegionState())

    def counted(self, regions: Sequence[str]) -> tuple[str, ...]:
        """Those of these Regions that count as serving."""
        return tuple(region for region in regions if self.of(region).state in COUNTED)

    def acknowledgement(self, region: str) -> Acknowledgement | None:
        """The acknowledgement that holds for all that has happened to a Region; None for none."""
        given = self.acknowledged.get(region)
        return given if given is not None and given.token == self.of(region).token else None

    def pause_of(self, region: str, now_ms: int) -> Pause | None:
        """The pause that holds a Region now: everybody's, else its own; None for neither."""
        for pause in (self.paused, self.paused_regions.get(region)):
            if pause is not None and pause.in_force(now_ms):
                return pause
        return None


@dataclass(frozen=True)
class Claim:
    """Who holds a Region's incident: travels through a workflow, proven at each step."""

    application: str
    region: str
    incident: str
    kind: str
    mode: str
    token: int
    holder: str
    lease_until: int


@dataclass(frozen=True)
class ClaimPlan:
    """What a claim would write, or `why` it cannot be made."""

    state: RegionState | None
    why: str


def incident_id(application: str, region: str, epoch: int) -> str:
    """The id that every observer proposes for a Region's next incident."""
    return f"{application}-{region}-{epoch}"


def plan_claim(
    control: ControlState,
    application: str,
    region: str,
    kind: str,
    mode: str,
    holder: str,
    incident: str | None,
    lease_ms: int,
    now_ms: int,
    ordered_ms: int | None = None,
) -> ClaimPlan:
    """A claim of a Region's incident by `holder`, as the control item stands.

    The same holder claiming again keeps its token: a step may run twice. `incident`, where
    given, must be the one that is open or the next one. `ordered_ms`, where given, is when the
    order was given: what others have done about the Region since makes it void.

    An operator's failover that takes over another's keeps its own mode. It takes over a recovery,
    too: one that nobody holds any more, and, forced, one that is held. A forced recovery takes over
    a recovery that is held, and a failover that has begun to drain and that nobody holds any more:
    whoever could finish that may be dead. An automatic one does so, too, where the drain was
    automatic and is done. A return keeps the mode of the drain that it ends.
    """
    now = control.of(region)
    if now.holder == holder:
        return ClaimPlan(now, "already held by this execution")
    by_hand = kind == FAILOVER and mode != AUTOMATIC
    forced_back = kind == RECOVERY and mode == FORCED and now.unfinished
    turned = by_hand and now.unfinished and now.kind == RECOVERY
    by_force = (turned or forced_back) and mode == FORCED and now.kind == RECOVERY
    if now.leased(now_ms) and not by_force:
        return ClaimPlan(None, f"{now.incident} is held by {now.holder}")
    # Whoever wrote `since_ms` may have had a clock that is late.
    if ordered_ms is not None and now.since_ms + CLOCK_SKEW_MS > ordered_ms:
        return ClaimPlan(
            None,
            f"{now.incident} was worked on after this execution was started, or within "
            f"{CLOCK_SKEW_MS // 1000} s before, and {region} is {now.state}: if it should be moved "
            "now, start a new execution",
        )
    fresh = kind == FAILOVER and now.state == SERVING and not now.unfinished
    epoch = now.epoch + 1 if fresh else now.epoch
    expected = incident_id(application, region, epoch)
    if incident is not None and incident != expected:
        return ClaimPlan(None, f"{incident} is over: the incident to claim would be {expected}")
    left_out = now.unfinished and now.kind == FAILOVER and now.state == DRAINED
    by_itself = kind == RECOVERY and left_out and mode == now.mode == AUTOMATIC
    undone = by_itself or (forced_back and now.state in (DRAINING, DRAINED))
    refusal = "" if turned or undone else _not_claimable(now, region, kind, fresh)
    if refusal:
        return ClaimPlan(None, refusal)
    claimed = RegionState(
        state=now.state,
        incident=expected,
        epoch=epoch,
        kind=kind,
        mode=mode if fresh or by_hand else now.mode,
        holder=holder,
        token=control.token + 1,
        lease_until_ms=now_ms + lease_ms,
        since_ms=now.since_ms or now_ms,
        drained_at_ms=0 if fresh else now.drained_at_ms,
        restored_at_ms=now.restored_at_ms,
        attempts=_attempts(now, kind, fresh, turned, now_ms),
        toggle=now.toggle,
    )
    if fresh:
        return ClaimPlan(claimed, "claimed")
    by = f", taken over from {now.holder}" if now.holder else ""
    return ClaimPlan(claimed, f"taken on at {now.state}{by}")


def _attempts(now: RegionState, kind: str, fresh: bool, turned: bool, now_ms: int) -> int:
    if fresh:
        return now.undrained if now_ms - now.since_ms < IN_A_ROW_MS else 0
    if turned:
        return 0  # whatever was tried to bring it back: it is to go out
    if kind == RECOVERY and now.unfinished and now.kind == FAILOVER:
        return 1  # those before it were of a Region that served
    return now.attempts + (1 if kind == RECOVERY else 0)


def _not_claimable(now: RegionState, region: str, kind: str, fresh: bool) -> str:
    if fresh:
        return ""
    if kind == FAILOVER:
        if now.unfinished and now.kind == FAILOVER:
            return ""
        if now.unfinished:
            return f"{region} is in recovery ({now.state}): the recovery backs out by itself"
        return f"{region} is {now.state} already ({now.incident})"
    # One that serves and is held by a recovery: its holder died as it closed the incident.
    if now.state == SERVING and not now.unfinished:
        return f"{region} is serving: there is nothing to recover"
    if now.unfinished and now.kind == FAILOVER:
        return (
            f"{region}'s failover is not finished: take that over first, or, once it has begun to "
            "drain and its lease has run out, start the recovery with mode forced"
        )
    return ""
