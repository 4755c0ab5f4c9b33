"""What looks at a Region show: each signal's value against its threshold. Pure.

What was not seen proves nothing, which is neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sidestep.core.canaries import CANARIES, HEALTH, THROTTLED, Request, Score, failed
from sidestep.core.policy import Policy

REQUESTS = "requests"
THROTTLES = "throttled"
"""Whatever asked as clients do was throttled by API Gateway: what they get is not known."""


@dataclass(frozen=True)
class Evidence:
    """One signal, its value against its threshold. `bad` None: it proves nothing either way."""

    signal: str
    value: float | None
    threshold: float | None
    bad: bool | None
    words: str


@dataclass(frozen=True)
class Probe:
    """One look at a Region: its public /health, and what the `requests` of that look got, the
    one to /health among them. `status` is None when nothing was answered. `at_ms`: when the
    look began, by the observer's clock.

    `looked` is False when the look itself failed (our own function, not the Region): that is
    no evidence at all, and has no time.
    """

    region: str
    reached: bool
    looked: bool = True
    status: int | None = None
    latency_ms: int | None = None
    error: str | None = None
    answered_by: str | None = None
    requests: tuple[Request, ...] = ()
    at_ms: int = 0

    @property
    def saw(self) -> bool:
        """Whether it proves anything of the Region: made, and not throttled from end to end."""
        throttled = self.status == THROTTLED and all(one.throttled for one in self.requests)
        return self.looked and not throttled

    @property
    def cold(self) -> bool:
        """Whether its /health may have waited for a new execution environment."""
        return any(one.cold for one in self.requests if one.what == HEALTH)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Probe:
        """From ProbeFunction's answer, or from what a failed probe step left in its place.

        An answer that does not say when it looked (the release before did not) proves nothing
        of any moment: as if none had been made.
        """
        body = data.get("body")
        at_ms = int(data.get("at_ms", 0))
        return cls(
            region=str(data["region"]),
            reached=bool(data.get("reached")),
            looked=bool(data.get("looked", True)) and at_ms > 0,
            status=data.get("status"),
            latency_ms=data.get("latency_ms"),
            error=data.get("error"),
            answered_by=body.get("region") if isinstance(body, Mapping) else None,
            requests=tuple(Request.from_dict(one) for one in data.get("requests", ())),
            at_ms=at_ms,
        )


def by_region(probes: Sequence[Probe]) -> dict[str, tuple[Probe, ...]]:
    """Looks at each Region, those first whose /health answered, or was not throttled at least:
    doubt makes several at once."""
    regions = dict.fromkeys(probe.region for probe in probes)
    made = sorted(probes, key=lambda probe: (not probe.looked, probe.status == THROTTLED))
    return {region: tuple(p for p in made if p.region == region) for region in regions}


def faults_of(probe: Probe, policy: Policy) -> list[str | None]:
    """Why each request of a look failed, or None; those that were throttled are left out. Where
    /health fails nothing more is asked: what the canaries would have got counts as it did.
    Where all canaries were throttled nothing is known: /health does not speak for them."""
    asked = [request for request in probe.requests if not request.throttled]
    if len(probe.requests) > 1 and all(request.throttled for request in probe.requests[1:]):
        return []
    return [request.fault(policy.slow_probe_ms) for request in asked] * faults_weigh(probe)


def faults_weigh(probe: Probe) -> int:
    """For how many requests each of a look's stands: a /health that failed, for the canaries."""
    alone = len(probe.requests) == 1 and failed(probe.requests[0].status)
    return 1 + len(CANARIES) if alone else 1


