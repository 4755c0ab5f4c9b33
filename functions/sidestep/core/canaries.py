"""What an observer's requests to a Region come to: when has too large a share of them failed?

A Region fails in grey: a third of its writes errors while each health check is green. No
single request tells that apart from a blip, so an observer keeps a score (a cumulative sum:
E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, the quickest way to notice a
change of a rate for a given number of false alarms). Each request adds the logarithm of how
much likelier its outcome is when `request_bad_share` of all fail than when TOLERATED_SHARE
do; the score never falls below zero. So half of the requests failing is noticed after a few,
a tenth after many, and a steady one in a hundred is not.

Few requests are enough while all is well; the moment one fails there is doubt, and doubt is
settled by asking more (variable sampling intervals: Reynolds, Amin and Arnold, "CUSUM charts
with variable sampling intervals", Technometrics 32, 1990). How soon that finds what, and how
often it is wrong, is measured by benchmarks/bench_detection.py.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

TOLERATED_SHARE = 0.01
"""Of requests that may fail in a Region that is well. Chosen: an objective of 99 %."""
CAP = 2.0
"""The score stops at so many limits. Chosen: what was bad for an hour is not bad for another."""
KEPT = 0.85
"""Of a look's requests when Regions are compared, at each further look: the last minute counts.
A longer memory takes for wellness what was before the fault; a shorter one needs more samples."""
LEAST_SHARE, WORST_SHARE = 0.035, 0.5
"""Of requests that fail, when Regions are compared. A smaller share would never be noticed, and
to tell it from none takes more requests than there are; and a few answers differ from a Region
that answers nothing as much as from one that answers half."""

HEALTH = "GET /health"
WRITE, READ = "POST /canary", "GET /canary"
CANARIES = (WRITE, READ, *(WRITE,) * 5)
"""Asked in each look. How many writes decides how soon a small share shows for the first time;
more would cost more (docs/decisions/007-canary-requests.md)."""
CLOSER = (WRITE,) * 10
"""Asked in addition where there is doubt: at 0.15 s each all of them take a quarter of a round."""
THROTTLED = 429
"""API Gateway's own throttle, of a route or of the account
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html): the
observers' routes are open to anybody, and a flood of one says nothing of the others'. What
clients have to be told of is a 5xx: Lambda's throttle comes out of API Gateway as one
(https://repost.aws/knowledge-center/api-gateway-internal-server-error), DynamoDB's as our 503."""
AT_ONCE = 4
"""So many looks at a Region, side by side, where there is doubt: what they ask takes no longer, and
with three observers' a failing tenth is told from a failing hundredth in a look or two."""
COLD_START = "Sidestep-Cold-Start"
"""The header with which the API says that an answer is the first of its execution environment."""
COLD_STARTS = 16
"""So many slow answers an observer takes for nothing but cold starts. Doubt sends AT_ONCE looks
to three functions (/health, write, history) at once, after a look that made an environment of
each: about fifteen in a Region that is well, whose environments serve on once they are there, and
fewer since those serve several looks (tests/core/test_cold_starts_in_a_burst.py: ten at most)."""
COLD_STARTS_BACK = 0.5
"""So many of them are allowed again at each look. Chosen: all of them after five minutes. How long
Lambda keeps what is idle it does not say ("a non-deterministic period",
https://docs.aws.amazon.com/lambda/latest/operatorguide/execution-environments.html). More than
one slow start in two looks, for long, is what clients feel."""
FRESH_LOOKS = 30
"""Doubt that five minutes of failing looks have not settled is of a small share that stays: it
costs a person's time, and is worth one closer look at a time, not four."""


def asked(
    closer: bool, always: Sequence[str] = CANARIES, more: Sequence[str] = CLOSER
) -> Generator[str, bool, None]:
    """What one look asks, request by request; each time it is sent whether that one failed.

    `closer`: there is doubt about some Region already. Else the first failure brings it.
    """
    left = [*always, *(more if closer else ())]
    doubtful = closer
    while left:
        let_down = yield left.pop(0)
        if let_down and not doubtful:
            doubtful = True
            left += more


@dataclass(frozen=True)
class Request:
    """One request to a Region. `status` None: no answer. `ms`: how long it took.

    `cold`: it may have waited for a new execution environment, the Region's (COLD_START) or the
    observer's own; how long it took proves nothing then.
    """

    what: str
    status: int | None
    ms: int
    error: str | None = None
    cold: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Request:
        """From ProbeFunction's answer; that of the release before said nothing of cold starts."""
        return cls(
            what=str(data["what"]),
            status=data["status"],
            ms=int(data["ms"]),
            error=data["error"],
            cold=bool(data.get("cold", False)),
        )

    @property
    def throttled(self) -> bool:
        """Turned away by API Gateway: as if it had not been sent, it proves nothing."""
        return self.status == THROTTLED

    def fault(self, slow_ms: int) -> str | None:
        """Why a client would have been let down; None: it would not."""
        if self.status is None:
            return f"{self.what} got no answer ({self.error})"
        if failed(self.status):
            return f"{self.what} answered {self.status}"
        slow = self.ms > slow_ms and not self.cold
        return f"{self.what} took {self.ms} ms (limit {slow_ms} ms)" if slow else None

    def slow_start(self, slow_ms: int) -> bool:
        """Whether nothing but a cold start keeps it from being a fault: served, but slowly."""
        return self.cold and not failed(self.status) and self.ms > slow_ms


def failed(status: int | None) -> bool:
    """Whether a client was let down: no answer, or the server's error.

    A 4xx is no failure: not a throttle, which others may have filled (THROTTLED), and an older
    deployment may not know the canary's route yet.
    """
    return status is None or status >= 500


@dataclass(frozen=True)
class Score:
    """How much speaks for a failing Region (natural logarithm of odds), and in how many looks
    a request has failed since nothing did.

    For comparing Regions: how many requests were `asked` and how many `failed` lately, those
    of each earlier look counting KEPT of the next one's. `cold`: how many slow answers were taken
    for cold starts and are not allowed again yet, COLD_STARTS at most.

    `doubted`: what of the value rests on silence that the observer may have met because it was cut
    off itself (core/silence.py), in `silences` looks, one at most: when a second one meets such
    silence, nothing is doubted any more, since by then who is cut off reaches nobody and is not
    believed.
    """

    value: float = 0.0
    looks: int = 0
    asked: float = 0.0
    failed: float = 0.0
    cold: float = 0.0
    doubted: float = 0.0
    silences: int = 0

    @property
    def told(self) -> float:
        """What of the value counts together with what other observers saw."""
        return self.value - self.doubted

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Score:
        """From plain JSON; what an older version did not keep is nothing."""
        return cls(
            float(data.get("value", 0.0)),
            int(data.get("looks", 0)),
            float(data.get("asked", 0.0)),
            float(data.get("failed", 0.0)),
            float(data.get("cold", 0.0)),
            float(data.get("doubted", 0.0)),
            int(data.get("silences", 0)),
        )

    def excusing(
        self, looks: Sequence[Sequence[Request]], slow_ms: int, again: bool = False
    ) -> tuple[list[tuple[Request, ...]], Score]:
        """The requests of looks made at once, of whose slow cold starts as many remain cold as are
        allowed, and the score that remembers those. `again`: as in `after`; it brings none back.

        A Region that is well has few of them, since an environment serves on. Where each answer
        comes from a new one, clients wait as the observer did: any further one is read as warm.
        """
        cold = max(0.0, self.cold - (0.0 if again else COLD_STARTS_BACK))
        judged = []
        for look in looks:
            requests = []
            for one in look:
                start = one.slow_start(slow_ms)
                excused = start and cold + 1 <= COLD_STARTS
                cold += excused
                requests.append(replace(one, cold=False) if start and not excused else one)
            judged.append(tuple(requests))
        return judged, replace(self, cold=cold)

    def after(
        self,
        faults: Sequence[str | None],
        bad_share: float,
        limit: float,
        again: bool = False,
        own: int = 0,
    ) -> Score:
        """The score after one more look: for each request, why it failed or None. `again`: it is
        of the same moment as the last one, and no further look with a failure. `own`: so many of
        the failures may be of the observer's own being cut off."""
        if not faults:
            return self
        failure = math.log(bad_share / TOLERATED_SHARE)
        success = math.log((1 - bad_share) / (1 - TOLERATED_SHARE))
        # The order within a look says nothing, so the look is weighed as one.
        bad = sum(fault is not None for fault in faults)

        def weighed(value: float, bad: int, good: int) -> float:
            return min(max(0.0, value + bad * failure + good * success), CAP * limit)

        value = weighed(self.value, bad, len(faults) - bad)
        told = weighed(self.told, bad - own, len(faults) - bad)
        looks = self.looks + (bad > 0 and not (again and self.looks > 0))
        silences = self.silences + (own > 0 and not (again and self.silences > 0))
        return replace(
            self,
            value=round(value, 3),
            looks=looks if value else 0,
            asked=round(self.asked * KEPT + len(faults), 3),
            failed=round(self.failed * KEPT + bad, 3),
            doubted=round(value - told, 3) if silences == 1 else 0.0,
            silences=silences if value else 0,
        )

    def forgotten(self) -> Score:
        """Nothing speaks against the Region any more; what was asked lately stays known."""
        return replace(self, value=0.0, looks=0, doubted=0.0, silences=0)


def wellness(one: Sequence[Score], ill: Sequence[Score]) -> float | None:
    """How much speaks for one Region's being well, against its failing as another does (natural
    logarithm of odds); None where that other one's requests do not fail: it is ill otherwise."""
    of_ill = sum(score.asked for score in ill)
    share = sum(score.failed for score in ill) / of_ill if of_ill else 0.0
    if share <= TOLERATED_SHARE:
        return None
    share = min(max(share, LEAST_SHARE), WORST_SHARE)
    bad = sum(score.failed for score in one)
    good = sum(score.asked for score in one) - bad
    success = math.log((1 - TOLERATED_SHARE) / (1 - share))
    return good * success - bad * math.log(share / TOLERATED_SHARE)
