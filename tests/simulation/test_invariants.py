"""Each invariant is broken by what it forbids, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from localcloud.audit import Audit
from localcloud.faults.by_hand import FORCED_BACK
from localcloud.run import Outcome
from localcloud.scenario import HELD, Fault, Scenario
from localcloud.simulation.harm import LATE_S
from localcloud.simulation.invariants import LONG_S, NAMES, Watch, judge
from localcloud.simulation.premises import put_to_test
from sidestep.core.policy import Policy
from tests.cli.running import ROOT

HERE, THERE = "eu-west-2", "us-east-1"
REGIONS = (HERE, THERE)
Events = list[dict[str, Any]]


def outcome() -> Outcome:
    """A run that came out well: one incident, there and back."""
    steps = [
        {"step": "drained", "holder": "f", "token": 1},
        {"step": "closed", "holder": "r", "token": 2},
    ]
    record = {"sk": "demo-eu-west-2-1", "region": HERE, "status": "closed", "steps": steps}
    harm = Fault("health-errors", HERE, at_s=50.0, for_s=60.0)
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


def state(
    name: str, at_s: float, region: str = HERE, mode: str = "automatic", by: str = "one"
) -> dict[str, Any]:
    """A Region's state in the control item becomes another."""
    return {
        **{"kind": "state", "region": region, "state": name, "t": at_s},
        **{"mode": mode, "incident": "one", "by": by},
    }


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


def strike(kind: str, region: str, since_s: float, until_s: float, **settings: Any) -> Events:
    return [
        {"kind": "fault", "what": kind, "region": region, "t": since_s, **settings},
        {"kind": "fault_over", "what": kind, "region": region, "t": until_s},
    ]


def drilled(region: str, since_s: float, until_s: float) -> Events:
    return [
        {"kind": "drill_fault", "region": region, "injected": injected, "t": at_s}
        for injected, at_s in ((True, since_s), (False, until_s))
    ]


def found(*events: dict[str, Any]) -> set[str]:
    """What is broken where these happen, in the order of their times."""
    watch = Watch((HERE, THERE, "us-west-2"))
    for event in sorted(events, key=lambda event: float(event["t"])):
        watch.hear(event)
    return broken(outcome(), watch)


@pytest.mark.parametrize(
    ("harm", "excused"),
    [
        ([], False),
        (strike("health-errors", HERE, 80.0, 400.0), True),
        (strike("health-errors", THERE, 80.0, 400.0), False),
        (strike("health-errors", HERE, 120.0, 400.0), False),
        (strike("health-errors", HERE, 20.0, 100.0 - LATE_S + 1.0), True),
        (strike("health-errors", HERE, 20.0, 100.0 - LATE_S - 1.0), False),
        (strike("replication-paused", HERE, 80.0, 400.0), False),
        (strike("link-cut", HERE, 80.0, 400.0, peer=THERE), False),
        (strike("stepfunctions-down", HERE, 80.0, 400.0), False),
        (strike("api-errors", HERE, 80.0, 400.0, service="dynamodb", how="error"), True),
        (strike("api-errors", HERE, 80.0, 400.0, service="events", how="error"), False),
        (drilled(HERE, 80.0, 400.0), True),
        (drilled(THERE, 80.0, 400.0), False),
    ],
)
def test_only_a_region_that_something_harms_is_drained(harm: Events, excused: bool) -> None:
    there = found(*harm, state("DRAINING", 100.0))

    assert there == (set() if excused else {"harmed-only"})


def test_a_person_may_drain_a_region_that_nothing_harms() -> None:
    assert found(state("DRAINING", 100.0, mode="manual")) == set()
    assert found(state("DRAINING", 100.0, mode="automatic")) == {"harmed-only"}


@pytest.mark.parametrize("until_s", [130.0, 30.0])
def test_a_region_that_is_cut_off_from_all_others_may_be_drained(until_s: float) -> None:
    cuts = [strike("link-cut", HERE, 20.0, until_s, peer=peer) for peer in (THERE, "us-west-2")]
    drain = state("DRAINING", 100.0)

    assert found(*cuts[0], drain) == {"harmed-only"}
    still = until_s > 100.0 - LATE_S
    assert found(*cuts[0], *cuts[1], drain) == (set() if still else {"harmed-only"})


@pytest.mark.parametrize("silenced", [HERE, THERE])
def test_of_two_regions_that_are_cut_off_only_one_that_does_not_speak_may_be_drained(
    silenced: str,
) -> None:
    watch = Watch(REGIONS)
    for event in (
        *strike("link-cut", HERE, 20.0, 130.0, peer=THERE),
        *strike("stepfunctions-down", silenced, 20.0, 130.0),
    ):
        if event["t"] < 100.0:
            watch.hear(event)
    watch.hear(state("DRAINING", 100.0))

    assert broken(outcome(), watch) == (set() if silenced == HERE else {"harmed-only"})


