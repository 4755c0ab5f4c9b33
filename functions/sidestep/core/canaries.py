"""What an observer's requests to a Region come to: when has too large a share of them failed?

A Region fails in grey: a third of its writes errors while each health check is green. No
single request tells that apart from a blip, so an observer keeps a score (a cumulative sum:
E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, the quickest way to notice a
change of a rate for a given number of false alarms). Each request adds the logarithm of how
much likelier its outcome is when `request_bad_share` of all fail than when TOLERATED_SHARE
do; the score never falls below zero. So half of the requests failing is noticed after a few,
a tenth after many, and a steady one in a hundred is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOLERATED_SHARE = 0.01
"""Of requests that may fail in a Region that is well. Chosen: an objective of 99 %."""
CAP = 2.0
"""The score stops at so many limits. Chosen: what was bad for an hour is not bad for another."""


@dataclass(frozen=True)
class Request:
    """One request to a Region. `status` None: no answer. `ms`: how long it took."""

    what: str
    status: int | None
    ms: int
    error: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Request:
        """From ProbeFunction's answer."""
        return cls(str(data["what"]), data["status"], int(data["ms"]), data["error"])

    def fault(self, slow_ms: int) -> str | None:
        """Why a client would have been let down; None: it would not."""
        if self.status is None:
            return f"{self.what} got no answer ({self.error})"
        if failed(self.status):
            return f"{self.what} answered {self.status}"
        return f"{self.what} took {self.ms} ms (limit {slow_ms} ms)" if self.ms > slow_ms else None


def failed(status: int | None) -> bool:
    """Whether a client was turned away: no answer, the server's error, or a throttle.

    Another 4xx is no failure: an older deployment may not know the canary's route yet.
    """
    return status is None or status >= 500 or status == 429


@dataclass(frozen=True)
class Score:
    """How much speaks for a failing Region (natural logarithm of odds), and in how many looks
    a request has failed since nothing did."""

    value: float = 0.0
    looks: int = 0

    def after(self, faults: Sequence[str | None], bad_share: float, limit: float) -> Score:
        """The score after one more look: for each request, why it failed or None."""
        if not faults:
            return self
        failure = math.log(bad_share / TOLERATED_SHARE)
        success = math.log((1 - bad_share) / (1 - TOLERATED_SHARE))
        value, looks = self.value, self.looks
        # The order within a look says nothing, so the look is weighed as one.
        bad = sum(fault is not None for fault in faults)
        value = min(max(0.0, value + bad * failure + (len(faults) - bad) * success), CAP * limit)
        if bad:
            looks += 1
        return Score(round(value, 3), looks if value else 0)
