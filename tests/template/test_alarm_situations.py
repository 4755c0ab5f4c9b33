"""Alarms, situation by situation: what was measured, and what the template's alarm makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from localcloud.services.alarm_rules import judge, points_of, rule_of
from localcloud.services.metrics import Dimensions, MetricId, MetricStore, dimensions
from tests.template.one_stack import Stack

HERE = "eu-west-2"
ALARMS = {
    str(alarm["AlarmName"]).removeprefix(f"sidestep-demo-{HERE}-"): alarm
    for alarm in Stack(HERE).of_type("AWS::CloudWatch::Alarm").values()
}
MINUTES = 12
NOW = 1_800_000_000.0 + 60 * MINUTES

Metric = tuple[str, str, str]
"""Namespace, name, and the one dimension's value (of a route's metrics: method and path)."""
Measured = Mapping[Metric, Sequence[Sequence[float]]]
"""The values of each minute, the newest last; minutes before are without data."""

WRITES = ("Sidestep", "Writes", "write")
WRITE_ERRORS = ("Sidestep", "WriteErrors", "write")
LATENCY = ("Sidestep", "WriteLatency", "write")
REQUESTS = ("AWS/ApiGateway", "Count", "GET /history")
ANSWERED_5XX = ("AWS/ApiGateway", "5xx", "GET /history")
WRITE_REQUESTS = ("AWS/ApiGateway", "Count", "POST /messages")
WRITES_5XX = ("AWS/ApiGateway", "5xx", "POST /messages")
WRITES_4XX = ("AWS/ApiGateway", "4xx", "POST /messages")
REJECTIONS = ("Sidestep", "WriteRejections", "write")
ALL_REQUESTS = ("AWS/ApiGateway", "Count", "<Api>")
ALL_5XX = ("AWS/ApiGateway", "5xx", "<Api>")
THROTTLED_WRITES = ("Sidestep", "WriteThrottles", "write")
THROTTLED_INVOCATIONS = ("AWS/Lambda", "Throttles", "<WriteFunction>")
ROUNDS = ("Sidestep", "NeedsPerson", "vote")
INVOCATIONS = ("AWS/Lambda", "Invocations", "<VoteFunction>")
DEAD = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "<DeadLetters.QueueName>")
WAITING = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "<UnsentEvents.QueueName>")
IN_FLIGHT = ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "<UnsentEvents.QueueName>")


def lag_from(region: str) -> Metric:
    return ("Sidestep", "ReplicationLag", region)


def outcomes(bad: int, good: int) -> dict[Metric, list[list[float]]]:
    """Three minutes of writes, each minute the same; every request counts in both metrics."""
    return {
        WRITE_ERRORS: [[1.0] * bad + [0.0] * good] * 3,
        WRITES: [[0.0] * bad + [1.0] * good] * 3,
    }


def refused(
    of_all: int, by_the_function: int, requests: int = 40
) -> dict[Metric, list[list[float]]]:
    """Three minutes of requests to write, each minute the same: those answered 4xx."""
    return {
        WRITE_REQUESTS: [[1.0] * requests] * 3,
        WRITES_4XX: [[1.0] * of_all] * 3,
        REJECTIONS: [[1.0] * by_the_function] * 3,
    }


def label(where: Dimensions) -> str:
    """A metric's dimensions as this page writes them."""
    if len(where) == 1:
        return where[0][1]
    return " ".join(value for name, value in where if name in ("Method", "Resource"))


def state(what: str, measured: Measured) -> str:
    """The alarm's state after all this, when it was OK before."""
    alarm = ALARMS[what]
    rule = rule_of(HERE, alarm)
    read = {
        label(query.metric.dimensions): query.metric.dimensions
        for query in rule.queries
        if query.metric is not None
    }
    store = MetricStore()
    for (namespace, name, value), minutes in measured.items():
        # A metric that the alarm does not read may carry any dimension.
        where = read.get(value, dimensions(other=value))
        for back, values in enumerate(reversed(minutes), start=1):
            for one in values:
                store.record(MetricId(HERE, namespace, name, where), one, NOW - 60 * back)
    # Late enough for the newest minute's data to have arrived, and before the next is complete.
    return judge(rule, points_of(rule, store, NOW + 59), "OK")


