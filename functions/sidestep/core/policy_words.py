"""What each number of the policy decides, in words, and what the numbers come to together.

The one place for these words: docs/policy.md and `sidestep policy explain` say the same, which a
test holds them to.
"""

from __future__ import annotations

from collections.abc import Mapping

from sidestep.core.capacity import FULL
from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.holds import patience_s
from sidestep.core.maintenance import ALL, Window
from sidestep.core.policy import Policy
from sidestep.core.replication import EVACUATION_FACTOR
from sidestep.core.traffic import LIVES_MS, MINUTE_MS, SLACK_MS, WHOLE_AFTER_MS

WORDS: Mapping[str, str] = {
    "observe_only": "Detection runs and is told, nothing is moved: how to begin",
    "probe_bad_streak": (
        "Bad looks in a row, ten seconds apart, until an observer calls a Region impaired; "
        "of failing requests, looks with one. One is a blip"
    ),
    "probe_good_streak": (
        "Good looks in a row until it calls it healthy again: slower back than out, so that "
        "flapping counts as bad"
    ),
    "slow_probe_ms": (
        "A /health answer slower than this is a bad look, any other request a failed one, "
        "unless it was a cold start; the probe itself gives up at 2 s without a connection and at "
        "3.5 s without an answer"
    ),
    "request_bad_share": (
        "The share of failing requests that an observer is to notice soonest; at 0.08 a lasting "
        "share above 3 % is noticed in the end, a steady 1 % is not"
    ),
    "request_bad_score": (
        "How much must speak for that share against 1 % (natural logarithm of the odds) until "
        "the Region counts as impaired: four failures close together, more when many requests "
        "between them succeeded"
    ),
    "vote_max_age_s": (
        "What an older look saw, and an older ballot, does not count: three rounds and a little"
    ),
    "lag_limit_ms": (
        "A peer's heartbeat older than this is told as late replication; never a reason to move"
    ),
    "min_serving_regions": "So many other Regions must be able to serve, or nothing is drained",
    "cooldown_s": (
        "After a Region moved, so long until it is drained again by itself; also between "
        "tries to bring it back"
    ),
    "cooldown_factor": "Each further drain of it within 24 hours multiplies that wait",
    "cooldown_max_s": "The longest such wait",
    "max_drains_per_day": (
        "Automatic drains of all Regions together in 24 hours; then nothing is drained or brought "
        "back by itself, and a person is called; a return where nothing else serves is not held "
        "by it"
    ),
    "undrained_retry_s": (
        "After a failover that was put down without a drain, so long until the next; "
        "multiplied by `cooldown_factor` for each in a row, no more than an hour apart"
    ),
    "lease_s": "A holder that shows no sign for so long (and 30 s for clocks) is taken over from",
    "traffic_deadline_s": (
        "So long a workflow waits to see clients leave or return; one that leaves holds the "
        "incident for DNS alone"
    ),
    "replication_deadline_s": (
        "So long it waits for replication to be proven; a planned move is called off then, "
        'any other drain goes on and says "not known". So long, too, writes at risk are put '
        "back anew after a drain while somebody else cannot be read. A return waits longer, see "
        "`stability_deadline_s`"
    ),
    "worst_lag_ms": (
        "The recent worst replication lag; ten times it without writes is AWS's evacuation rule"
    ),
    "stability_window_s": (
        "Every observer has to call a drained Region healthy for so long before it returns; "
        "where nothing else serves, its own"
    ),
    "stability_deadline_s": (
        "A recovery that does not see that by then stands down; one that sees it, but cannot "
        "prove replication by then, asks a person (`approval`)"
    ),
    "probation_s": (
        "So long a returned Region has to hold under its own traffic, or it goes out again, if "
        "another can serve"
    ),
    "approval": (
        "When a person must agree to a return; where nothing else serves, data in doubt asks nobody"
    ),
    "approval_timeout_s": "Silence for so long is a no",
    "maintenance": (
        "While a window is open its Region is neither drained nor brought back by itself, and "
        "nobody is called about it; times are UTC"
    ),
    "capacity_percent": (
        "What each Region can carry, in percent of the whole application's peak (a Region that "
        "is not named: 100): a Region is drained only while those that remain carry 100 together"
    ),
}
"""Field → what it decides, and why it is so. In Markdown: names stand between backticks."""

ROUND_S = 10
"""Seconds between an observer's looks (statemachines/observe.asl.json)."""
LATE_S = 3
"""So many seconds late a minute's looks may begin. A guess: EventBridge promises its schedules no
second, only the minute
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html)."""
DAY_S = 86_400
_RUN_OUT_S = (LIVES_MS + SLACK_MS) // 1000
"""How long DNS has to have named only others before the writes at risk are counted."""


