"""Every number that a decision hangs on, in one place, checked when it is read.

Seconds and milliseconds are in the names. docs/policy.md explains each; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from sidestep.core import capacity, maintenance
from sidestep.core.control import FORCED, MOVES_KEPT
from sidestep.core.errors import PolicyError
from sidestep.core.maintenance import Fault, Window

APPROVALS = ("never", "when_data_in_doubt", "always")


@dataclass(frozen=True)
class Policy:
    """How quick, how sure, how careful. The defaults need no tuning."""

    observe_only: bool = False
    probe_bad_streak: int = 2
    probe_good_streak: int = 3
    slow_probe_ms: int = 1500
    request_bad_share: float = 0.08
    request_bad_score: float = 7.0
    vote_max_age_s: int = 35
    lag_limit_ms: int = 60_000
    min_serving_regions: int = 1
    cooldown_s: int = 300
    cooldown_factor: float = 2.0
    cooldown_max_s: int = 3600
    max_drains_per_day: int = 6
    undrained_retry_s: int = 10
    lease_s: int = 90
    traffic_deadline_s: int = 360
    replication_deadline_s: int = 180
    worst_lag_ms: int = 2000
    stability_window_s: int = 60
    stability_deadline_s: int = 1800
    probation_s: int = 60
    approval: str = "when_data_in_doubt"
    approval_timeout_s: int = 3600
    maintenance: tuple[Window, ...] = ()
    capacity_percent: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Mapping[str, Any], regions: Sequence[str] = ()) -> Policy:
        """A policy from JSON; what is not given has its default. `regions`: the guarded ones,
        which are all that it may name; none: any. Raises PolicyError with all that is wrong."""
        wrong = problems(given, regions)
        if wrong:
            raise PolicyError("; ".join(problem.words for problem in wrong))
        windows = tuple(Window.from_given(one) for one in given.get("maintenance", ()))
        return cls(**{**given, "maintenance": windows})

    def must_remain(self, mode: str) -> int:
        """How many Regions have to go on serving when one is drained in this mode. Forced is one:
        the operator knows better, and the last one is kept whatever anybody says."""
        return 1 if mode == FORCED else self.min_serving_regions

    def for_workflows(self) -> dict[str, bool | int | float | str]:
        """Its numbers and words, which workflows' conditions read. What has a shape stays out of
        their state: only the decision asks for it."""
        return {name: one for name, one in vars(self).items() if name not in _STRUCTURED}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a policy as it was given, and where: the names and the places
    in lists that lead there."""

    path: tuple[str | int, ...]
    words: str


def problems(given: Mapping[str, Any], regions: Sequence[str] = ()) -> tuple[Problem, ...]:
    """All that is wrong in a policy as it was given, in its order; nothing when it is right.

    `regions` as in `Policy.parse`.
    """
    defaults = Policy()
    known = [one.name for one in fields(Policy)]
    found: list[Problem] = []
    for name, value in given.items():
        if name not in known:
            found.append(Problem((name,), _unknown(str(name), known)))
            continue
        if name in _STRUCTURED:
            for path, words in _STRUCTURED[name](value, regions):
                found.append(Problem((name, *path), f"policy {name} {words}"))
            continue
        wrong = _check(name, value, type(getattr(defaults, name)))
        if wrong:
            found.append(Problem((name,), wrong))
    return tuple(found)


def allowed(name: str) -> str:
    """What a field may be, in words: `1 to 10`, `true, false`, or the words that there are."""
    if name == "approval":
        return ", ".join(APPROVALS)
    if name in _RANGES:
        low, high = _RANGES[name]
        return f"{low:.10g} to {high:.10g}"
    return _SHAPES.get(name, "true, false")


_RANGES: dict[str, tuple[float, float]] = {
    "probe_bad_streak": (1, 10),
    "probe_good_streak": (1, 20),
    # One round trip alone takes up to 0.28 s (localcloud/network/geography.py).
    "slow_probe_ms": (500, 2000),
    "request_bad_share": (0.02, 0.9),
    "request_bad_score": (1.0, 100.0),
    "vote_max_age_s": (20, 300),
    "lag_limit_ms": (1000, 3_600_000),
    "min_serving_regions": (1, 9),
    "cooldown_s": (0, 86_400),
    "cooldown_factor": (1.0, 10.0),
    "cooldown_max_s": (0, 86_400),
    "max_drains_per_day": (1, MOVES_KEPT // 2),
    "undrained_retry_s": (0, 3600),
    "lease_s": (30, 600),
    "traffic_deadline_s": (30, 3600),
    "replication_deadline_s": (0, 3600),
    "worst_lag_ms": (0, 600_000),
    "stability_window_s": (0, 86_400),
    "stability_deadline_s": (60, 3600),
    "probation_s": (0, 3600),
    "approval_timeout_s": (60, 86_400),
}
"""What each number may be, both ends included. A workflow looks again each ten seconds while it
waits, and an execution's history ends at 25,000 events, past any Catch (Step Functions, service
quotas): `stability_deadline_s`, which is waited for twice, `probation_s` and `traffic_deadline_s`
have to fit in one, with room for retries (tests/control/test_nothing_waits_for_ever.py).
`max_drains_per_day`: the newest MOVES_KEPT moves are kept, and drains and returns take turns."""

_STRUCTURED: Mapping[str, Callable[[object, Sequence[str]], Iterable[Fault]]] = {
    "maintenance": maintenance.faults,
    "capacity_percent": capacity.faults,
}
"""What is no number or word: who says what is wrong in it."""
_SHAPES: Mapping[str, str] = {
    "maintenance": "a list of windows",
    "capacity_percent": f"0 to {capacity.MOST} for each Region",
}


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    rest = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known))}"
    return f"policy has no {name!r}: {rest}"


def _check(name: str, value: object, kind: type) -> str | None:
    """What is wrong with a value; None when it is right."""
    told = "nothing" if value is None else repr(value)
    if name == "approval":
        if value in APPROVALS:
            return None
        return f"policy approval is {told}: it may be {allowed(name)}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = isinstance(value, bool) if kind is bool else number
    if kind is int and not isinstance(value, int):
        fits = False
    if not fits:
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        return f"policy {name} is {told}: it must be {wanted}"
    if name in _RANGES:
        low, high = _RANGES[name]
        assert isinstance(value, int | float)
        if not low <= value <= high:
            return f"policy {name} is {value}: it may be {allowed(name)}"
    return None
