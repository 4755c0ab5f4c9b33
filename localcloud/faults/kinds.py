"""The kinds of fault that a scenario may name: what each is, and which settings it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.yaml_reader import Reader

ACTING = "acting"
"""In a fault's `region`: where the step ran that it waited for; of one that waits for none, where a
failover or recovery last went on that was not left to another."""


@dataclass(frozen=True)
class Number:
    """A setting that is a number from `low` to `high`."""

    name: str
    default: float
    low: float
    high: float
    words: str

    def read(self, reader: Reader, fields: dict[str, Any], node: Any) -> float | str:
        """Its value in a file. Raises ScenarioError."""
        return reader.number(fields, self.name, node, self.low, self.high, self.default)


@dataclass(frozen=True)
class Word:
    """A setting that is a word; `known`, if there are any: one of these. It has to be given
    where there is no `default`."""

    name: str
    words: str
    known: tuple[str, ...] = ()
    default: str = ""

    def read(self, reader: Reader, fields: dict[str, Any], node: Any) -> float | str:
        """Its value in a file. Raises ScenarioError."""
        if self.default and self.name not in fields:
            return self.default
        if self.known:
            return reader.one_of(fields, self.name, node, self.known)
        return reader.text(fields, self.name, node)


Setting = Number | Word


@dataclass(frozen=True)
class Kind:
    """One kind of fault, in words."""

    words: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    aside: bool = False
    """It makes others' faults harder to deal with; times do not count from when it strikes."""


def _with(*settings: Setting) -> dict[str, Setting]:
    return {setting.name: setting for setting in settings}


_SHARE = Number("share", 1.0, 0.0, 1.0, "of the calls that it strikes")
_GROWS = Number(
    "grows_over_s", 0.0, 0.0, 86_400.0, "seconds over which the share grows from nothing"
)

SERVICES = (
    *("cloudwatch", "dynamodb", "events", "lambda", "route53"),
    *("sns", "sqs", "stepfunctions", "any"),
)
HOW = ("throttled", "error", "denied", "timeout", "lost-answer", "late")
"""What a call comes to: refused in one of three ways, never arrived, done and not answered, or
done only after its caller has given up."""

