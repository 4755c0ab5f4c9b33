"""What the votes about a Region come to: impaired or not, the diagnosis, the reasons. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidestep.core.canaries import wellness
from sidestep.core.control import CLOCK_SKEW_MS, SERVING, ControlState
from sidestep.core.evidence import REQUESTS
from sidestep.core.policy import Policy
from sidestep.core.votes import HEALTHY, IMPAIRED, SUSPECTED, Ballot, Vote

TOGETHER = 1.5
"""Several observers' scores are added (their requests are independent, so logarithms of odds
add up), and have to come to this many times one observer's limit: three chances of a false
alarm instead of one."""

WELL_ENOUGH = 8.0
"""How much must speak for another Region's being well before traffic is moved to it (natural
logarithm of odds). All may fail alike, and the worse luck of one is no reason to leave it: by
chance the sickest of three looks sicker than it is. Chosen by simulation (bench_detection):
at 6 one in twenty incidents that strike all Regions alike moved traffic, and a slow leak was
noticed 2 s sooner."""


@dataclass(frozen=True)
class View:
    """What is known of an application at one moment."""

    application: str
    regions: tuple[str, ...]
    ballots: tuple[Ballot, ...]
    control: ControlState
    registered: frozenset[str] | None = None
    """The Regions whose observer has ever run; None: not looked up."""

    def is_new(self, region: str) -> bool:
        """Whether nothing of it has ever been up: it is in the list and not deployed yet."""
        return self.registered is not None and region not in self.registered


@dataclass(frozen=True)
class Finding:
    """What the votes about one Region come to."""

    region: str
    impaired: bool
    diagnosis: str
    own: Vote | None
    others: tuple[tuple[str, Vote], ...]
    reasons: tuple[str, ...]
    unsettled: bool = False
    """One observer is heard, calls it impaired, and too many are silent to tell."""

    @property
    def bad_since_ms(self) -> int | None:
        """Since when all who call it impaired have done so; None when nobody does."""
        return max((v.since_ms for v in self.votes if v.verdict == IMPAIRED), default=None)

    @property
    def votes(self) -> tuple[Vote, ...]:
        """All that count about it, its own observer's last."""
        return (*(vote for _, vote in self.others), *((self.own,) if self.own else ()))

    @property
    def late(self) -> tuple[str, ...]:
        """Which observers see its newest heartbeat, and see it come too late, in words."""
        return tuple(
            f"in {observer}, {e.words}"
            for observer, vote in self.others
            for e in vote.evidence
            if e.signal == "lag_ms" and e.bad is None and e.value is not None
        )

    def wellness_beside(self, other: Finding) -> float | None:
        """How much speaks for its being well, against its failing as the other does (natural
        logarithm of odds); None where requests have nothing to say about the other.

        The other's own observer can speak for it, not against it: what that one sees fail
        may be its own Region's fault.
        """
        ill = [vote.score for vote in other.votes]
        others = [vote.score for who, vote in self.others if who != other.region]
        others += [self.own.score] if self.own else []
        without, by_all = wellness(others, ill), wellness([v.score for v in self.votes], ill)
        return None if without is None or by_all is None else max(without, by_all)

    def may_be_as_bad_as(self, other: Finding) -> bool:
        """Whether too little speaks against it: then what is wrong may not be the other's alone."""
        known = self.wellness_beside(other)
        return known is not None and known < WELL_ENOUGH

    @property
    def doubtful(self) -> bool:
        """Whether requests to it failed, and it is not known yet whether too many do."""
        return not self.impaired and any(
            vote.verdict == SUSPECTED and vote.score.value > 0 for vote in self.votes
        )


def counting(view: View, policy: Policy, now_ms: int) -> tuple[Ballot, ...]:
    """The ballots that count: fresh, of healthy observers, of guarded Regions; in list order."""
    return tuple(b for b in fresh(view, policy, now_ms) if b.observer_healthy)


