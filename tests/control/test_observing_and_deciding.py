"""A round of an observer: what it says, what it decides with everybody's word, what it starts."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import boto3
import pytest

from sidestep.control._awake import WAKE
from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.errors import CoordinationUnavailable
from sidestep.core.policy import Policy
from tests.control.control_plane import (
    COORDINATION,
    LONDON,
    OREGON,
    REGIONS,
    VIRGINIA,
    ControlPlane,
    probe,
)

STREAK = Policy().probe_bad_streak


def look(plane: ControlPlane, here: str, bad: tuple[str, ...] = (LONDON,)) -> dict[str, Any]:
    """One round of an observer that sees these Regions answer 503."""
    probes = [probe(region, 503 if region in bad else 200) for region in REGIONS]
    return plane.invoke("vote", here, trigger={}, probes=probes)


def rounds(plane: ControlPlane, here: tuple[str, ...], **how: Any) -> dict[str, Any]:
    """As many rounds of these observers as a verdict takes; the last one's answer."""
    answer: dict[str, Any] = {}
    for _ in range(STREAK):
        plane.later(10)
        for region in here:
            answer = look(plane, region, **how)
    return answer


def test_two_other_observers_lead_to_a_failover(plane: ControlPlane) -> None:
    plane.register()
    due = rounds(plane, (VIRGINIA, OREGON))["due"]

    assert [(one["workflow"], one["name"]) for one in due] == [("failover", "demo-eu-west-2-1")]
    assert due[0]["input"]["region"] == LONDON
    assert due[0]["input"]["mode"] == "automatic"


def test_a_region_that_is_not_deployed_yet_is_held_and_calls_nobody(plane: ControlPlane) -> None:
    answer = rounds(plane, (VIRGINIA, OREGON))

    of = {decision["region"]: decision for decision in answer["decisions"]}[LONDON]
    assert (of["action"], of["page"], answer["due"]) == ("hold", False, [])
    assert of["reasons"][0].startswith(f"{LONDON} has never been up")


def test_every_observer_proposes_the_same_name(plane: ControlPlane) -> None:
    plane.register()
    rounds(plane, (VIRGINIA, OREGON))

    names = {look(plane, here)["due"][0]["name"] for here in (VIRGINIA, OREGON)}

    assert len(names) == 1


def test_the_first_bad_look_of_anybody_wakes_what_a_failover_would_need(
    plane: ControlPlane,
) -> None:
    plane.register()
    well = [look(plane, here, bad=())["wake"] for here in (VIRGINIA, OREGON)]
    plane.later(10)

    assert look(plane, VIRGINIA)["wake"]
    assert look(plane, OREGON, bad=())["wake"]  # it hears of it, and may start the failover
    assert well == [False, False]


def test_a_region_that_is_out_may_fail_without_waking_anything(plane: ControlPlane) -> None:
    plane.register()
    plane.drained(LONDON)

    assert not rounds(plane, (VIRGINIA, OREGON))["wake"]


@pytest.mark.parametrize("step", ["claim", "recheck", "gate", "toggle"])
def test_a_step_that_is_woken_does_nothing(plane: ControlPlane, step: str) -> None:
    plane.calls.clear()

    assert plane.invoke(step, VIRGINIA, **WAKE) == WAKE
    assert plane.calls == []


def test_a_person_who_asks_a_workflow_to_wake_does_not_get_round_its_claim(
    plane: ControlPlane,
) -> None:
    assert plane.ask_claim("by-hand", **WAKE)["held"]


def test_one_observer_alone_starts_nothing(plane: ControlPlane) -> None:
    rounds(plane, (OREGON,), bad=())

    answer = rounds(plane, (VIRGINIA,))

    assert answer["due"] == []
    assert {d["region"]: d["action"] for d in answer["decisions"]}[LONDON] == "hold"


def test_an_observer_starts_nothing_about_its_own_region(plane: ControlPlane) -> None:
    plane.register()
    rounds(plane, (VIRGINIA, OREGON))

    answer = look(plane, LONDON)

    assert {d["region"]: d["action"] for d in answer["decisions"]}[LONDON] == "failover"
    assert answer["due"] == []


def test_two_looks_of_one_observer_at_once_are_both_believed(plane: ControlPlane) -> None:
    """An alarm starts one beside the schedule's: each may read the other's heartbeat."""
    for apart_ms in (-40, 40):
        plane.later(10)
        plane.before["Query"] = partial(plane.beat, VIRGINIA, VIRGINIA, plane.now + apart_ms)

        look(plane, VIRGINIA, bad=())

        assert ballot_of(plane, VIRGINIA)["observer_healthy"], apart_ms


def test_an_observer_that_reads_nothing_newer_than_its_last_look_is_not_believed(
    plane: ControlPlane,
) -> None:
    plane.before["Query"] = lambda: plane.beat(VIRGINIA, VIRGINIA, plane.now - 10_000)

    look(plane, VIRGINIA, bad=())

    assert not ballot_of(plane, VIRGINIA)["observer_healthy"]


def ballot_of(plane: ControlPlane, here: str) -> dict[str, Any]:
    """An observer's ballot, as the table holds it."""
    return plane.get("coordination", "app#demo", f"vote#{here}") or {}


