"""Each invariant is broken by what it forbids, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from localcloud.audit import Audit
from localcloud.run import Outcome
from localcloud.scenario import Fault
from localcloud.simulation.invariants import LONG_S, NAMES, Watch, judge
from localcloud.simulation.premises import put_to_test
from sidestep.core.policy import Policy
from tests.cli.running import ROOT
from tests.simulation.histories import (
    HERE,
    REGIONS,
    THERE,
    broken,
    found,
    move,
    outcome,
    state,
    strike,
)


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
                state("DRAINED", 1.0, region=HERE),
                state("DRAINED", 2.0, region=THERE),
            ],
        ),
        (
            "executions-end",
            [
                {
                    **{"kind": "workflow", "machine": "failover", "execution": "one"},
                    **{"region": HERE, "status": "RUNNING", "t": 1.0},
                }
            ],
        ),
        (
            "order-kept",
            [
                {"kind": "pause", "t": 10.0, "until": 200.0},
                {
                    **{"kind": "workflow", "machine": "failover", "execution": "one"},
                    **{"region": HERE, "status": "RUNNING", "t": 100.0},
                },
                {
                    **{"kind": "workflow", "machine": "failover", "execution": "one"},
                    **{"region": HERE, "status": "SUCCEEDED", "t": 130.0},
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


@pytest.mark.parametrize("told", [{"repaired": 2}, {"put_back": {"repaired": 2}}])
def test_no_more_writes_are_told_as_put_back_than_were(told: dict[str, Any]) -> None:
    of, watch = outcome(), Watch(REGIONS)
    of.incidents = [{**of.incidents[0], **told}]

    watch.saw_put_back()
    assert broken(of, watch) == {"record-tells"}
    watch.saw_put_back()
    assert broken(of, watch) == set()


def test_a_return_that_did_not_hold_may_go_out_again_at_once() -> None:
    of = outcome()
    of.moves += [move("drain", 320.0), move("restore", 900.0)]

    assert broken(of) == set()


def test_a_return_that_did_not_hold_goes_out_again_whatever_is_left_of_the_budget() -> None:
    spent, watch = Policy(max_drains_per_day=1), Watch(REGIONS)
    of = outcome()
    of.moves += [move("drain", 320.0)]
    assert {v.invariant for v in judge(of, watch, spent)} == set()

    of.moves += [move("restore", 900.0), move("drain", 20_000.0, "demo-eu-west-2-2")]

    assert {v.invariant for v in judge(of, watch, spent)} == {"budget"}


def ordered(of: Outcome) -> None:
    """Its last drain was a person's."""
    of.incidents = [*of.incidents, {**of.incidents[0], "sk": "demo-eu-west-2-2", "mode": "forced"}]
    of.moves += [move("drain", 400.0, "demo-eu-west-2-2")]


def test_a_person_may_drain_a_region_within_its_cool_down() -> None:
    of = outcome()
    ordered(of)

    assert broken(of) == set()


def test_an_execution_that_another_carried_out_has_to_end_too() -> None:
    told = {"kind": "workflow", "machine": "failover", "execution": "one"}
    begun = [{**told, "region": where, "status": "RUNNING", "t": 1.0} for where in REGIONS]
    ended = {**told, "region": THERE, "status": "SUCCEEDED", "t": 9.0}

    assert found(*begun, ended) == {"executions-end"}


@pytest.mark.parametrize(
    ("fault", "judged"),
    [
        (Fault("region-down", HERE, 50.0, 80.0), True),
        (Fault("region-lost", HERE, 50.0, 80.0), True),
        (Fault("region-down", HERE, 50.0, 60.0), False),
        (Fault("write-errors", HERE, 50.0, 80.0, settings={"share": 1.0}), True),
        (Fault("write-errors", HERE, 50.0, 80.0, settings={"share": 0.5}), False),
        (Fault("bad-deploy", HERE, 50.0, 80.0, settings={"share": 1.0}), True),
        (Fault("link-cut", HERE, 50.0, 80.0, settings={"peer": THERE}), False),
    ],
)
def test_a_region_that_fails_plainly_and_alone_has_to_leave_dns_and_to_be_drained(
    fault: Fault, judged: bool
) -> None:
    of = outcome()
    of.scenario, of.moves, of.incidents = replace(of.scenario, faults=(fault,)), [], []
    soon_s, late_s = 50.0 + LONG_S - 1.0, 50.0 + LONG_S + 1.0

    def breaks(out_at_s: float, drained_at_s: float | None) -> set[str]:
        drain = {"what": "drain", "region": HERE, "t": drained_at_s, "incident": "one"}
        of.moves = [] if drained_at_s is None else [drain]
        watch = Watch(REGIONS)
        for healthy, at_s in ((False, out_at_s), (True, 300.0)):
            named = {"kind": "health_check", "name": f"sidestep-demo-{HERE}-RegionCheck"}
            watch.hear({**named, "healthy": healthy, "t": at_s})
        return broken(of, watch)

    wrong = {"helps"} if judged else set()
    assert broken(of) == wrong
    assert breaks(soon_s, soon_s) == set()
    assert breaks(late_s, soon_s) == breaks(soon_s, late_s) == breaks(soon_s, None) == wrong


def test_a_region_that_is_dark_to_clients_alone_is_left_to_route_53() -> None:
    of = outcome()
    dark = Fault("region-dark", HERE, 50.0, 80.0)
    of.scenario, of.moves, of.incidents = replace(of.scenario, faults=(dark,)), [], []
    watch = Watch(REGIONS)
    for healthy, at_s in ((False, 100.0), (True, 300.0)):
        named = {"kind": "health_check", "name": f"sidestep-demo-{HERE}-RegionCheck"}
        watch.hear({**named, "healthy": healthy, "t": at_s})

    assert broken(of) == {"helps"}
    assert broken(of, watch) == set()


def premises_of(of: Outcome, *events: dict[str, Any]) -> frozenset[str]:
    watch = Watch(REGIONS)
    for event in events:
        watch.hear(event)
    return put_to_test(of, watch, Policy())


def test_an_invariant_is_told_as_tested_only_where_something_could_have_broken_it() -> None:
    of = outcome()
    quiet = replace(
        of, moves=[], incidents=[], scenario=replace(of.scenario, faults=()), clients=None
    )

    assert premises_of(quiet) == {"world-goes-on"}
    assert {"never-the-last", "gate-follows", "fenced", "converges"} <= premises_of(of)
    assert not {"order-kept", "budget", "cool-down"} & premises_of(of)


def test_a_world_tests_helps_budget_cool_down_and_pauses_by_what_happens_in_it() -> None:
    of = outcome()
    alone = replace(of.scenario, faults=(Fault("region-down", HERE, 50.0, 80.0),))
    many = [move("drain", 10_000.0 * n, f"demo-eu-west-2-{n}") for n in range(1, 7)]
    again = strike("health-errors", HERE, 310.0, 400.0)
    pause = {"kind": "pause", "t": 300.0, "until": 390.0}

    assert "helps" in premises_of(replace(of, scenario=alone))
    assert "budget" in premises_of(replace(of, moves=many))
    assert "cool-down" in premises_of(of, *again)
    assert "cool-down" not in premises_of(of, *strike("health-errors", HERE, 310.0, 340.0))
    assert "cool-down" not in premises_of(of, *strike("slow", HERE, 310.0, 400.0))
    assert "order-kept" in premises_of(of, pause, *again)


def test_every_invariant_is_told_on_the_page() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text()

    assert all(f"| `{name}` | {words} |" in page for name, words in NAMES.items())
