"""What an observer saw and what it makes of it: probes in, a ballot out. Pure.

A ballot holds one vote for each guarded Region, the observer's own included. A single bad
look is not a verdict: it takes a streak, both ways. What was not seen is unknown, which is
neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sidestep.core.canaries import CANARIES, Request, Score, failed
from sidestep.core.policy import Policy

HEALTHY, SUSPECTED, IMPAIRED, UNKNOWN = "healthy", "suspected", "impaired", "unknown"
REQUESTS = "requests"
APART_MS = 5000
"""Looks closer than this are one to a streak: an alarm starts a look beside the scheduled one, and
both see the same moment. Half of a round."""


@dataclass(frozen=True)
class Probe:
    """One look at a Region: its public /health, and what the `requests` of that look got, the
    one to /health among them. `status` is None when nothing was answered.

    `looked` is False when the look itself failed (our own function, not the Region): that is
    no evidence at all.
    """

    region: str
    reached: bool
    looked: bool = True
    status: int | None = None
    latency_ms: int | None = None
    error: str | None = None
    answered_by: str | None = None
    requests: tuple[Request, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Probe:
        """From ProbeFunction's answer, or from what a failed probe step left in its place."""
        body = data.get("body")
        return cls(
            region=str(data["region"]),
            reached=bool(data.get("reached")),
            looked=bool(data.get("looked", True)),
            status=data.get("status"),
            latency_ms=data.get("latency_ms"),
            error=data.get("error"),
            answered_by=body.get("region") if isinstance(body, Mapping) else None,
            requests=tuple(Request.from_dict(one) for one in data.get("requests", ())),
        )


def by_region(probes: Sequence[Probe]) -> dict[str, tuple[Probe, ...]]:
    """Looks at each Region, those that could be made first: doubt makes several at once."""
    regions = dict.fromkeys(probe.region for probe in probes)
    made = sorted(probes, key=lambda probe: not probe.looked)
    return {region: tuple(p for p in made if p.region == region) for region in regions}


@dataclass(frozen=True)
class Evidence:
    """One signal, its value against its threshold. `bad` None: it proves nothing either way."""

    signal: str
    value: float | None
    threshold: float | None
    bad: bool | None
    words: str


@dataclass(frozen=True)
class Vote:
    """An observer's verdict on a Region, since when (ms), after how many like looks in a row,
    and the score of its requests."""

    region: str
    verdict: str
    since_ms: int
    streak: int
    evidence: tuple[Evidence, ...]
    score: Score = field(default_factory=Score)