def together(policy: Policy) -> tuple[str, ...]:
    """How the numbers play together: sentences, with the seconds that come of these numbers."""
    lines = (
        _out(policy),
        _back(policy),
        _waits(policy),
        f"However often a Region flaps, in 24 hours at most "
        f"{_times(failovers_in_a_day(policy), 'failover')} of it can begin by themselves, and with "
        f"returns that do not hold it is drained {_times(policy.max_drains_per_day, 'time')} at "
        "most.",
        f"A failover waits for nothing before the drain; after it, it holds the incident until DNS "
        f"has named only other Regions for {_RUN_OUT_S} s ({policy.traffic_deadline_s} s after the "
        f"drain at most) and replication is measured ({policy.replication_deadline_s} s at most), "
        "and until writes at risk are counted and put back "
        f"(for {policy.replication_deadline_s} s from the first try, while another Region cannot "
        "be read). "
        f"Clients are watched leaving until {policy.traffic_deadline_s} s after the drain, with "
        "nothing held: no return waits for that.",
        f"A holder that dies is taken over from after {policy.lease_s + CLOCK_SKEW_MS // 1000} s.",
    )
    windows = tuple(_window(window) for window in policy.maintenance)
    return (*lines, *windows, *_capacity(policy))


def contradictions(policy: Policy) -> tuple[str, ...]:
    """Numbers that are allowed each on its own and make no sense together, in words."""
    found = []
    if policy.cooldown_max_s < policy.cooldown_s:
        found.append(
            f"cooldown_max_s ({policy.cooldown_max_s}) is below cooldown_s "
            f"({policy.cooldown_s}): every wait is {policy.cooldown_max_s} s"
        )
    if policy.stability_deadline_s <= policy.stability_window_s:
        found.append(
            f"stability_deadline_s ({policy.stability_deadline_s}) is not above "
            f"stability_window_s ({policy.stability_window_s}): a Region that has to begin its "
            "window anew is not brought back"
        )
    soonest = (MINUTE_MS + WHOLE_AFTER_MS) // 1000
    if policy.traffic_deadline_s < soonest:
        found.append(
            f"traffic_deadline_s ({policy.traffic_deadline_s}) is below {soonest}: by then no "
            "metrics can show that clients have left, and a failover from a Region that can "
            "still be asked ends as not verified"
        )
    if policy.traffic_deadline_s < _RUN_OUT_S:
        found.append(
            f"traffic_deadline_s ({policy.traffic_deadline_s}) is below {_RUN_OUT_S}: the writes "
            "at risk are counted while resolvers may still send clients to the Region"
        )
    settle_s = EVACUATION_FACTOR * policy.worst_lag_ms / 1000
    for name, deadline_s, then in (
        ("replication_deadline_s", policy.replication_deadline_s, "hardly a planned move is made"),
        ("stability_deadline_s", policy.stability_deadline_s, "a return's data is in doubt"),
    ):
        if settle_s >= deadline_s:
            found.append(
                f"ten times worst_lag_ms ({settle_s:g} s) is not below {name} ({deadline_s}): "
                f"replication is not proven in time, {then}"
            )
    return tuple(found)


def failovers_in_a_day(policy: Policy) -> int:
    """How many failovers of one Region can begin by themselves in 24 hours: by the daily budget
    and the growing waits."""
    begun, passed = 1, 0.0
    while begun < policy.max_drains_per_day:
        passed += patience_s(policy, begun)
        if passed >= DAY_S:
            break
        begun += 1
    return begun


def _out(policy: Policy) -> str:
    rounds = policy.probe_bad_streak
    return (
        f"A Region that fails hard is drained after {_times(rounds, 'round')} and no sooner: "
        f"{(rounds - 1) * ROUND_S} to {rounds * ROUND_S} s, up to {LATE_S} s off where one "
        "minute's looks follow on another's."
    )


def _back(policy: Policy) -> str:
    rounds = policy.probe_good_streak
    soonest = (rounds - 1) * ROUND_S + policy.stability_window_s
    return (
        f"It returns no sooner than {soonest} s after it is well ({_times(rounds, 'round')} and "
        f"{policy.stability_window_s} s of every observer's calling it healthy), when its replica "
        f"has caught up; it is on probation for another {policy.probation_s} s."
    )


def _waits(policy: Policy) -> str:
    waits = [f"{patience_s(policy, n):g}" for n in range(1, min(policy.max_drains_per_day, 6) + 1)]
    return (
        f"After its first drain within 24 hours it is not drained again for {waits[0]} s after "
        f"it moved; after each further one for {', '.join(waits[1:]) or 'the day'}"
        f"{' s' if waits[1:] else ''}."
    )


def _capacity(policy: Policy) -> tuple[str, ...]:
    shares = policy.capacity_percent
    if not shares:
        return (
            "Each Region is taken to carry the whole peak. Of messages it accepts "
            "`WriteRateLimit` a second (200 by default) and answers 429 to more: where the peak "
            "of all Regions together is above that, times the Regions that remain after a drain, "
            "the drain refuses clients. Then raise that limit or set `capacity_percent`.",
        )
    each = ", ".join(f"{region} carries {share} %" for region, share in sorted(shares.items()))
    return (
        f"Of the peak {each}, every other Region {FULL} %: unless those that remain carry {FULL} % "
        "together, nothing is drained (only an operator's forced failover is).",
    )


def _window(window: Window) -> str:
    whose = "any Region" if window.region == ALL else window.region
    return f"Maintenance, {window.words}: nothing moves {whose} by itself, nobody is called."


def _times(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