def fresh(view: View, policy: Policy, now_ms: int) -> tuple[Ballot, ...]:
    """Every guarded Region's newest ballot that is not too old, in list order, believed or not.

    A ballot is as old as its casting, which proves that its observer lives; a vote is as old as
    its look. One whose look is too old is unknown, as if that had not been made: an observer that
    lives is not silent about its own Region.
    """
    newest: dict[str, Ballot] = {}
    for ballot in view.ballots:
        known = newest.get(ballot.observer)
        if known is None or ballot.at_ms > known.at_ms:
            newest[ballot.observer] = ballot
    return tuple(
        _of_fresh_looks(newest[region], policy, now_ms)
        for region in view.regions
        if region in newest
        and now_ms - newest[region].at_ms <= policy.vote_max_age_s * 1000
        and newest[region].at_ms - now_ms <= CLOCK_SKEW_MS
    )


def _of_fresh_looks(ballot: Ballot, policy: Policy, now_ms: int) -> Ballot:
    """The ballot with what is left of its votes whose looks are too old."""
    votes = {}
    for region, vote in ballot.votes.items():
        age_s, limit_s = (now_ms - vote.looked_ms) / 1000, policy.vote_max_age_s
        votes[region] = vote
        if age_s > limit_s:
            words = f"{ballot.observer}'s last look at {region} was {age_s:.0f} s ago"
            votes[region] = vote.lapsed(f"{words} (limit {limit_s} s)")
    return replace(ballot, votes=votes)


@dataclass(frozen=True)
class Unheard:
    """What is known of observers whose word does not count: the Regions where one says that its own
    table does not work, and is not silent; and each one's last ballot, however old."""

    ailing: frozenset[str] = frozenset()
    last: Mapping[str, Ballot] = field(default_factory=dict)

    def called_well(self, region: str) -> frozenset[str]:
        """Whose last word about a Region was that it is well."""
        votes = {observer: ballot.votes.get(region) for observer, ballot in self.last.items()}
        return frozenset(o for o, vote in votes.items() if vote and vote.verdict == HEALTHY)


def unheard(view: View, policy: Policy, now_ms: int) -> Unheard:
    """What is known of the observers whose ballots do not count."""
    cast = fresh(view, policy, now_ms)
    heard = {ballot.observer for ballot in cast if ballot.observer_healthy}
    last: dict[str, Ballot] = {}
    for ballot in sorted(view.ballots, key=lambda one: one.at_ms):
        if ballot.observer not in heard:
            last[ballot.observer] = ballot
    ailing = (b.observer for b in cast if not b.observer_healthy and not b.replica_works)
    return Unheard(frozenset(ailing), last)


def find(
    region: str, counted: Sequence[Ballot], policy: Policy, mute: Unheard | None = None
) -> Finding:
    """What the counting votes about a Region come to; `mute` as from `unheard`."""
    mute = mute or Unheard()
    own = next((b.votes.get(region) for b in counted if b.observer == region), None)
    others = tuple(
        (b.observer, b.votes[region]) for b in counted if b.observer != region and region in b.votes
    )
    against = [observer for observer, vote in others if vote.verdict == IMPAIRED]
    needed = len(others) // 2 + 1
    own_says = own is not None and own.verdict == IMPAIRED
    lone = len(others) == 1
    # One witness is not a quorum: the Region's own word or its silence has to agree. That tells
    # nothing where observers fall silent though their Regions are well.
    silent = own is None and not (lone and region in mute.ailing)
    alike = _silent_though_well(region, counted, mute) if lone and silent else ()
    agreed = not lone or own_says or (own is None and not alike)
    quorum = len(against) >= needed and agreed
    votes = [*(vote for _, vote in others), *([own] if own else [])]
    together = _together(region, votes, len(others), policy) if others else ""
    # Hysteresis keeps a verdict for some good looks, and an alarm rings for minutes after: nobody
    # is to act on these alone.
    still = any(v.streak >= 0 for _, v in others if v.verdict == IMPAIRED or v.score.looks)
    agreeing = quorum or (own_says and bool(against)) or bool(together)
    impaired = still and agreeing
    reasons = tuple(
        dict.fromkeys(
            e.words
            for vote in votes
            for e in vote.evidence
            if (e.bad and vote.verdict == IMPAIRED)
            or (together and e.signal == REQUESTS and e.bad is not False)
        )
    )
    tally = f"{len(against)} of {len(others)} other observers call {region} impaired"
    rule = f"{needed} needed" if not lone else "and one alone needs its own word or silence"
    said = "" if own else f"; {region}'s own observer says that its table does not work"
    said = f"; {region}'s own observer is silent" if silent else said
    said += f", as is that of {' and '.join(alike)}, which last called it healthy" if alike else ""
    summary = f"{tally} ({rule}){said}"
    words = (summary, *reasons) if against or own_says else reasons
    if together:
        words = (together, *words)
    diagnosis = _diagnose(impaired, own, others)
    return Finding(region, impaired, diagnosis, own, others, words, bool(alike and against))


