"""Each design leaves a Region as its description says: when, and by what."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.peers.designs import BY_KEY, DESIGNS
from benchmarks.peers.run import PeerRun, without_workflows
from localcloud.run import Outcome
from localcloud.scenario import Fault, Scenario, load, names
from tests.cli.running import ROOT

HERE = "eu-west-2"


@cache
def run(design: str, kind: str) -> Outcome:
    """One design while a Region has this fault, with few clients; alarms take longer to hear."""
    for_s = 180.0 if design == "c" else 100.0
    settings = {"share": 1.0} if kind == "bad-deploy" else {}
    fault = Fault(kind, HERE, at_s=40.0, for_s=for_s, settings=settings)
    scenario = Scenario("one", "", "left", (HERE,), (fault,), requests_per_s=0.3)
    return PeerRun(BY_KEY[design], scenario, seed=1, quiet_s=20.0).carry_out()


def drained_after_s(outcome: Outcome) -> float | None:
    """From the fault until DNS heard of it; None: never."""
    assert outcome.fault_at_s is not None
    drains = [move["t"] for move in outcome.moves if move["what"] == "drain"]
    return drains[0] - outcome.fault_at_s if drains else None


def test_route_53_leaves_after_three_failed_looks() -> None:
    took = drained_after_s(run("b", "health-errors"))

    assert took is not None
    assert 20 < took < 45


def test_an_alarm_of_one_minute_takes_minutes() -> None:
    took = drained_after_s(run("c", "health-errors"))

    assert took is not None
    assert 60 < took < 200


def test_the_oracle_is_limited_by_what_dns_takes_and_by_nothing_else() -> None:
    took = drained_after_s(run("f", "health-errors"))

    assert took is not None
    assert took < 5


@pytest.mark.parametrize("design", "bf")
def test_a_region_that_is_well_again_comes_back(design: str) -> None:
    moves = [(move["what"], move["region"]) for move in run(design, "health-errors").moves]

    assert moves == [("drain", HERE), ("restore", HERE)]


def test_crashing_functions_are_no_matter_to_route_53() -> None:
    assert run("b", "bad-deploy").moves == []


@pytest.mark.parametrize("name", names())
def test_every_scenario_has_its_harm_also_without_workflows(name: str) -> None:
    scenario = without_workflows(load(name))

    assert scenario.drill_region is None
    assert all(fault.after_step is None for fault in scenario.faults)
    assert all(fault.region != "acting" for fault in scenario.faults)


def test_the_designs_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "benchmark.md").read_text()
    assert [design.key for design in DESIGNS] == [
        line[2] for line in page.splitlines() if line.startswith("| ") and line[3:5] == " |"
    ][-6:]