SITUATIONS: list[tuple[str, str, Measured, str]] = [
    ("api-5xx-rate", "no requests at all", {}, "OK"),
    ("api-5xx-rate", "health", {REQUESTS: [[1.0] * 40] * 3, ANSWERED_5XX: [[0.0]] * 3}, "OK"),
    ("api-5xx-rate", "all 5xx", {REQUESTS: [[1.0] * 40] * 3, ANSWERED_5XX: [[40.0]] * 3}, "ALARM"),
    ("api-5xx-rate", "too few", {REQUESTS: [[1.0] * 19] * 3, ANSWERED_5XX: [[19.0]] * 3}, "OK"),
    ("api-5xx-rate", "no 5xx ever", {REQUESTS: [[1.0] * 40] * 3}, "OK"),
    (
        "api-5xx-rate",
        "one bad minute",
        {REQUESTS: [[1.0] * 40] * 3, ANSWERED_5XX: [[0.0], [0.0], [40.0]]},
        "OK",
    ),
    (
        "api-5xx-rate",
        "reads well, writes all 5xx",
        {
            REQUESTS: [[1.0] * 40] * 3,
            WRITE_REQUESTS: [[1.0] * 40] * 3,
            WRITES_5XX: [[40.0]] * 3,
        },
        "ALARM",
    ),
    (
        "api-5xx-rate",
        "health checks answered 5xx, and no client",
        {REQUESTS: [[1.0] * 40] * 3, ALL_REQUESTS: [[90.0]] * 3, ALL_5XX: [[50.0]] * 3},
        "OK",
    ),
    ("write-errors", "no writes at all", {}, "OK"),
    ("write-errors", "all acknowledged", outcomes(bad=0, good=50), "OK"),
    ("write-errors", "a tenth fails", outcomes(bad=5, good=45), "OK"),
    ("write-errors", "more than a tenth fails", outcomes(bad=6, good=44), "ALARM"),
    ("write-errors", "every write fails", outcomes(bad=50, good=0), "ALARM"),
    ("write-errors", "a handful fails", outcomes(bad=9, good=0), "OK"),
    ("write-latency", "no writes at all", {}, "OK"),
    ("write-latency", "fast", {LATENCY: [[40.0] * 50] * 3}, "OK"),
    (
        "write-latency",
        "slow in two of three",
        {LATENCY: [[2500.0] * 20] * 2 + [[40.0] * 20]},
        "ALARM",
    ),
    ("write-latency", "slow in one of three", {LATENCY: [[40.0] * 20] * 2 + [[2500.0] * 20]}, "OK"),
    ("write-latency", "a slow handful", {LATENCY: [[2500.0] * 9] * 3}, "OK"),
    ("throttles", "nothing runs", {}, "OK"),
    ("throttles", "writes throttled", {THROTTLED_WRITES: [[1.0] * 11] * 2}, "ALARM"),
    ("throttles", "invocations throttled", {THROTTLED_INVOCATIONS: [[11.0]] * 2}, "ALARM"),
    (
        "throttles",
        "both, a little",
        {THROTTLED_WRITES: [[1.0] * 6] * 2, THROTTLED_INVOCATIONS: [[6.0]] * 2},
        "ALARM",
    ),
    ("throttles", "long ago", {THROTTLED_WRITES: [[1.0] * 50] * 2 + [[]] * 6}, "OK"),
    ("writes-refused", "no writes at all", {}, "OK"),
    ("writes-refused", "throttled", refused(of_all=3, by_the_function=0), "ALARM"),
    ("writes-refused", "rejected with a reason", refused(of_all=30, by_the_function=30), "OK"),
    ("writes-refused", "both", refused(of_all=33, by_the_function=30), "ALARM"),
    ("writes-refused", "a twentieth", refused(of_all=2, by_the_function=0), "OK"),
    ("writes-refused", "a handful", refused(of_all=19, by_the_function=0, requests=19), "OK"),
    (
        "writes-refused",
        "all throttled: the function runs not once",
        {WRITE_REQUESTS: [[1.0] * 40] * 3, WRITES_4XX: [[1.0] * 40] * 3},
        "ALARM",
    ),
    (
        "writes-refused",
        "one minute's peak",
        {WRITE_REQUESTS: [[1.0] * 40] * 3, WRITES_4XX: [[], [], [20.0]]},
        "OK",
    ),
    (
        "replication-lag",
        "one peer far behind, the other prompt",
        {lag_from("eu-west-1"): [[90_000.0]] * 2, lag_from("us-east-1"): [[800.0]] * 2},
        "ALARM",
    ),
    (
        "replication-lag",
        "prompt",
        {lag_from("eu-west-1"): [[900.0]] * 2, lag_from("us-east-1"): [[800.0]] * 2},
        "OK",
    ),
    ("replication-lag", "nothing arrives: unknown", {}, "INSUFFICIENT_DATA"),
    ("heartbeats-missing", "rounds", {ROUNDS: [[0.0] * 6] * 3}, "OK"),
    ("heartbeats-missing", "rounds that page", {ROUNDS: [[1.0] * 6] * 3}, "OK"),
    ("heartbeats-missing", "nothing runs", {}, "ALARM"),
    ("heartbeats-missing", "each round crashes", {INVOCATIONS: [[1.0] * 6] * 3}, "ALARM"),
    ("heartbeats-missing", "one minute's pause", {ROUNDS: [[0.0] * 6, [0.0] * 6, []]}, "OK"),
    ("needs-person", "rounds that decide", {ROUNDS: [[0.0] * 6] * 3}, "OK"),
    ("needs-person", "rounds that page", {ROUNDS: [[0.0, 1.0]] * 3}, "ALARM"),
    ("needs-person", "a silent observer, told elsewhere", {}, "OK"),
    ("dead-letters", "idle queues report nothing", {}, "OK"),
    ("dead-letters", "one dead letter", {DEAD: [[0.0], [1.0]]}, "ALARM"),
    ("unsent-events", "idle queues report nothing", {}, "OK"),
    ("unsent-events", "for minutes", {WAITING: [[0.0]] * 3 + [[2.0]] * 12}, "OK"),
    (
        "unsent-events",
        "for a quarter of an hour, in flight between tries",
        {WAITING: [[1.0], [0.0], [0.0]] * 5, IN_FLIGHT: [[0.0], [1.0], [1.0]] * 5},
        "ALARM",
    ),
]


@pytest.mark.parametrize(
    ("what", "measured", "expected"),
    [pytest.param(what, data, then, id=f"{what}: {how}") for what, how, data, then in SITUATIONS],
)
def test_an_alarm_tells_its_situation_from_its_neighbours(
    what: str, measured: Measured, expected: str
) -> None:
    assert state(what, measured) == expected


def test_every_alarm_is_shown_both_silent_and_ringing() -> None:
    shown: dict[str, set[Any]] = {}
    for what, _, _, expected in SITUATIONS:
        shown.setdefault(what, set()).add(expected)
    assert set(shown) == set(ALARMS)
    assert [what for what, states in shown.items() if not {"OK", "ALARM"} <= states] == []
