"""The sentences of a decision reach the record and what people and machines are told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from localcloud.asl import Execution
from sidestep.core.policy import Policy
from tests.control.control_plane import LONDON, REGIONS, ControlPlane, probe
from tests.control.real_steps import LEFT, Steps, carry_out
from tests.control.test_steps_may_run_twice import BACK

INCIDENT = "demo-eu-west-2-1"
ROUND_S = 10


def rounds(plane: ControlPlane, times: int, bad: tuple[str, ...] = ()) -> dict[str, Any]:
    """So many rounds of everybody; the last decision about London."""
    answer: dict[str, Any] = {}
    for _ in range(times):
        plane.later(ROUND_S)
        for here in REGIONS:
            probes = [probe(region, 503 if region in bad else 200) for region in REGIONS]
            answer = plane.invoke("vote", here, trigger={}, probes=probes)
    (decision,) = [one for one in answer["decisions"] if one["region"] == LONDON]
    return dict(decision)


def left(plane: ControlPlane, **how: Any) -> Execution:
    """A failover of London by itself."""
    given = {"region": LONDON, "mode": "automatic", "incident": INCIDENT}
    return carry_out(plane, "failover", given, scripted=LEFT, **how)


def announced(execution: Execution) -> tuple[str, str]:
    """The words that tell the outcome: people's, and the bus's."""
    return words_of(execution, "Announce the outcome", "Announce it on the bus")


def words_of(execution: Execution, *states: str) -> tuple[str, str]:
    """The words that people get at the first of two states, and the bus at the second."""
    steps = execution.world.runner
    assert isinstance(steps, Steps)
    people, machines = (one.arguments for one in steps.told if one.state in states)
    return people["Message"], machines["Entries"][0]["Detail"]["words"]


def test_a_drains_reasons_are_the_decisions_in_the_record_and_in_what_is_told(
    warm_plane: ControlPlane,
) -> None:
    decision = rounds(warm_plane, 2, bad=(LONDON,))

    words, on_the_bus = announced(left(warm_plane))

    record = warm_plane.incident(INCIDENT)
    assert decision["action"] == "failover"
    for name in ("diagnosis", "reasons", "would_change"):
        assert record[name] == decision[name]
    assert record["why"] == decision["reasons"][0]
    for told in (*decision["reasons"], decision["diagnosis"], decision["would_change"]):
        assert told in words
    assert on_the_bus == words


def test_a_drain_is_told_at_once_with_its_reasons_and_its_switches(
    warm_plane: ControlPlane,
) -> None:
    decision = rounds(warm_plane, 2, bad=(LONDON,))

    execution = left(warm_plane)

    words, on_the_bus = words_of(
        execution, "Tell that it is drained", "Tell the bus that it is drained"
    )
    noted = warm_plane.incident(INCIDENT)["steps"]
    assert next(step["outcome"] for step in noted if step["step"] == "drained") in words
    for told in (*decision["reasons"], decision["diagnosis"], decision["would_change"]):
        assert told in words
    assert "marks us-east-1 True, us-west-2 True" in words
    assert on_the_bus == words


def test_what_is_told_of_a_drain_says_when_the_region_comes_back_and_times_in_words(
    warm_plane: ControlPlane,
) -> None:
    rounds(warm_plane, 2, bad=(LONDON,))

    words, _ = announced(left(warm_plane))

    window_s = Policy().stability_window_s
    when = f"every observer, its own included, has called it healthy for {window_s} s"
    assert f"It comes back when {when}" in words
    assert warm_plane.incident(INCIDENT)["comes_back"].startswith(when)
    assert "2026-11-23 12:0" in words
    assert not re.search(r"\b1\d{12}\b", words)


def test_a_failover_that_stands_down_leaves_its_reasons_too(warm_plane: ControlPlane) -> None:
    rounds(warm_plane, 1)

    words, _ = announced(left(warm_plane))

    record = warm_plane.incident(INCIDENT)
    assert "is not impaired any more" in record["reasons"][0]
    assert f"What would have changed that: {record['would_change']}" in words
    assert "comes_back" not in record


@pytest.mark.parametrize(
    ("dies_at", "why"),
    [
        ("Drain by the gate", "the drain has begun already (DRAINING)"),
        ("Note that it is drained", "eu-west-2 is impaired and us-east-1, us-west-2 can serve"),
    ],
)
def test_a_drain_that_was_taken_over_says_so_and_keeps_what_was_known_of_it(
    warm_plane: ControlPlane, dies_at: str, why: str
) -> None:
    rounds(warm_plane, 2, bad=(LONDON,))
    left(warm_plane, name="died", dies_at=dies_at)
    warm_plane.later(Policy().lease_s + 60)

    words, _ = announced(left(warm_plane, name="next"))

    record = warm_plane.incident(INCIDENT)
    assert "does not judge it again" in record["taken_over"]
    assert record["taken_over"] in words
    assert record["reasons"][0] == why


def test_why_a_region_returns_is_the_decisions_in_the_record_and_in_what_is_told(
    warm_plane: ControlPlane,
) -> None:
    warm_plane.drained(mode="automatic")
    decision = rounds(warm_plane, Policy().stability_window_s // ROUND_S + 2)
    seen = {name: step for name, step in BACK.items() if name != "See whether it is stable"}
    given = {"region": LONDON, "mode": "automatic", "incident": INCIDENT}

    words, on_the_bus = announced(carry_out(warm_plane, "recovery", given, scripted=seen))

    returning = warm_plane.incident(INCIDENT)["returning"]
    assert decision["action"] == "recovery"
    assert but_for_seconds(returning["why"]) == but_for_seconds(decision["reasons"][0])
    assert returning["would_change"] == decision["would_change"]
    assert returning["why"] in words
    assert decision["would_change"] in words
    assert on_the_bus == words


def but_for_seconds(words: str) -> str:
    """A sentence without how long something has been so, which goes on between."""
    return re.sub(r"\d+ s", "… s", words)


def test_a_forced_return_says_that_nothing_was_asked(warm_plane: ControlPlane) -> None:
    warm_plane.drained()
    given = {"region": LONDON, "mode": "forced"}

    words, _ = announced(carry_out(warm_plane, "recovery", given, scripted=BACK))

    assert "ordered by an operator (forced): nothing was asked" in words


def test_what_is_seen_of_a_return_writes_over_nothing_that_the_drain_left(
    warm_plane: ControlPlane,
) -> None:
    given = {"region": LONDON}
    late = {"Payload": {"caught_up": None, "lag_ms": None, "why": "no heartbeat since"}}
    carry_out(warm_plane, "failover", given, scripted=LEFT | {"Measure replication": late})
    drained = warm_plane.incident(INCIDENT)

    carry_out(warm_plane, "recovery", given, scripted=BACK, name="back")

    record = warm_plane.incident(INCIDENT)
    assert record["status"] == "closed"
    assert {name: record[name] for name in ("replication", "traffic")} == {
        "replication": late["Payload"],
        "traffic": drained["traffic"],
    }
    assert record["traffic"]["traffic_moved"] is True
    assert (record["replication_back"]["caught_up"], record["traffic_back"]["dns_moved"]) == (
        True,
        True,
    )
