"""Every wait and every loop of every workflow ends by itself: found in the definitions, and run.

A loop may only be closed by a Choice that looks at the clock and, past a deadline, leads out
of it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from localcloud.asl.history import MAX_STANDARD_EVENTS
from sidestep.core.policy import _RANGES, Policy
from tests.asl.ours import Bench
from tests.asl.workflows import FOLDER, definition_of, files
from tests.control.scripted_steps import FAILOVER, RECOVERY, held, repaired, says, stability

Flow = Mapping[str, Any]
MACHINES = {path.name.removesuffix(".asl.json"): definition_of(path) for path in files()}


def flows_of(flow: Flow) -> Iterator[Flow]:
    """A flow and those inside its Maps and Parallels."""
    yield flow
    for state in flow["States"].values():
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from flows_of(inner)


def ways_out(state: Flow) -> set[str]:
    """Where a state may lead."""
    entries = (state, *state.get("Choices", ()), *state.get("Catch", ()))
    return {entry[key] for entry in entries for key in ("Next", "Default") if key in entry}


def reachable(flow: Flow, start: str, without: frozenset[str] = frozenset()) -> set[str]:
    """The states that can come after a state."""
    seen: set[str] = set()
    todo = list(ways_out(flow["States"][start]))
    while todo:
        name = todo.pop()
        if name in seen or name in without:
            continue
        seen.add(name)
        todo += ways_out(flow["States"][name])
    return seen


def has_deadline(flow: Flow, name: str) -> bool:
    """Whether a state is a Choice that the clock leads out of the loop it closes.

    Either its first timed way out holds from a time on (`$millis() … >`), or going on holds
    only until one (`$millis() … <`), and its default leads out.
    """
    state = flow["States"][name]
    if state["Type"] != "Choice":
        return False
    late = [c["Next"] for c in state["Choices"] if re.search(r"\$millis\(\)[^<]*>", c["Condition"])]
    if any(re.search(r"\$millis\(\)[^>]*<", c["Condition"]) for c in state["Choices"]):
        late.append(state["Default"])
    return any(name not in reachable(flow, one) | {one} for one in late)


@pytest.mark.parametrize("machine", MACHINES)
def test_no_loop_can_be_gone_round_past_every_deadline(machine: str) -> None:
    """With the Choices that have a deadline taken away, no state comes back to itself."""
    for flow in flows_of(MACHINES[machine]):
        assert endless(flow) == set()


@pytest.mark.parametrize("machine", ["observe", "failover", "recovery", "drill"])
def test_a_loop_whose_deadlines_are_taken_away_is_found(machine: str) -> None:
    endless_now = copy.deepcopy(MACHINES[machine])
    for state in endless_now["States"].values():
        if state["Type"] == "Choice":
            untimed = [c for c in state["Choices"] if "$millis()" not in c["Condition"]]
            state["Choices"] = untimed or [{"Condition": "{% true %}", "Next": state["Default"]}]
            if machine == "observe":  # its deadline is how it leaves, by default
                state["Choices"], state["Default"] = [], "Wait for the next look"

    assert waits_of(endless_now) <= endless(endless_now)


def waits_of(flow: Flow) -> set[str]:
    """A flow's states that wait."""
    return {name for name, state in flow["States"].items() if state["Type"] == "Wait"}


def endless(flow: Flow) -> set[str]:
    """States that can come back to themselves for ever, whatever the clock says."""
    ending = frozenset(one for one in flow["States"] if has_deadline(flow, one))
    return {
        name
        for name in set(flow["States"]) - ending
        if name in reachable(flow, name, without=ending)
    }


