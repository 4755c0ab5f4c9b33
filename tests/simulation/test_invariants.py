"""Each invariant is broken by what it forbids, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from localcloud.audit import Audit
from localcloud.run import Outcome
from localcloud.scenario import HELD, Fault, Scenario
from localcloud.simulation.invariants import NAMES, Watch, judge
from sidestep.core.policy import Policy
from tests.cli.running import ROOT

HERE, THERE = "eu-west-2", "us-east-1"
REGIONS = (HERE, THERE)


def outcome() -> Outcome:
    """A run that came out well: one incident, there and back."""
    steps = [
        {"step": "drained", "holder": "f", "token": 1},
        {"step": "closed", "holder": "r", "token": 2},
    ]
    record = {"sk": "demo-eu-west-2-1", "region": HERE, "status": "closed", "steps": steps}
    harm = Fault("health-errors", HERE, at_s=50.0, for_s=100.0)
    return Outcome(
        Scenario("harm", "for a test", HELD, (), (harm,)),
        1,
        REGIONS,
        well=True,
        audit=Audit(lost=(), missing={}, altered=(), repaired=0),
        incidents=[record],
        control={"regions": {HERE: {"state": "SERVING", "incident": "demo-eu-west-2-1"}}},
        moves=[move("drain", 100.0), move("restore", 300.0)],
    )


def move(what: str, at: float, incident: str = "demo-eu-west-2-1") -> dict[str, Any]:
    return {"what": what, "region": HERE, "t": at, "incident": incident, "by": "x"}


def broken(of: Outcome, watch: Watch | None = None) -> set[str]:
    return {v.invariant for v in judge(of, watch or Watch(REGIONS), Policy())}


def test_a_run_that_came_out_well_breaks_none() -> None:
    assert broken(outcome()) == set()


def not_well(of: Outcome) -> None:
    of.well = False


def lost(of: Outcome) -> None:
    of.audit = Audit(lost=("one",), missing={}, altered=(), repaired=0)


def again_too_soon(of: Outcome) -> None:
    of.moves += [move("drain", 400.0, "demo-eu-west-2-2")]


def too_often(of: Outcome) -> None:
    of.moves += [move("drain", 10_000.0 * n, f"demo-eu-west-2-{n}") for n in range(2, 8)]


def older_token_after_newer(of: Outcome) -> None:
    of.incidents[0]["steps"].append({"step": "x", "holder": "f", "token": 1})


def two_holders_of_one_token(of: Outcome) -> None:
    of.incidents[0]["steps"].append({"step": "x", "holder": "other", "token": 2})


def a_record_without_an_end(of: Outcome) -> None:
    record: Any = of.incidents[0]
    record["steps"].pop()


def a_region_that_nobody_drained(of: Outcome) -> None:
    of.scenario = replace(of.scenario, faults=(Fault("region-down", HERE, 50.0, 80.0),))
    of.moves = []
    of.incidents = []


def a_drain_of_a_region_that_is_well(of: Outcome) -> None:
    of.moves += [move("drain", 500.0) | {"region": THERE}]


def a_drain_before_its_harm(of: Outcome) -> None:
    of.moves[0]["t"] = 20.0


@pytest.mark.parametrize(
    ("invariant", "breaks"),
    [
        ("converges", not_well),
        ("nothing-lost", lost),
        ("cool-down", again_too_soon),
        ("budget", too_often),
        ("one-holder", older_token_after_newer),
        ("one-holder", two_holders_of_one_token),
        ("record-tells", a_record_without_an_end),
        ("helps", a_region_that_nobody_drained),
        ("harmed-only", a_drain_of_a_region_that_is_well),
        ("harmed-only", a_drain_before_its_harm),
    ],
)
def test_what_must_not_be_is_found(invariant: str, breaks: Callable[[Outcome], None]) -> None:
    of = outcome()
    breaks(of)

    assert broken(of) == {invariant}


@pytest.mark.parametrize(
    ("invariant", "events"),
    [
        (
            "never-the-last",
            [
                {"kind": "state", "region": HERE, "state": "DRAINED", "t": 1.0},
                {"kind": "state", "region": THERE, "state": "DRAINING", "t": 2.0},
            ],
        ),
        (
            "executions-end",
            [
                {
                    **{"kind": "workflow", "machine": "failover", "execution": "one"},
                    **{"status": "RUNNING", "t": 1.0},
                }
            ],
        ),
        (
            "order-kept",
            [
                {"kind": "pause", "t": 10.0, "until": 200.0},
                {
                    **{"kind": "workflow", "machine": "failover", "execution": "one"},
                    **{"status": "RUNNING", "t": 100.0},
                },
                {
                    **{"kind": "workflow", "machine": "failover", "execution": "one"},
                    **{"status": "SUCCEEDED", "t": 130.0},
                },
            ],
        ),
        (
            "no-switch-left",
            [
                {
                    **{"kind": "health_check", "name": f"sidestep-demo-{HERE}-RegionCheck"},
                    **{"healthy": False, "t": 1.0},
                }
            ],
        ),
    ],
)
def test_what_must_not_happen_is_heard(invariant: str, events: list[dict[str, Any]]) -> None:
    watch = Watch(REGIONS)
    for event in events:
        watch.hear(event)

    assert broken(outcome(), watch) == {invariant}


def test_a_return_that_did_not_hold_may_go_out_again_at_once() -> None:
    of = outcome()
    of.moves += [move("drain", 320.0), move("restore", 900.0)]

    assert broken(of) == set()


def ordered(of: Outcome) -> None:
    """Its last drain was a person's."""
    of.incidents = [*of.incidents, {**of.incidents[0], "sk": "demo-eu-west-2-2", "mode": "forced"}]
    of.moves += [move("drain", 400.0, "demo-eu-west-2-2")]


