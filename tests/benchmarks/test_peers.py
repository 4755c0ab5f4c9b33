"""Each design leaves a Region as its description says: when, and by what."""

from __future__ import annotations

import pytest

from benchmarks.peers import worlds
from benchmarks.peers.alarms import TEMPLATES_OWN
from benchmarks.peers.designs import DESIGNS, STAYS_OUT_S, named
from benchmarks.peers.endpoints import TALKS_OWN, Endpoints
from benchmarks.peers.run import COMES_BACK, PeerRun, without_workflows
from localcloud.faults.kinds import KINDS
from localcloud.run import REQUESTS_PER_S, Outcome
from localcloud.scenario import Fault, Scenario, load, names
from sidestepctl.report import report_of
from tests.cli.running import ROOT

HERE, THERE = "eu-west-2", "us-west-2"
FLAPPING = Fault("health-errors", HERE, at_s=40.0, for_s=15.0, every_s=25.0, times=2)
AGAIN = Fault("health-errors", HERE, after_step="Watch it on probation", delay_s=5.0, for_s=50.0)
CRASHING = Fault("bad-deploy", THERE, at_s=40.0, for_s=60.0, settings={"share": 1.0})


def run(design: str, *faults: Fault, requests_per_s: float = 0.1) -> Outcome:
    """One design in a world of its own with few clients: a world costs two seconds to deploy."""
    scenario = Scenario("one", "", "moved", (HERE,), faults, requests_per_s=requests_per_s)
    return PeerRun(named(design), scenario, seed=1).carry_out()


def ill(for_s: float) -> Fault:
    """Its /health answers errors for so long."""
    return Fault("health-errors", HERE, at_s=40.0, for_s=for_s)


def moves(outcome: Outcome) -> list[tuple[str, str]]:
    return [(move["what"], move["region"]) for move in outcome.moves]


def drained_after_s(outcome: Outcome) -> float:
    """From the fault until DNS heard of it."""
    assert outcome.fault_at_s is not None
    drains: list[float] = [move["t"] for move in outcome.moves if move["what"] == "drain"]
    return drains[0] - outcome.fault_at_s


@pytest.fixture(scope="module")
def quick() -> Outcome:
    """Route 53's checks at 10 s × 3, with a fault, one at its return, and one they cannot see."""
    return run("b:x3-health", ill(50.0), AGAIN, CRASHING)


def test_route_53_leaves_after_three_failed_looks(quick: Outcome) -> None:
    slow = run("a:x3-health", ill(120.0))

    assert 60 < drained_after_s(slow) < 110
    assert 20 < drained_after_s(quick) < 45
    assert moves(slow) == [("drain", HERE), ("restore", HERE)]


def test_a_fault_that_waits_for_a_return_strikes_after_the_designs_own(
    quick: Outcome,
) -> None:
    here = [what for what, region in moves(quick) if region == HERE]

    assert here == ["drain", "restore", "drain", "restore"]


def test_crashing_functions_are_no_matter_to_route_53(quick: Outcome) -> None:
    assert THERE not in {region for _, region in moves(quick)}


@pytest.fixture(scope="module")
def on_alarms() -> Outcome:
    """The orchestrator, with a fault that goes and comes."""
    comes_and_goes = Fault("health-errors", HERE, at_s=40.0, for_s=100.0, every_s=150.0, times=3)
    return run("c", comes_and_goes)


def test_the_orchestrators_record_hangs_on_the_endpoint_check_too(on_alarms: Outcome) -> None:
    alone = run("b", ill(100.0))

    assert drained_after_s(on_alarms) == pytest.approx(drained_after_s(alone), abs=10.0)
    assert drained_after_s(on_alarms) < 25  # no alarm of one minute rings so soon


def test_an_alarm_of_one_minute_waits_for_the_minute_and_its_figures() -> None:
    unseen = Fault("bad-deploy", HERE, at_s=40.0, for_s=120.0, settings={"share": 1.0})
    outcome = run("c", unseen, requests_per_s=REQUESTS_PER_S)
    assert outcome.fault_at_s is not None
    minute_ends_s = 60 - (outcome.epoch + outcome.fault_at_s) % 60

    assert minute_ends_s < drained_after_s(outcome) < minute_ends_s + 140


def test_who_left_on_alarms_stays_out_until_the_longest_harm_is_over(on_alarms: Outcome) -> None:
    drain, restore = on_alarms.moves

    assert (drain["what"], restore["what"]) == ("drain", "restore")
    assert restore["t"] - drain["t"] >= STAYS_OUT_S
    assert max(harm_s(load(name)) for name in names()) <= STAYS_OUT_S


def harm_s(scenario: Scenario) -> float:
    """How long its longest harm stands at a stretch."""
    harm = [fault.for_s for fault in scenario.faults if not KINDS[fault.kind].aside]
    return max(harm, default=0.0)


def test_the_oracle_leaves_at_once_and_stays_out_while_the_fault_will_strike_again() -> None:
    outcome = run("f", FLAPPING)

    assert drained_after_s(outcome) < 5
    assert moves(outcome) == [("drain", HERE), ("restore", HERE)]


def test_a_scenario_that_is_about_parts_of_sidestep_only_is_weathered_by_all_others() -> None:
    outcome = PeerRun(named("f"), load("no-coordination"), seed=1).carry_out()

    assert report_of(outcome).why == []
    assert outcome.moves == []


@pytest.mark.parametrize("name", names())
def test_every_scenario_has_its_harm_also_without_workflows(name: str) -> None:
    scenario = without_workflows(load(name))

    assert scenario.drill_region is None
    assert scenario.must == ()  # only Sidestep pages, takes over and backs out
    assert {fault.after_step for fault in scenario.faults} <= {None, COMES_BACK}
    assert all(fault.region != "acting" for fault in scenario.faults)


def test_peers_deploy_what_clients_meet_and_nothing_of_our_control_plane() -> None:
    for template in (
        worlds.endpoint_checked(30, TALKS_OWN),
        worlds.switched(TEMPLATES_OWN, TALKS_OWN),
        worlds.routed(TEMPLATES_OWN, Endpoints(1, "both")),
    ):
        resources = template["Resources"].values()
        kinds = {resource["Type"] for resource in resources}
        handlers = {resource["Properties"].get("Handler", "") for resource in resources}

        assert not kinds & {"AWS::Serverless::StateMachine", "AWS::Scheduler::Schedule"}
        assert not any("control" in handler for handler in handlers)
        assert {"sidestep.api.write.handler", "sidestep.api.health.handler"} <= handlers


def test_the_designs_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "benchmark.md").read_text()
    assert [design.key for design in DESIGNS] == [
        line[2] for line in page.splitlines() if line.startswith("| ") and line[3:5] == " |"
    ][-6:]
