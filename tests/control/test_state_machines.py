"""What every state machine of ours keeps to, whatever it does."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sidestep.core import errors
from sidestep.core.policy import _RANGES
from tests.asl.workflows import FOLDER, definition_of, files

MACHINES = {path.name.removesuffix(".asl.json"): definition_of(path) for path in files()}
OURS = {name for name, kind in inspect.getmembers(errors, inspect.isclass)}
RETRYABLE = {name for name in OURS if issubclass(getattr(errors, name), errors.Retryable)}
AN_HOUR_S = 3600
"""How long a workflow counts writes at most, and how long it puts them back; a recovery before it
restores, and again where it backs out."""
SAFE = {
    # Nothing was moved, or it was undone in the control item.
    "Give up before anything was touched",
    "Stand down",
    "Stand down and release",
    "Refuse the drill",
    # Another holder goes on.
    "Stand aside",
    # A person is told; the lease runs out and an observer takes over.
    "Hand over to a person",
    "Tell a person",
    "End as failed",
    # The other switch, or out again by the sure one.
    "Check once more",
    "Flip the toggle",
    "See whether a switch took",
    "Back out by the gate",
    # Out again, or, where it may be the only one that works, left to a person and a take-over.
    "Decide whether it goes out again",
    "Note that it is drained again",
    # Not known this time: a loop with a deadline asks again, or records it as unknown.
    "Decide whether they are sent elsewhere",
    "Decide whether traffic has left",
    "Decide whether traffic has returned",
    "Decide whether replication is known",
    "Decide whether it has caught up",
    "Decide whether it keeps up",
    "Decide whether it holds so far",
    "Decide how probation goes",
    "See whether there is more to put back",
    "See whether more came meanwhile",
    "Put the incident down",
    # Not counted, or not put back: what is missing is looked for at the next step that repairs.
    "Put back the writes at risk",
    "Say what is in doubt",
    # Noting or telling failed; what was done stays done.
    "Announce it on the bus",
    "Tell the bus that it is drained",
    "See where clients are sent",
    "Tell whether traffic has left",
    "Tell it on the bus",
    "See whether clients are to be watched",
    "Finish",
    # What waits for a person is told again.
    "Leave it to the next telling",
    # What is not woken starts when it is needed.
    "Let it start cold",
    # The next round compares again.
    "Count it as not looked at",
    "Decide whether to look again",
    "Leave it to the next round",
    "Start it again under another name",
    # A drill's fault goes in any case.
    "Remove the fault in any case",
    "Tell a person that the fault stands",
}
"""Where a Catch may lead. Each says by its name what is safe about it."""


def states_of(flow: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """All states, at any depth."""
    for name, state in flow["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states_of(state["ItemProcessor"])


TASKS = [
    pytest.param(state, id=f"{machine}: {name}")
    for machine, definition in MACHINES.items()
    for name, state in states_of(definition)
    if state["Type"] == "Task"
]
STATES = [
    pytest.param(name, state, id=f"{machine}: {name}")
    for machine, definition in MACHINES.items()
    for name, state in states_of(definition)
]


@pytest.mark.parametrize("state", TASKS)
def test_every_task_has_a_time_out_a_retry_and_a_last_catch(state: dict[str, Any]) -> None:
    assert state["TimeoutSeconds"]
    assert state["Retry"]
    assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("state", TASKS)
def test_every_retry_backs_off_with_jitter_and_ends(state: dict[str, Any]) -> None:
    for retry in state["Retry"]:
        assert retry["JitterStrategy"] == "FULL"
        assert 1 <= retry["MaxAttempts"] <= 10


@pytest.mark.parametrize("state", TASKS)
def test_what_is_tried_again_for_lambdas_sake_is_so_whatever_lambda_calls_it(
    state: dict[str, Any],
) -> None:
    # "Look at the Region" is not: the next look is seconds away, and a late one delays its round.
    for retry in state.get("Retry", ()):
        named = {name for name in retry["ErrorEquals"] if name.startswith("Lambda.")}
        if "Lambda.TooManyRequestsException" in named:
            assert named >= {"Lambda.ClientExecutionTimeoutException", "Lambda.Unknown"}


@pytest.mark.parametrize("state", TASKS)
def test_every_catch_lands_in_a_known_safe_state(state: dict[str, Any]) -> None:
    assert {catch["Next"] for catch in state["Catch"]} <= SAFE


@pytest.mark.parametrize("state", TASKS)
def test_errors_are_named_as_handlers_raise_them(state: dict[str, Any]) -> None:
    for kind in ("Retry", "Catch"):
        for name in {n for entry in state[kind] for n in entry["ErrorEquals"]}:
            assert "." in name or name in OURS, f"{kind} names {name}, which nothing raises"


@pytest.mark.parametrize("state", TASKS)
def test_what_needs_a_person_is_never_retried(state: dict[str, Any]) -> None:
    named = {n for retry in state["Retry"] for n in retry["ErrorEquals"] if "." not in n}

    assert named <= RETRYABLE


@pytest.mark.parametrize("state", TASKS)
def test_a_fenced_off_holder_stands_aside_and_does_nothing_else(state: dict[str, Any]) -> None:
    payload = state.get("Arguments", {}).get("Payload")
    if not isinstance(payload, Mapping) or "claim" not in payload:
        return

    first = state["Catch"][0]
    assert (first["ErrorEquals"], first["Next"]) == (["LeaseLost"], "Stand aside")


@pytest.mark.parametrize(("name", "state"), STATES)
def test_every_state_says_why_and_is_named_by_a_sentence(name: str, state: dict[str, Any]) -> None:
    assert state["Comment"].endswith(".")
    assert re.fullmatch(r"[A-Z][a-z]+( (Region|[a-z]+))*", name)


@pytest.mark.parametrize(("name", "state"), STATES)
def test_every_wait_is_short(name: str, state: dict[str, Any]) -> None:
    if state["Type"] == "Wait" and "Seconds" in state:
        assert state["Seconds"] <= 10, f"{name}: a lease must be renewed meanwhile"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_machine_has_a_time_out_and_speaks_jsonata(machine: str) -> None:
    assert MACHINES[machine]["TimeoutSeconds"] > 0
    assert MACHINES[machine]["QueryLanguage"] == "JSONata"


def test_a_rounds_machine_ends_before_express_would_end_it() -> None:
    assert MACHINES["observe"]["TimeoutSeconds"] < 120


@pytest.mark.parametrize(
    ("machine", "waits"),
    [
        ("failover", [*["replication_deadline_s"] * 3, "traffic_deadline_s"]),
        (
            "recovery",
            [
                *("stability_deadline_s", "approval_timeout_s", "replication_deadline_s"),
                *("traffic_deadline_s", "probation_s", "stability_deadline_s"),
                "replication_deadline_s",
            ],
        ),
    ],
)
def test_a_machine_outlives_counting_repairing_and_the_longest_waits_that_a_policy_may_ask_for(
    machine: str, waits: list[str]
) -> None:
    longest = sum(_RANGES[wait][1] for wait in waits) + 2 * AN_HOUR_S

    assert MACHINES[machine]["TimeoutSeconds"] > longest


def test_only_the_automatic_path_drains_in_a_drill() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", (FOLDER / "drill.asl.json").read_text()))

    assert used == {"DrillFunctionArn", "AlertsTopicArn"}


def test_every_end_of_a_drill_after_the_fault_passes_its_removal() -> None:
    states = MACHINES["drill"]["States"]
    before = {"See whether a drill may run", "Refuse the drill"}
    removals = {"Remove the fault", "Remove the fault in any case"}

    reached, todo = set(), ["Inject the fault"]
    while todo:
        name = todo.pop()
        if name in reached or name in removals:
            continue
        reached.add(name)
        state = states[name]
        todo += [c["Next"] for c in (*state.get("Catch", []), *state.get("Choices", []))]
        todo += [state[key] for key in ("Next", "Default") if key in state]

    ends = {n for n in reached if states[n]["Type"] in ("Succeed", "Fail")}
    assert ends == set()
    assert not reached & before


@pytest.mark.parametrize(
    "name",
    sorted(
        {name for flow in MACHINES.values() for name, s in states_of(flow) if s["Type"] == "Task"}
    ),
)
def test_the_page_about_workflows_tells_of_every_step(name: str) -> None:
    page = (FOLDER.parent / "docs" / "workflows.md").read_text()

    assert f"**{name}**" in page


def test_the_page_about_workflows_tells_of_no_other_state() -> None:
    page = (FOLDER.parent / "docs" / "workflows.md").read_text()
    states = {name for flow in MACHINES.values() for name, _ in states_of(flow)}

    assert set(re.findall(r"\*\*([^*]+)\*\*", page)) <= states