def _silent_though_well(region: str, counted: Sequence[Ballot], mute: Unheard) -> tuple[str, ...]:
    """The Regions but this one whose observers' words do not count and last called this one well,
    while nobody whose word does calls theirs impaired."""
    bad = {r for b in counted for r, vote in b.votes.items() if vote.verdict == IMPAIRED}
    return tuple(sorted(mute.called_well(region) - bad - {region}))


def _together(region: str, votes: Sequence[Vote], others: int, policy: Policy) -> str:
    """What the failed requests of several observers come to, if that is enough; else "".

    At least two of them, and one of them more than once: a blip of a moment is seen by all. And
    more than half of those who look from outside: where most see nothing bad, the others' own
    ways to the Region are what is bad.
    None counts for more than would convince it alone, nor for what it may have met because it was
    cut off itself.
    """
    heard = [vote.score for vote in votes if vote.score.looks and vote.score.told > 0]
    enough = policy.request_bad_score
    total, limit = sum(min(score.told, enough) for score in heard), TOGETHER * enough
    often = any(score.looks >= policy.probe_bad_streak for score in heard)
    if len(heard) < 2 or 2 * len(heard) <= others or not often or total < limit:
        return ""
    return (
        f"requests of {len(heard)} observers to {region} failed: together they score "
        f"{total:.1f} (limit {limit:g})"
    )


def leaving(region: str, others: Sequence[str]) -> str:
    """Why a Region is left, in words: the same in the decision, and when it is judged again."""
    return f"{region} is impaired and {', '.join(others)} can serve"


def unless_well(policy: Policy) -> str:
    """What would end a Region's being impaired, in words."""
    return f"{policy.probe_good_streak} good looks in a row by its observers"


def able(region: str, findings: Mapping[str, Finding], control: ControlState) -> tuple[str, ...]:
    """The other Regions that can take a Region's traffic: serving, and not themselves in trouble.

    All Regions may fail at once and be found out one after the other (a bad deploy everywhere):
    one that may be as bad by what is known so far is not one to move to.
    """
    return tuple(
        other
        for other, found in findings.items()
        if other != region
        and control.of(other).state == SERVING
        and not found.impaired
        and not found.may_be_as_bad_as(findings[region])
    )


def healthy_for_s(finding: Finding, now_ms: int) -> tuple[float, str]:
    """Seconds for which every counting observer, its own included, has called it healthy."""
    votes = [vote for _, vote in finding.others]
    if finding.own is None:
        return 0.0, f"{finding.region}'s own observer is silent"
    if not votes or any(v.verdict != HEALTHY for v in (*votes, finding.own)):
        return 0.0, f"not every observer calls {finding.region} healthy"
    since = max(v.since_ms for v in (*votes, finding.own))
    healthy = max(0.0, (now_ms - since) / 1000)
    return healthy, f"every observer calls {finding.region} healthy for {healthy:.0f} s"


def _diagnose(impaired: bool, own: Vote | None, others: Sequence[tuple[str, Vote]]) -> str:
    """The kind of failure, by name."""
    if not others:
        return "observers_blind"
    told = [e for _, vote in others for e in vote.evidence] + list(own.evidence if own else ())
    bad = [e for e in told if e.bad or (e.signal == REQUESTS and e.bad is None)]
    if not impaired:
        if any(e.signal == "lag_ms" and e.bad is None for _, vote in others for e in vote.evidence):
            return "replication_late"
        return "suspected" if bad else "healthy"
    health = [e for e in bad if e.signal == "health"]
    if health and all(e.value is None for e in health):
        return "region_down" if own is None else "cut_off"
    if health:
        return "health_failing"
    if any(e.signal == REQUESTS for e in bad):
        return "requests_failing"
    if any(e.signal == "latency_ms" for e in bad):
        return "brown_out"
    return "alarms"