def health_evidence(observer: str, probe: Probe, policy: Policy) -> Evidence:
    where = f"GET /health of {probe.region} from {observer}"
    if not probe.looked:
        words = f"{where} was not made ({probe.error or 'no reason given'})"
        return Evidence("health", None, None, None, words)
    if not probe.reached:
        words = f"{where} got no answer ({probe.error or 'no reason given'})"
        return Evidence("health", None, None, True, words)
    status = float(probe.status or 0)
    if probe.status == THROTTLED:
        words = f"{where} was throttled by API Gateway (429), which proves nothing of the Region"
        return Evidence("health", status, 200, None, words)
    if probe.answered_by not in (None, probe.region):
        words = f"{where} was answered by {probe.answered_by}"
        return Evidence("health", status, 200, True, words)
    if not 200 <= status < 300:
        return Evidence("health", status, 200, True, f"{where} answered {status:.0f}, not 200")
    latency = float(probe.latency_ms or 0)
    late = latency > policy.slow_probe_ms
    slow = late and not probe.cold
    words = f"{where} answered {status:.0f} in {latency:.0f} ms (limit {policy.slow_probe_ms} ms)"
    if late and not slow:
        words += ", a cold start"
    return Evidence("latency_ms" if slow else "health", latency, policy.slow_probe_ms, slow, words)


def request_evidence(
    observer: str,
    region: str,
    faults: Sequence[str | None],
    turned_away: int,
    starts: str,
    score: Score,
    policy: Policy,
) -> Evidence:
    """What clients get. Bad only by the score, and after looks enough; a failure is never good.
    Nothing where what asks as clients do was `turned_away`, and nothing of a look is left.
    `starts`: what is to be said of cold starts."""
    throttled = f"{turned_away} requests to {region} from {observer} were throttled (429)"
    if turned_away and not faults:
        words = f"{throttled}, which proves nothing of what clients get"
        return Evidence(THROTTLES, None, None, None, words)
    found = list(dict.fromkeys(fault for fault in faults if fault is not None))
    bad = sum(fault is not None for fault in faults)
    words = f"{bad} of {len(faults)} requests to {region} from {observer} failed"
    if found:
        words += f" ({'; '.join(found)})"
    words += starts
    if turned_away:
        words += f"; {throttled}, which proves nothing"
    limit, looks = policy.request_bad_score, policy.probe_bad_streak
    words += f", score {score.value:.1f} (limit {limit:g}) over {score.looks} such looks"
    if score.doubted:
        words += f", {score.doubted:.1f} of it silence that may be {observer}'s own"
    certain = score.value >= limit and score.looks >= looks
    verdict = (True if certain else None) if found else False
    return Evidence(REQUESTS, score.value, limit, verdict, words)


def start_words(
    asked: Sequence[Sequence[Request]], judged: Sequence[Sequence[Request]], policy: Policy
) -> str:
    """How many slow answers of these looks were cold starts, and how many of those are excused."""
    starts, excused = (
        sum(one.slow_start(policy.slow_probe_ms) for look in looks for one in look)
        for looks in (asked, judged)
    )
    return f"; {starts} slow by a cold start, {excused} of them excused" if starts else ""


def alarm_evidence(alarms: Mapping[str, str]) -> list[Evidence]:
    found = []
    for name, state in sorted(alarms.items()):
        bad = {"ALARM": True, "OK": False}.get(state)
        if bad is not False:
            found.append(Evidence(f"alarm {name}", None, None, bad, f"alarm {name} is {state}"))
    return found


def lag_evidence(source: str, lag_ms: int | None, policy: Policy) -> Evidence:
    """Replication from a Region. Never bad in itself: a late replica serves its own clients."""
    if lag_ms is None:
        words = f"no heartbeat of {source} has been seen here: its replication lag is unknown"
        return Evidence("lag_ms", None, policy.lag_limit_ms, None, words)
    late = lag_ms > policy.lag_limit_ms
    words = f"{source}'s newest heartbeat here is {lag_ms / 1000:.1f} s old"
    limit = f" (limit {policy.lag_limit_ms / 1000:.0f} s)"
    return Evidence("lag_ms", lag_ms, policy.lag_limit_ms, None if late else False, words + limit)