POLICY = Policy()
DRILL_S = 15 * 60
NOW_MS = 1_767_225_600_000
UNSTABLE = stability(stable=False, bad=False, healthy_for_s=3, why="not long enough")
UNKNOWN = says(caught_up=None, lag_ms=None, why="no heartbeat")
STAYS = says(done=False, dns_moved=None, traffic_moved=None, requests=None, moved_at=None)
UNREAD = repaired(0, complete=False, unread=["us-west-2"])
AT_RISK = says(count=1, keys=[], oldest_ms=1, unread=[], complete=True, since=1, more=False)
DRILL: dict[str, list[Any]] = {
    "See whether a drill may run": says(ok=True, epoch=0, command="aws …", at=NOW_MS),
    "Inject the fault": says(until=NOW_MS + DRILL_S * 1000, at=NOW_MS),
    "Watch the automatic path drain it": says(
        state="DRAINED", settled=True, epoch=1, incident="i", real_incident=[], at=NOW_MS
    ),
    "Remove the fault": says(healed=True, at=NOW_MS),
    "Watch the automatic path bring it back": says(
        state="DRAINED", settled=True, epoch=1, incident="i", real_incident=[], at=NOW_MS
    ),
    "Remove the fault in any case": says(healed=True, at=NOW_MS),
}
SILENT = {
    ("failover", "Wait for replication"): (
        {
            "Claim the incident": held(mode="planned"),
            "See whether replication is proven": UNKNOWN,
        },
        POLICY.replication_deadline_s,
    ),
    ("failover", "Wait for answers to run out"): (
        {"See where clients are sent": STAYS},
        POLICY.traffic_deadline_s,
    ),
    ("failover", "Wait for traffic to leave"): (
        {"Watch traffic leave": STAYS},
        POLICY.traffic_deadline_s,
    ),
    ("failover", "Wait for heartbeats"): (
        {"Measure replication": UNKNOWN},
        POLICY.replication_deadline_s,
    ),
    ("failover", "Wait until it can be put back"): (
        {"Count the writes at risk": AT_RISK, "Put back the writes at risk": UNREAD},
        POLICY.replication_deadline_s,
    ),
    ("recovery", "Wait until it is stable"): (
        {"See whether it is stable": UNSTABLE},
        POLICY.stability_deadline_s,
    ),
    ("recovery", "Wait until it has caught up"): (
        {
            "Claim the incident": held("DRAINED", approval="never"),
            "See whether its replica has caught up": UNKNOWN,
        },
        POLICY.stability_deadline_s,
    ),
    ("recovery", "Wait until it can be compared"): (
        {"Repair the writes at risk": UNREAD},
        POLICY.stability_deadline_s,
    ),
    ("recovery", "Ask a person"): (
        {"Claim the incident": held("DRAINED", approval="always")},
        POLICY.approval_timeout_s,
    ),
    ("recovery", "Wait until it keeps up"): (
        {
            "Claim the incident": held("DRAINED", approval="always"),
            "See whether its replica still keeps up": UNKNOWN,
        },
        POLICY.replication_deadline_s,
    ),
    ("recovery", "Wait for traffic to return"): (
        {"Watch traffic return": STAYS},
        POLICY.traffic_deadline_s,
    ),
    ("recovery", "Wait on probation"): (
        {"Watch it on probation": UNSTABLE},
        POLICY.probation_s + POLICY.stability_deadline_s,
    ),
    ("recovery", "Wait until that can be put back"): (
        {"Claim the incident": held("RESTORING"), "Put back what came meanwhile": UNREAD},
        POLICY.replication_deadline_s,
    ),
    ("drill", "Wait for the drain"): (
        {
            "Watch the automatic path drain it": says(
                state="SERVING", settled=True, epoch=0, incident="", real_incident=[], at=NOW_MS
            )
        },
        DRILL_S,
    ),
    ("drill", "Wait for the return"): ({}, 3600),
    ("observe", "Wait for the next look"): (
        {
            "Look at the Region": says(region="r", reached=True, status=200),
            "Cast the vote and decide": says(decisions=[], due=[]),
        },
        50,
    ),
}
"""What never comes at each state that waits (the steps' answers), and its deadline in seconds."""
ANSWERS = {"failover": FAILOVER, "recovery": RECOVERY, "drill": DRILL, "observe": {}}
A_ROUND_S = 15