def test_an_observer_that_cannot_use_its_own_replica_starts_nothing(plane: ControlPlane) -> None:
    rounds(plane, (VIRGINIA, OREGON, LONDON))
    plane.silent.add(("dynamodb", VIRGINIA))

    assert look(plane, VIRGINIA)["due"] == []


def test_a_round_of_the_steady_state_makes_five_calls(plane: ControlPlane) -> None:
    observer = plane.cold_start("vote", OREGON)
    event = {"trigger": {}, "probes": [probe(region) for region in REGIONS]}
    observer(event)
    plane.calls.clear()

    observer(event)

    assert [operation for operation, _ in plane.calls] == [
        *("PutItem", "Query"),  # heartbeat, and everybody's
        "Query",  # everything of the application
        *("DescribeAlarms", "PutItem"),  # own alarms, ballot
    ]


def test_marks_that_were_right_cost_nothing_for_two_minutes(plane: ControlPlane) -> None:
    plane.drained()
    observer = plane.cold_start("vote", OREGON)
    event = {"trigger": {}, "probes": [probe(region) for region in REGIONS]}
    observer(event)
    plane.calls.clear()

    observer(event)

    assert len(plane.calls) == 5


def test_the_registry_is_written_when_it_changes_and_not_again(plane: ControlPlane) -> None:
    look(plane, OREGON)
    first = plane.get("coordination", "app#demo", f"region#{OREGON}")
    plane.later(10)

    look(plane, OREGON)

    assert first is not None
    assert first["check_id"] == f"toggle-{OREGON}"
    assert plane.get("coordination", "app#demo", f"region#{OREGON}") == first


def test_without_the_coordination_table_nothing_is_decided_and_people_are_called(
    plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.silent.update(("*", region) for region in COORDINATION)

    with pytest.raises(CoordinationUnavailable, match="nothing is moved"):
        look(plane, VIRGINIA)

    assert needs_person(capsys) == [1]


def test_when_all_look_bad_it_holds_and_people_are_called(
    plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = rounds(plane, REGIONS, bad=REGIONS)

    assert answer["due"] == []
    assert {d["action"] for d in answer["decisions"]} == {"hold"}
    assert needs_person(capsys)[-1] == 1


def test_a_quiet_round_calls_nobody(
    plane: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds(plane, REGIONS, bad=())

    assert needs_person(capsys)[-1] == 0


def test_a_failover_whose_holder_died_is_taken_over_under_another_name(
    plane: ControlPlane,
) -> None:
    rounds(plane, (VIRGINIA, OREGON))
    plane.claim("demo-eu-west-2-1", mode="automatic")
    plane.later(Policy().lease_s + CLOCK_SKEW_MS / 1000)

    due = look(plane, OREGON)["due"]

    assert [(one["workflow"], one["name"]) for one in due] == [("failover", "demo-eu-west-2-1-t2")]


def test_a_failed_return_is_tried_again_after_a_growing_wait(plane: ControlPlane) -> None:
    plane.drained(mode="automatic")
    back = plane.claim("back", kind="recovery", mode="automatic")
    plane.record(back, "stood down", release=True)
    settled = Policy().stability_window_s + 60

    healthy_for(plane, settled)
    assert recoveries(look(plane, OREGON, bad=())) == []
    healthy_for(plane, Policy().cooldown_s)

    assert recoveries(look(plane, OREGON, bad=())) == ["demo-eu-west-2-1-r2"]


@pytest.mark.parametrize(
    "name",
    ["dead-letters", "unsent-events", "replication-lag", "needs-person", "writes-refused"],
)
def test_an_alarm_that_is_not_about_serving_is_no_evidence(plane: ControlPlane, name: str) -> None:
    alarm(name)

    look(plane, OREGON, bad=())

    assert own_verdict(plane) == "healthy"


def test_an_alarm_about_serving_is_the_regions_own_word_against_itself(
    plane: ControlPlane,
) -> None:
    alarm("write-errors")

    rounds(plane, (OREGON,), bad=())

    assert own_verdict(plane) == "impaired"


def recoveries(answer: dict[str, Any]) -> list[str]:
    """Names of the recoveries that are due."""
    return [one["name"] for one in answer["due"] if one["workflow"] == "recovery"]


def alarm(name: str) -> None:
    """An alarm of Oregon's, in ALARM."""
    make: Any = boto3.client
    cloudwatch = make("cloudwatch", OREGON)
    full = f"sidestep-demo-{OREGON}-{name}"
    cloudwatch.put_metric_alarm(
        AlarmName=full,
        Namespace="Sidestep",
        MetricName="Any",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=full, StateValue="ALARM", StateReason="test")


def own_verdict(plane: ControlPlane) -> str:
    """What Oregon says of itself."""
    ballot = plane.get("coordination", "app#demo", f"vote#{OREGON}")
    assert ballot is not None
    return str(ballot["votes"][OREGON]["verdict"])


def healthy_for(plane: ControlPlane, seconds: int) -> None:
    """Every observer sees every Region well, now and so long after."""
    for passes in (30, seconds):
        plane.later(passes)
        for region in REGIONS:
            look(plane, region, bad=())


def needs_person(capsys: pytest.CaptureFixture[str]) -> list[int]:
    """The values of the metric that people are called by."""
    lines = [json.loads(x) for x in capsys.readouterr().out.splitlines() if '"_aws"' in x]
    return [int(line["NeedsPerson"][0]) for line in lines if "NeedsPerson" in line]
