"""Every number that a decision hangs on, in one place, checked when it is read.

Seconds and milliseconds are in the names. docs/policy.md explains each; a test compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sidestep.core.errors import PolicyError

APPROVALS = ("never", "when_data_in_doubt", "always")


@dataclass(frozen=True)
class Policy:
    """How quick, how sure, how careful. The defaults need no tuning."""

    observe_only: bool = False
    probe_bad_streak: int = 2
    probe_good_streak: int = 3
    slow_probe_ms: int = 1500
    request_bad_share: float = 0.2
    request_bad_score: float = 5.5
    vote_max_age_s: int = 35
    lag_limit_ms: int = 60_000
    min_serving_regions: int = 1
    cooldown_s: int = 300
    cooldown_factor: float = 2.0
    cooldown_max_s: int = 3600
    max_drains_per_day: int = 6
    undrained_retry_s: int = 10
    lease_s: int = 90
    traffic_deadline_s: int = 240
    replication_deadline_s: int = 180
    worst_lag_ms: int = 2000
    stability_window_s: int = 60
    stability_deadline_s: int = 1800
    probation_s: int = 60
    approval: str = "when_data_in_doubt"
    approval_timeout_s: int = 3600

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Policy:
        """A policy from JSON; what is not given has its default. Raises PolicyError."""
        known = {field.name: field for field in fields(cls)}
        for name, value in given.items():
            if name not in known:
                raise PolicyError(f"policy has no {name!r}: it has {', '.join(sorted(known))}")
            _check(name, value, type(getattr(cls, name)))
        return cls(**given)


_RANGES: dict[str, tuple[float, float]] = {
    "probe_bad_streak": (1, 10),
    "probe_good_streak": (1, 20),
    "slow_probe_ms": (100, 2000),
    "request_bad_share": (0.02, 0.9),
    "request_bad_score": (1.0, 100.0),
    "vote_max_age_s": (20, 300),
    "lag_limit_ms": (1000, 3_600_000),
    "min_serving_regions": (1, 9),
    "cooldown_s": (0, 86_400),
    "cooldown_factor": (1.0, 10.0),
    "cooldown_max_s": (0, 86_400),
    "max_drains_per_day": (1, 100),
    "undrained_retry_s": (0, 3600),
    "lease_s": (30, 600),
    "traffic_deadline_s": (30, 3600),
    "replication_deadline_s": (0, 3600),
    "worst_lag_ms": (0, 600_000),
    "stability_window_s": (0, 86_400),
    "stability_deadline_s": (60, 86_400),
    "probation_s": (0, 86_400),
    "approval_timeout_s": (60, 86_400),
}
"""What each number may be, both ends included."""


def _check(name: str, value: object, kind: type) -> None:
    if name == "approval":
        if value not in APPROVALS:
            raise PolicyError(f"policy approval is {value!r}: it may be {', '.join(APPROVALS)}")
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = isinstance(value, bool) if kind is bool else number
    if kind is int and not isinstance(value, int):
        fits = False
    if not fits:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise PolicyError(f"policy {name} is {value!r}: it must be {wanted}")
    if name in _RANGES:
        low, high = _RANGES[name]
        assert isinstance(value, int | float)
        if not low <= value <= high:
            raise PolicyError(f"policy {name} is {value}: it may be {low:g} to {high:g}")
