"""What an observer saw and what it makes of it: probes in, a ballot out. Pure.

A ballot holds one vote for each guarded Region, the observer's own included. A single bad
look is not a verdict: it takes a streak, both ways. What was not seen is unknown, which is
neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sidestep.core.canaries import Score
from sidestep.core.evidence import (
    REQUESTS,
    THROTTLES,
    Evidence,
    Probe,
    alarm_evidence,
    by_region,
    faults_of,
    health_evidence,
    lag_evidence,
    request_evidence,
    start_words,
)
from sidestep.core.policy import Policy
from sidestep.core.silence import may_be_ones_own

HEALTHY, SUSPECTED, IMPAIRED, UNKNOWN = "healthy", "suspected", "impaired", "unknown"
APART_MS = 5000
"""A look that began closer than this to the last one that counted is one with it to a streak: an
alarm starts a look beside the scheduled one, and both see the same moment. Half of a round."""


@dataclass(frozen=True)
class Vote:
    """An observer's verdict on a Region, since when (ms), after how many like looks in a row,
    and the score of its requests.

    `looked_ms`: when the last look that it rests on began, by the observer's clock; 0: never. It
    proves nothing of later, whenever the ballot was cast. `counted_ms`: when the last of them began
    that counted, to a streak or to the looks of a score, however many have been one with it since.
    """

    region: str
    verdict: str
    since_ms: int
    streak: int
    evidence: tuple[Evidence, ...]
    score: Score = field(default_factory=Score)
    looked_ms: int = 0
    counted_ms: int = 0

    def lapsed(self, words: str) -> Vote:
        """What is left of it when its look is too old: no more than of one that was not made."""
        seen = (Evidence("health", None, None, None, words),)
        return replace(self, verdict=UNKNOWN, streak=0, evidence=seen, score=Score())


@dataclass(frozen=True)
class Ballot:
    """All votes of one observer, cast at one time (ms), which proves that it was at work then; what
    it had seen is as old as each vote's look. An unhealthy observer's word does not count.

    `replica_works`: its own replica was written and read back. An observer may be unhealthy all the
    same, as one that reaches none of its peers. `at_work_since_ms`: since when it has cast ballots
    with no gap in which they were too old to count; 0: ever. What a vote says of earlier it only
    had left to say when it fell silent.
    """

    observer: str
    at_ms: int
    observer_healthy: bool
    why: str
    votes: Mapping[str, Vote]
    replica_works: bool = False
    at_work_since_ms: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ballot:
        """From plain JSON. The release before kept no times of looks, and the ballot's was taken
        for them, and is; nor did it say which looks counted (the last), whether the replica works,
        or since when it had been at work."""
        votes = {
            region: Vote(
                region=region,
                verdict=str(vote["verdict"]),
                since_ms=int(vote["since_ms"]),
                streak=int(vote["streak"]),
                evidence=tuple(Evidence(**dict(e)) for e in vote["evidence"]),
                score=Score.from_dict(vote.get("score", {})),
                looked_ms=int(vote.get("looked_ms", data["at_ms"])),
                counted_ms=int(vote.get("counted_ms", vote.get("looked_ms", data["at_ms"]))),
            )
            for region, vote in data["votes"].items()
        }
        return cls(
            observer=str(data["observer"]),
            at_ms=int(data["at_ms"]),
            observer_healthy=bool(data["observer_healthy"]),
            why=str(data["why"]),
            votes=votes,
            replica_works=bool(data.get("replica_works", False)),
            at_work_since_ms=int(data.get("at_work_since_ms", data["at_ms"])),
        )


def cast(
    observer: str,
    probes: Sequence[Probe],
    alarms: Mapping[str, str],
    lags_ms: Mapping[str, int],
    own_table_works: bool,
    previous: Ballot | None,
    policy: Policy,
    now_ms: int,
) -> Ballot:
    """An observer's ballot from what it saw this round.

    `probes`: one look at each Region, or several made at once, which count as one, as old as the
    oldest; `now_ms` is when the ballot is cast, which may be long after. `alarms` are
    its own Region's, by name; `lags_ms` the age of each source's newest heartbeat
    here. `own_table_works`: its own heartbeat was written and read back this round.
    """
    since_ms = _at_work_since(previous, policy, now_ms)
    if previous is not None and _is_overtaken(probes, previous, now_ms):
        believed = previous.observer_healthy and own_table_works
        return replace(
            previous,
            at_ms=now_ms,
            observer_healthy=believed,
            replica_works=own_table_works,
            at_work_since_ms=since_ms,
        )
    votes = {}
    blind = previous is not None and _was_blind(observer, previous)
    looks_at = by_region(probes)
    own_silence = may_be_ones_own(observer, looks_at, _usual_ms(previous))
    for region, looks in looks_at.items():
        before = previous.votes.get(region) if previous else None
        if before is not None and blind and region != observer:
            before = before.lapsed(f"{observer} reached none of its peers until now")
        made = [look for look in looks if look.saw]
        # An answer from the future: the clock was set back since the look.
        looked_ms = min([now_ms, *(look.at_ms for look in made)]) if made else None
        apart_ms = (looked_ms or now_ms) - before.counted_ms if before else APART_MS
        again = abs(apart_ms) < APART_MS
        score = before.score if before else Score()
        asked = [look.requests for look in looks]
        judged, score = score.excusing(asked, policy.slow_probe_ms, again)
        pairs = zip(looks, judged, strict=True)
        looks = tuple(replace(look, requests=requests) for look, requests in pairs)
        made = [look for look in looks if look.saw]
        evidence = [health_evidence(observer, looks[0], policy)]
        faults = [fault for look in made for fault in faults_of(look, policy)]
        share, limit = policy.request_bad_share, policy.request_bad_score
        score = score.after(faults, share, limit, again, own_silence[region])
        if any(len(look.requests) > 1 for look in looks):  # of /health alone all is said
            turned_away = sum(one.throttled for look in looks for one in look.requests)
            words = start_words(asked, judged, policy)
            evidence.append(
                request_evidence(observer, region, faults, turned_away, words, score, policy)
            )
        if region == observer:
            evidence += alarm_evidence(alarms)
        else:
            evidence.append(lag_evidence(region, lags_ms.get(region), policy))
        if looked_ms is None and any(e.bad for e in evidence):
            looked_ms = now_ms  # its own alarms, read now, speak without a look
        votes[region] = _vote(
            region, tuple(evidence), score, before, again, policy, looked_ms, now_ms
        )
    healthy, why = _observer_health(observer, probes, own_table_works)
    return Ballot(observer, now_ms, healthy, why, votes, own_table_works, since_ms)


def _at_work_since(previous: Ballot | None, policy: Policy, now_ms: int) -> int:
    if previous is None or now_ms - previous.at_ms > policy.vote_max_age_s * 1000:
        return now_ms
    return previous.at_work_since_ms


def _usual_ms(previous: Ballot | None) -> dict[str, float]:
    """How long the Regions that answered the last look took for it."""
    return {
        region: e.value
        for region, vote in (previous.votes.items() if previous else ())
        for e in vote.evidence
        if e.signal == "health" and e.bad is False and e.value is not None
    }


def _is_overtaken(probes: Sequence[Probe], previous: Ballot, now_ms: int) -> bool:
    """Whether a ballot of later looks has been cast already: two executions look at a time, and
    one may be slow from its looks to its ballot. What it saw is the past, and says nothing new.

    Not where the last ballot itself is of later than now: the clock was wrong, or was set back.
    """
    looked_ms = max((probe.at_ms for probe in probes if probe.looked), default=now_ms)
    newest_ms = max((vote.looked_ms for vote in previous.votes.values()), default=0)
    return looked_ms < newest_ms and previous.at_ms <= now_ms


def _was_blind(observer: str, previous: Ballot) -> bool:
    """Whether it was not believed, and saw all of its peers fail at once: what it saw was its own
    trouble, and is not to count against them, by streak or score, when it is believed again."""
    peers = [vote for region, vote in previous.votes.items() if region != observer]
    return not previous.observer_healthy and len(peers) > 1 and all(v.streak > 0 for v in peers)


def _observer_health(
    observer: str, probes: Sequence[Probe], own_table_works: bool
) -> tuple[bool, str]:
    """Whether the observer may be believed.

    With one peer only, not reaching it says nothing about who is cut off; there the ballot
    itself is the proof, since writing it needs two Regions of the coordination table.
    """
    if not own_table_works:
        return False, f"{observer}'s observer cannot write and read its own replica"
    looked = [probe for probe in probes if probe.region != observer and probe.looked]
    peers = {probe.region for probe in looked}
    if len(peers) > 1 and not any(probe.reached for probe in looked):
        return (
            False,
            f"{observer} reaches none of its {len(peers)} peers: it may be the one cut off",
        )
    return True, f"{observer}'s observer writes its own replica and reaches its peers"


def _vote(
    region: str,
    evidence: tuple[Evidence, ...],
    score: Score,
    before: Vote | None,
    again: bool,
    policy: Policy,
    looked_ms: int | None,
    now_ms: int,
) -> Vote:
    """The verdict with hysteresis. `streak` counts bad looks upwards, good ones downwards; one that
    is made `again` in the same moment adds nothing, and one that was not made is as if none were
    due: what looks in a row have shown stays.

    A look in which some requests failed, too few to tell, makes a Region suspected: neither
    impaired nor healthy, until as many good looks in a row as an impaired one needs. A score
    over its limit has its streak behind it. Good looks enough forget the score. While one speaks
    against the Region, a look whose canaries were all throttled is as none: /health knows less.
    """
    bad = any(e.bad for e in evidence)
    doubtful = not bad and any(e.signal == REQUESTS and e.bad is None for e in evidence)
    good = any(e.bad is False and e.signal != "lag_ms" for e in evidence)
    unheard = score.value > 0 and any(e.signal == THROTTLES for e in evidence)
    if not bad and not doubtful and (unheard or not good):
        last = before or Vote(region, UNKNOWN, now_ms, 0, ())
        seen_ms = looked_ms or last.looked_ms
        return Vote(region, UNKNOWN, now_ms, last.streak, evidence, score, seen_ms, last.counted_ms)
    certain = any(e.signal == REQUESTS and e.bad for e in evidence)
    count = before.streak if before else 0
    was = before.verdict if before else UNKNOWN
    one = 0 if again and (count > 0 if bad else count < 0) else 1
    streak = max(count, 0) + one if bad else max(count, 0) if doubtful else min(count, 0) - one
    well = -streak >= policy.probe_good_streak
    if certain or (bad and streak >= policy.probe_bad_streak):
        verdict = IMPAIRED
    elif doubtful and was != IMPAIRED:
        verdict = SUSPECTED
    elif not bad and not doubtful and (well or was == HEALTHY or before is None):
        verdict = HEALTHY
    else:
        verdict = was
    seen_ms = now_ms if looked_ms is None else looked_ms
    since = before.since_ms if before and verdict == was else seen_ms
    counts = before is None or not again or streak != count or score.looks > before.score.looks
    counted_ms = seen_ms if counts or before is None else before.counted_ms
    kept = score.forgotten() if well else score
    return Vote(region, verdict, since, streak, evidence, kept, seen_ms, counted_ms)