KINDS: dict[str, Kind] = {
    "region-down": Kind(
        "nothing in the Region answers, nothing in it runs; by chance its executions have ended, "
        "or go on where they stood when it is back"
    ),
    "region-lost": Kind(
        "the Region goes down, and what had not left it is gone for good; "
        "in the end a new, empty one is in its place"
    ),
    "region-isolated": Kind("the Region is cut off from all other Regions; clients reach it"),
    "region-dark": Kind("no client or health checker reaches the Region; other Regions do"),
    "link-cut": Kind(
        "two Regions do not reach each other", _with(Word("peer", "the other Region"))
    ),
    "health-errors": Kind("the Region's /health answers 503, all else works"),
    "write-errors": Kind("writes to the Region's data table fail", _with(_SHARE, _GROWS)),
    "read-errors": Kind("reads of the Region's data table fail", _with(_SHARE, _GROWS)),
    "table-throttled": Kind(
        "the Region's data table throttles writes and reads", _with(_SHARE, _GROWS)
    ),
    "slow": Kind(
        "the Region's data table answers late",
        _with(Number("extra_s", 1.5, 0.0, 60.0, "seconds that are added to each call")),
    ),
    "bad-deploy": Kind(
        "the Region's write and history functions crash; /health was not deployed anew",
        _with(_SHARE),
    ),
    "replication-paused": Kind("the Region's data replicates neither in nor out"),
    "replication-slow": Kind(
        "the Region's data replicates late, in and out",
        _with(Number("extra_s", 60.0, 0.0, 3600.0, "seconds that are added to each item's way")),
    ),
    "bus-down": Kind(
        "the Region's event buses refuse events, though the call succeeds",
        _with(_SHARE),
        aside=True,
    ),
    "stepfunctions-down": Kind("the Region's Step Functions API answers errors", aside=True),
    "alarms-stuck": Kind("the Region's alarms are stuck in INSUFFICIENT_DATA", aside=True),
    "clock-skew": Kind(
        "the Region's clocks are wrong",
        _with(
            Number("ahead_s", 30.0, -600.0, 600.0, "seconds that they are ahead; negative: behind")
        ),
        aside=True,
    ),
    "route53-down": Kind(
        "Route 53's control plane answers errors; its data plane goes on", aside=True
    ),
    "coordination-down": Kind("the coordination table fails in every Region", aside=True),
    "coordination-replica-down": Kind(
        "the coordination table fails in one of its Regions; the others go on without it",
        _with(Number("replica", 1.0, 1.0, 3.0, "which of them, in the order they are given in")),
        aside=True,
    ),
    "regional-table-errors": Kind(
        "the Region's own table (drain marks, ledger, drill fault) fails", _with(_SHARE), aside=True
    ),
    "duplicates": Kind("events are delivered twice and late", _with(_SHARE), aside=True),
    "workflow-crash": Kind(
        "executions of any of the workflows end where they stand, in any Region",
        _with(
            Number("share", 0.1, 0.0, 1.0, "of the state transitions that it strikes"),
        ),
        aside=True,
    ),
    "workflow-slow": Kind(
        "the Region's Step Functions takes its time from state to state",
        _with(Number("extra_s", 30.0, 0.0, 3600.0, "seconds that are added to each transition")),
        aside=True,
    ),
    "api-errors": Kind(
        "AWS calls from the Region's functions and workflows go wrong",
        _with(
            Word("service", "whose calls", SERVICES),
            Word("how", "in what way", HOW),
            _SHARE,
        ),
    ),
    "lambda-throttled": Kind(
        "invocations of the Region's functions are refused (TooManyRequestsException)",
        _with(_SHARE),
    ),
    "lambda-lost": Kind(
        "the Region's functions do their work and their answers are lost", _with(_SHARE)
    ),
    "lambda-killed": Kind(
        "the Region's functions are stopped at one of their AWS calls, before or after it is done",
        _with(_SHARE),
    ),
    "events-late": Kind(
        "events on any bus are delivered late and out of order",
        _with(Number("extra_s", 30.0, 0.0, 3600.0, "seconds that each waits at most")),
        aside=True,
    ),
    "started-by-hand": Kind(
        "somebody starts a workflow about the Region by hand (for_s has no meaning)",
        _with(
            Word("workflow", "which", ("failover", "recovery", "drill")),
            Number("minutes", 15.0, 1.0, 60.0, "how long a drill may take"),
            Word(
                "mode",
                "a failover's, or a recovery's that is forced",
                ("manual", "planned", "forced"),
                default="manual",
            ),
            Number(
                "return_after_s",
                *(0.0, 0.0, 86_400.0),
                "seconds after a failover when the same person asks for the Region's recovery, "
                "again until it serves (0: never)",
            ),
        ),
        aside=True,
    ),
    "redriven-by-hand": Kind(
        "somebody redrives every execution of a failover, recovery or drill that has ended "
        "without success (for_s has no meaning)",
        aside=True,
    ),
    "paused-by-operator": Kind(
        "an operator pauses automation, of the Region if one is given, and takes it back later",
        aside=True,
    ),
}
"""How each strikes is in strikes.py; a test holds the two together."""

REGIONLESS = frozenset(
    {
        *("route53-down", "coordination-down", "duplicates", "events-late"),
        "coordination-replica-down",
        *("workflow-crash", "redriven-by-hand", "paused-by-operator"),
    }
)
"""Kinds that strike no single Region, or need not."""
MOMENTS = frozenset({"started-by-hand", "redriven-by-hand"})
"""Kinds that are over as they happen: for how long they last has no meaning."""
MAY_NAME_ONE = frozenset({"paused-by-operator"})
"""Those of them that strike one where it is named, and all where none is."""
