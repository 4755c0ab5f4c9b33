"""What an operator's pause forbids is found, and nothing that it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localcloud.scenario import Fault
from localcloud.simulation.invariants import Watch
from tests.simulation.histories import (
    HERE,
    REGIONS,
    THERE,
    broken,
    found,
    outcome,
    state,
    strike,
)


def test_no_drain_begins_under_a_pause_but_a_persons() -> None:
    pause = {"kind": "pause", "t": 10.0, "until": 200.0}
    harm = strike("health-errors", HERE, 20.0, 300.0)

    assert found(pause, *harm, state("DRAINING", 100.0)) == {"order-kept"}
    assert found(pause, *harm, state("DRAINING", 100.0, mode="forced")) == set()
    assert found(pause, *harm, state("DRAINING", 250.0)) == set()


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