@dataclass(frozen=True)
class Ballot:
    """All votes of one observer at one time (ms). An unhealthy observer's word does not count."""

    observer: str
    at_ms: int
    observer_healthy: bool
    why: str
    votes: Mapping[str, Vote]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ballot:
        """From plain JSON."""
        votes = {
            region: Vote(
                region=region,
                verdict=str(vote["verdict"]),
                since_ms=int(vote["since_ms"]),
                streak=int(vote["streak"]),
                evidence=tuple(Evidence(**dict(e)) for e in vote["evidence"]),
                score=Score.from_dict(vote.get("score", {})),
            )
            for region, vote in data["votes"].items()
        }
        return cls(
            observer=str(data["observer"]),
            at_ms=int(data["at_ms"]),
            observer_healthy=bool(data["observer_healthy"]),
            why=str(data["why"]),
            votes=votes,
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

    `probes`: one look at each Region, or several made at once, which count as one. `alarms` are
    its own Region's, by name; `lags_ms` the age of each source's newest heartbeat
    here. `own_table_works`: its own heartbeat was written and read back this round.
    """
    votes = {}
    for region, looks in by_region(probes).items():
        before = previous.votes.get(region) if previous else None
        again = previous is not None and abs(now_ms - previous.at_ms) < APART_MS
        score = before.score if before else Score()
        evidence = [_probe_evidence(observer, looks[0], policy)]
        faults = [fault for look in looks if look.looked for fault in _faults(look, policy)]
        score = score.after(faults, policy.request_bad_share, policy.request_bad_score, again)
        if any(len(look.requests) > 1 for look in looks):  # of /health alone all is said
            evidence.append(_request_evidence(observer, region, faults, score, policy))
        if region == observer:
            evidence += _alarm_evidence(alarms)
        else:
            evidence.append(_lag_evidence(region, lags_ms.get(region), policy))
        votes[region] = _vote(region, tuple(evidence), score, before, again, policy, now_ms)
    healthy, why = _observer_health(observer, probes, own_table_works)
    return Ballot(observer, now_ms, healthy, why, votes)


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


def _faults(probe: Probe, policy: Policy) -> list[str | None]:
    """Why each request of a look failed, or None. Where /health fails nothing more is asked:
    what the canaries would have got counts as it did."""
    faults = [request.fault(policy.slow_probe_ms) for request in probe.requests]
    if len(faults) == 1 and failed(probe.requests[0].status):
        return faults * (1 + len(CANARIES))
    return faults


def _probe_evidence(observer: str, probe: Probe, policy: Policy) -> Evidence:
    where = f"GET /health of {probe.region} from {observer}"
    if not probe.looked:
        words = f"{where} was not made ({probe.error or 'no reason given'})"
        return Evidence("health", None, None, None, words)
    if not probe.reached:
        words = f"{where} got no answer ({probe.error or 'no reason given'})"
        return Evidence("health", None, None, True, words)
    status = float(probe.status or 0)
    if probe.answered_by not in (None, probe.region):
        words = f"{where} was answered by {probe.answered_by}"
        return Evidence("health", status, 200, True, words)
    if not 200 <= status < 300:
        return Evidence("health", status, 200, True, f"{where} answered {status:.0f}, not 200")
    latency = float(probe.latency_ms or 0)
    slow = latency > policy.slow_probe_ms
    words = f"{where} answered {status:.0f} in {latency:.0f} ms (limit {policy.slow_probe_ms} ms)"
    return Evidence("latency_ms" if slow else "health", latency, policy.slow_probe_ms, slow, words)


def _request_evidence(
    observer: str, region: str, faults: Sequence[str | None], score: Score, policy: Policy
) -> Evidence:
    """What clients get. Bad only by the score, and after looks enough; a failure is never good."""
    found = list(dict.fromkeys(fault for fault in faults if fault is not None))
    bad = sum(fault is not None for fault in faults)
    words = f"{bad} of {len(faults)} requests to {region} from {observer} failed"
    if found:
        words += f" ({'; '.join(found)})"
    limit, looks = policy.request_bad_score, policy.probe_bad_streak
    words += f", score {score.value:.1f} (limit {limit:g}) over {score.looks} such looks"
    certain = score.value >= limit and score.looks >= looks
    verdict = (True if certain else None) if found else False
    return Evidence(REQUESTS, score.value, limit, verdict, words)


def _alarm_evidence(alarms: Mapping[str, str]) -> list[Evidence]:
    found = []
    for name, state in sorted(alarms.items()):
        bad = {"ALARM": True, "OK": False}.get(state)
        if bad is not False:
            found.append(Evidence(f"alarm {name}", None, None, bad, f"alarm {name} is {state}"))
    return found


def _lag_evidence(source: str, lag_ms: int | None, policy: Policy) -> Evidence:
    """Replication from a Region. Never bad in itself: a late replica serves its own clients."""
    if lag_ms is None:
        words = f"no heartbeat of {source} has been seen here: its replication lag is unknown"
        return Evidence("lag_ms", None, policy.lag_limit_ms, None, words)
    late = lag_ms > policy.lag_limit_ms
    words = f"{source}'s newest heartbeat here is {lag_ms / 1000:.1f} s old"
    limit = f" (limit {policy.lag_limit_ms / 1000:.0f} s)"
    return Evidence("lag_ms", lag_ms, policy.lag_limit_ms, None if late else False, words + limit)


def _vote(
    region: str,
    evidence: tuple[Evidence, ...],
    score: Score,
    before: Vote | None,
    again: bool,
    policy: Policy,
    now_ms: int,
) -> Vote:
    """The verdict with hysteresis. `streak` counts bad looks upwards, good ones downwards; one that
    is made `again` in the same moment adds nothing, and one that was not made is as if none were
    due: what looks in a row have shown stays.

    A look in which some requests failed, too few to tell, makes a Region suspected: neither
    impaired nor healthy, until as many good looks in a row as an impaired one needs. A score
    over its limit has its streak behind it. Good looks enough forget the score.
    """
    bad = any(e.bad for e in evidence)
    if not bad and not any(e.bad is False and e.signal != "lag_ms" for e in evidence):
        return Vote(region, UNKNOWN, now_ms, before.streak if before else 0, evidence, score)
    doubtful = not bad and any(e.signal == REQUESTS and e.bad is None for e in evidence)
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
    since = before.since_ms if before and verdict == was else now_ms
    return Vote(region, verdict, since, streak, evidence, score.forgotten() if well else score)