@pytest.mark.parametrize(
    ("kind", "until_s", "breaks"),
    [
        ("health-errors", 250.0, True),
        ("health-errors", 200.0, False),
        ("region-dark", 250.0, False),  # observers reach it: nobody could tell
        ("slow", 250.0, False),
    ],
)
def test_a_region_returns_only_when_it_has_been_well_for_its_window(
    kind: str, until_s: float, breaks: bool
) -> None:
    harm = strike(kind, HERE, 50.0, until_s)
    there_and_back = [
        state(name, at)
        for name, at in (("DRAINING", 100.0), ("DRAINED", 110.0), ("RESTORING", 300.0))
    ]

    assert found(*harm, *there_and_back) == ({"returns-well"} if breaks else set())
    by_force = state("RESTORING", 300.0, by=f"{FORCED_BACK}{HERE}-1")
    assert found(*harm, *there_and_back[:-1], by_force) == set()
    just_begun = strike("health-errors", HERE, 290.0, 400.0)
    assert "returns-well" not in found(*just_begun, *there_and_back)


def test_a_drain_that_is_late_is_one_where_executions_are_slow_or_clocks_wrong() -> None:
    harm = strike("health-errors", HERE, 20.0, 30.0)
    drain = state("DRAINING", 100.0)

    assert found(*harm, drain) == {"harmed-only"}
    assert found(*harm, *strike("workflow-slow", THERE, 20.0, 90.0, extra_s=5.0), drain) == set()
    assert found(*harm, *strike("clock-skew", THERE, 20.0, 90.0, ahead_s=20.0), drain) == set()


def test_how_long_a_look_waited_for_its_ballot_is_no_excuse_for_a_drain() -> None:
    """Two states are between the last judgement of the votes and the drain, not the eight from a
    look on."""
    harm = strike("health-errors", HERE, 10.0, 25.0)
    slow = strike("workflow-slow", THERE, 5.0, 90.0, extra_s=5.0)

    assert found(*harm, *slow, state("DRAINING", 100.0)) == {"harmed-only"}
    at_once = strike("workflow-slow", THERE, 50.0, 90.0, extra_s=5.0)
    assert found(*harm, *slow, *at_once, state("DRAINING", 100.0)) == set()


def test_no_drain_begins_under_a_pause_but_a_persons() -> None:
    pause = {"kind": "pause", "t": 10.0, "until": 200.0}
    harm = strike("health-errors", HERE, 20.0, 300.0)

    assert found(pause, *harm, state("DRAINING", 100.0)) == {"order-kept"}
    assert found(pause, *harm, state("DRAINING", 100.0, mode="forced")) == set()
    assert found(pause, *harm, state("DRAINING", 250.0)) == set()


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
def test_a_region_that_fails_plainly_and_alone_has_to_leave_dns(fault: Fault, judged: bool) -> None:
    of = outcome()
    of.scenario, of.moves, of.incidents = replace(of.scenario, faults=(fault,)), [], []

    assert broken(of) == ({"helps"} if judged else set())
    for out_at_s, in_time in ((50.0 + LONG_S - 1.0, True), (50.0 + LONG_S + 1.0, False)):
        watch = Watch(REGIONS)
        for healthy, at_s in ((False, out_at_s), (True, 300.0)):
            named = {"kind": "health_check", "name": f"sidestep-demo-{HERE}-RegionCheck"}
            watch.hear({**named, "healthy": healthy, "t": at_s})
        assert broken(of, watch) == ({"helps"} if judged and not in_time else set())


@pytest.mark.parametrize(("about", "breaks"), [(HERE, {"order-kept"}), (THERE, set())])
def test_a_regions_pause_is_about_what_is_done_to_that_region(about: str, breaks: set[str]) -> None:
    watch = Watch(REGIONS)
    watch.hear({"kind": "pause", "t": 10.0, "until": 400.0, "region": HERE})
    watch.hear({"kind": "pause", "t": 10.0, "until": 400.0, "region": None})
    watch.hear({"kind": "resume", "t": 20.0, "region": None})
    for status in ("RUNNING", "SUCCEEDED"):
        started = {"machine": "failover", "execution": f"demo-{about}-1", "status": status}
        watch.hear({"kind": "workflow", "t": 100.0, "region": THERE, **started})

    assert broken(outcome(), watch) == breaks


def test_a_person_may_start_a_failover_under_a_pause() -> None:
    watch = Watch(REGIONS)
    started = {
        **{"kind": "workflow", "machine": "failover", "region": HERE},
        **{"execution": "by-hand-eu-west-2-1"},
    }
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
    assert "order-kept" in premises_of(of, pause, *again)


def test_every_invariant_is_told_on_the_page() -> None:
    page = (ROOT / "docs" / "simulation.md").read_text()

    assert all(f"| `{name}` | {words} |" in page for name, words in NAMES.items())