def test_a_person_may_drain_a_region_within_its_cool_down() -> None:
    of = outcome()
    ordered(of)

    assert broken(of) == set()


def test_a_person_may_drain_a_region_that_nothing_has_harmed_and_no_other() -> None:
    of = outcome()
    order = Fault("started-by-hand", THERE, 90.0, settings={"workflow": "failover"})
    of.scenario = replace(of.scenario, faults=(*of.scenario.faults, order))
    of.moves += [move("drain", 500.0, "x") | {"region": THERE}]
    assert broken(of) == set()

    of.moves += [move("drain", 600.0, "y") | {"region": "us-west-2"}]

    assert broken(of) == {"harmed-only"}


@pytest.mark.parametrize("silenced", [True, False])
def test_a_region_may_be_drained_that_none_can_reach_and_that_does_not_speak(
    silenced: bool,
) -> None:
    of = outcome()
    cut = Fault("link-cut", HERE, 90.0, 30.0, settings={"peer": THERE})
    silent = Fault("stepfunctions-down", THERE if silenced else HERE, 80.0, 60.0)
    of.scenario = replace(of.scenario, faults=(*of.scenario.faults, cut, silent))
    of.moves += [move("drain", 100.0, "x") | {"region": THERE}]

    assert broken(of) == (set() if silenced else {"harmed-only"})


def test_a_person_may_start_a_failover_under_a_pause() -> None:
    watch = Watch(REGIONS)
    started = {"kind": "workflow", "machine": "failover", "execution": "by-hand-eu-west-2-1"}
    watch.hear({"kind": "pause", "t": 10.0, "until": 200.0})
    for at_s, status in ((100.0, "RUNNING"), (130.0, "SUCCEEDED")):
        watch.hear({**started, "status": status, "t": at_s})

    assert broken(outcome(), watch) == set()


def test_a_person_may_redrive_a_failover_under_a_pause() -> None:
    watch = Watch(REGIONS)
    told = {"kind": "workflow", "machine": "failover", "execution": "one", "region": HERE}
    for at_s, status in ((5.0, "RUNNING"), (8.0, "ABORTED")):
        watch.hear({**told, "status": status, "t": at_s})
    watch.hear({"kind": "pause", "t": 10.0, "until": 200.0})
    for at_s, status in ((100.0, "RUNNING"), (130.0, "SUCCEEDED")):
        watch.hear({**told, "status": status, "t": at_s})

    assert broken(outcome(), watch) == set()


@pytest.mark.parametrize("wrong", [False, True], ids=["clocks are right", "a clock is wrong"])
def test_a_pause_holds_to_its_end_unless_a_clock_is_wrong(wrong: bool) -> None:
    of, watch = outcome(), Watch(REGIONS)
    skew = Fault("clock-skew", HERE, 0.0, 500.0, settings={"ahead_s": 30.0})
    of.scenario = replace(of.scenario, faults=(*of.scenario.faults, *([skew] if wrong else [])))
    told = {"kind": "workflow", "machine": "failover", "execution": "one", "region": HERE}
    watch.hear({"kind": "pause", "t": 10.0, "until": 110.0})
    for at_s, status in ((100.0, "RUNNING"), (130.0, "SUCCEEDED")):
        watch.hear({**told, "status": status, "t": at_s})

    assert broken(of, watch) == (set() if wrong else {"order-kept"})


def test_every_invariant_is_told_on_the_page() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text()

    assert all(f"| `{name}` | {words} |" in page for name, words in NAMES.items())