def asking(flow: Flow) -> set[str]:
    """A flow's states that wait for somebody's answer."""
    return {n for n, s in flow["States"].items() if "waitForTaskToken" in s.get("Resource", "")}


def test_every_state_that_waits_is_waited_at_here() -> None:
    all_of_them = {
        (machine, name)
        for machine, definition in MACHINES.items()
        for flow in flows_of(definition)
        for name in waits_of(flow) | asking(flow)
    }

    assert set(SILENT) == all_of_them


@pytest.mark.parametrize(("machine", "wait"), SILENT)
def test_what_never_comes_is_waited_for_until_the_deadline_and_no_longer(
    machine: str, wait: str
) -> None:
    never, deadline_s = SILENT[machine, wait]
    bench = Bench(ANSWERS[machine] | never)
    given = {"detail-type": "Scheduled Event", "region": "eu-west-2"}
    if wait == "Wait for replication":
        given["mode"] = "planned"
    if wait in ("Wait until it keeps up", "Wait until it can be compared"):
        bench.runner.calls_back = bench.world.tokens  # a person agrees at once

    run = bench.finish(MACHINES[machine], given, express=machine == "observe")

    assert wait in run.history.states()
    assert deadline_s <= bench.env.now <= deadline_s + A_ROUND_S
    assert run.status == ("FAILED" if machine == "drill" else "SUCCEEDED")


LONGEST: dict[str, Any] = {
    name: int(most) for name, (_, most) in _RANGES.items() if name.endswith("_s")
}
LONGEST_RUNS: dict[str, dict[str, list[Any]]] = {
    "failover": {
        "Claim the incident": held(**LONGEST),
        "See where clients are sent": STAYS,
        "Watch traffic leave": STAYS,
        "Measure replication": UNKNOWN,
        "Count the writes at risk": AT_RISK,
        "Put back the writes at risk": UNREAD,
    },
    "recovery": {
        "Claim the incident": held("DRAINED", approval="never", **LONGEST),
        "See whether its replica has caught up": UNKNOWN,
        "Watch traffic return": STAYS,
        "Watch it on probation": UNSTABLE,
        "Put back what came meanwhile": UNREAD,
    },
}
"""What never comes at any of a workflow's waits, under the most patient policy there may be."""
WITHOUT_RETRIES = 0.75
"""The part of an execution's history that its rounds may fill when no Task is tried again."""


@pytest.mark.parametrize("machine", LONGEST_RUNS)
def test_the_most_patient_policys_workflow_fits_in_its_history(machine: str) -> None:
    bench = Bench(ANSWERS[machine] | LONGEST_RUNS[machine])

    run = bench.finish(MACHINES[machine], {"region": "eu-west-2"})

    assert run.status == "SUCCEEDED"
    assert bench.env.now > 3600
    assert len(run.history.events) < WITHOUT_RETRIES * MAX_STANDARD_EVENTS


def test_so_does_a_return_whose_ledger_cannot_be_read_for_as_long() -> None:
    bench = Bench(
        RECOVERY
        | LONGEST_RUNS["recovery"]
        | {
            "Claim the incident": held("DRAINED", **LONGEST),
            "See whether its replica has caught up": RECOVERY[
                "See whether its replica has caught up"
            ],
            "Repair the writes at risk": UNREAD,
        }
    )
    bench.runner.calls_back = bench.world.tokens

    run = bench.finish(MACHINES["recovery"], {"region": "eu-west-2"})

    assert run.status == "SUCCEEDED"
    assert len(run.history.events) < WITHOUT_RETRIES * MAX_STANDARD_EVENTS


@pytest.mark.parametrize(("machine", "wait"), SILENT)
def test_the_page_about_workflows_lists_the_wait(machine: str, wait: str) -> None:
    page = (FOLDER.parent / "docs" / "workflows.md").read_text()

    assert f"| {machine} | **{wait}** |" in page
