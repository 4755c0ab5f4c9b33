"""The paths that matter through a failover: the real definition, scripted steps."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.policy import Policy
from tests.asl.ours import EPOCH, Bench, run_ours
from tests.asl.scripts import Run, Throw
from tests.asl.workflows import FOLDER, definition_of
from tests.control.scripted_steps import FAILOVER, held, repaired, run_with, says

NOW_MS = int(EPOCH * 1000)
NOT_SO = says(
    go=False,
    why="not impaired any more",
    diagnosis="healthy",
    reasons=[],
    would_change="",
    checked_ms=1,
)
LEFT = "drained, clients have left"
LATE_BY_S = 11
"""docs/workflows.md: two tries of 5 s, up to a second apart."""
AT_RISK = says(
    count=1200, keys=[], oldest_ms=1, unread=[], complete=True, since=1, more=False, began=NOW_MS
)


def failover(**changed: Any) -> Run:
    """A failover in which these steps go otherwise; `_` stands for a space."""
    return run_with("failover", FAILOVER, changed)


def test_a_failover_drains_by_both_switches_counts_tells_and_then_sees_clients_leave() -> None:
    run = failover()

    assert run.status == "SUCCEEDED"
    assert run.states.index("Put the incident down") < run.states.index("Watch traffic leave")
    assert run.output["what"] == LEFT
    assert run.output["announced"] == {"topic": True, "bus": True}


def test_a_failover_that_another_holds_touches_nothing() -> None:
    nothing = says(held=False, why="held by another", claim=None, state="SERVING", policy={})
    nothing[0]["Payload"]["commands"] = []

    run = failover(Claim_the_incident=nothing)

    assert run.status == "SUCCEEDED"
    assert run.states[-1] == "Leave it to the other"


def test_a_region_that_came_back_is_not_drained() -> None:
    run = failover(Check_again=NOT_SO)

    assert "Stand down" in run.states
    assert "Drain by the gate" not in run.states
    assert run.output["what"] == "stood down"


def test_the_last_serving_region_is_refused_and_the_incident_put_down() -> None:
    run = failover(Drain_by_the_gate=[Throw("LastServingRegion")])

    assert run.states[-5:-2] == [
        "Stand down and release",
        "Announce the outcome",
        "Announce it on the bus",
    ]
    assert "Watch traffic leave" not in run.states
    assert run.status == "SUCCEEDED"


def test_without_route_53s_control_plane_the_gate_alone_drains() -> None:
    run = failover(Flip_the_toggle=[Throw("Unreachable")])

    assert run.output["what"] == LEFT


def test_without_any_warden_the_toggle_alone_drains() -> None:
    run = failover(Drain_by_the_gate=says(set=False, marks={}, why={}))

    assert run.output["what"] == LEFT


def test_when_neither_switch_takes_it_is_undone_and_a_person_is_told() -> None:
    run = failover(Drain_by_the_gate=[Throw("Boom")], Flip_the_toggle=[Throw("Unreachable")])

    assert run.states[-3:] == ["Undo the drain", "Tell a person", "End as failed"]
    assert (run.status, run.error) == ("FAILED", "NeitherSwitch")


def test_a_fenced_off_failover_touches_nothing_more_and_says_why_in_its_output() -> None:
    fenced = Throw("LeaseLost", "token 1 is fenced off by token 2")

    run = failover(Note_that_it_is_drained=[fenced])

    assert (run.status, run.states[-1]) == ("SUCCEEDED", "Stand aside")
    assert run.output["why"] == "LeaseLost: token 1 is fenced off by token 2"
    assert "Announce the outcome" not in run.states


def test_an_error_after_the_drain_is_handed_over_with_commands() -> None:
    run = failover(Note_that_it_is_drained=[Throw("Boom")])

    assert run.states[-3:] == ["Hand over to a person", "Tell a person", "End as failed"]


STAYS = says(done=False, dns_moved=True, traffic_moved=False, requests=7, moved_at=1)


def test_a_drain_is_told_at_once_and_what_its_clients_did_when_that_is_known() -> None:
    told = announcements({"Watch traffic leave": [*STAYS * 20, *FAILOVER["Watch traffic leave"]]})

    assert [subject for _, subject in told] == [
        "Sidestep: eu-west-2 drained, switches set",
        "Sidestep: eu-west-2 drained",
        "Sidestep: eu-west-2 drained, clients have left",
    ]
    assert told[0][0] < 10
    assert told[1][0] < 60 < 200 <= told[2][0]


def test_traffic_that_never_leaves_is_said_after_the_deadline() -> None:
    told = announcements({"Watch traffic leave": STAYS})

    assert told[-1][1] == "Sidestep: eu-west-2 drained, not verified: look"
    assert Policy().traffic_deadline_s <= told[-1][0] < Policy().traffic_deadline_s + 30


def test_a_region_that_cannot_be_asked_is_not_said_to_have_been_left() -> None:
    dark = says(done=True, dns_moved=True, traffic_moved=None, requests=None, moved_at=1)

    told = announcements({"Watch traffic leave": dark})

    assert told[-1][1] == "Sidestep: eu-west-2 drained, and silent about its clients"


def test_dns_that_is_not_seen_to_move_is_said_when_the_incident_is_put_down() -> None:
    named = says(done=False, dns_moved=False, traffic_moved=None, requests=None, moved_at=None)

    told = announcements({"See where clients are sent": named, "Watch traffic leave": STAYS})

    assert [subject for _, subject in told] == [
        "Sidestep: eu-west-2 drained, switches set",
        "Sidestep: eu-west-2 drained, DNS not seen to move: look",
        "Sidestep: eu-west-2 drained, not verified: look",
    ]
    assert told[0][0] < 10 < Policy().traffic_deadline_s <= told[1][0]


def test_who_watches_clients_leave_ends_quietly_once_another_has_claimed_the_incident() -> None:
    fenced = Throw("LeaseLost", "token 1 is fenced off by token 2")

    run = failover(Watch_traffic_leave=[*STAYS, fenced])

    assert (run.status, run.states[-1]) == ("SUCCEEDED", "Stand aside")
    assert (run.output["what"], run.output["why"]) == ("drained", f"LeaseLost: {fenced.cause}")
    assert "Tell whether traffic has left" not in run.states


def test_what_cannot_be_put_into_the_record_is_told_all_the_same() -> None:
    told = announcements(
        {"Watch traffic leave": STAYS, "Note whether traffic has left": [Throw("Boom")]}
    )

    assert told[-1][1] == "Sidestep: eu-west-2 drained, not verified: look"


def announcements(changed: dict[str, Any]) -> list[tuple[float, str]]:
    """What a failover tells people, and how many seconds after its start."""
    bench, at_s = Bench(FAILOVER | changed), list[float]()
    tells = ("Tell that it is drained", "Announce the outcome", "Tell whether traffic has left")
    bench.runner.meanwhile = dict.fromkeys(tells, lambda: at_s.append(float(bench.env.now)))
    bench.finish(definition_of(FOLDER / "failover.asl.json"), {"region": "eu-west-2"})
    told = [r for r in bench.runner.requests if r.state in tells]
    return list(zip(at_s, [one.arguments["Subject"] for one in told], strict=True))


def test_unknown_replication_delays_the_count_and_no_more() -> None:
    run = failover(Measure_replication=says(caught_up=None, lag_ms=None, why="no heartbeat"))

    assert run.output["what"] == LEFT
    assert run.waited_s >= Policy().replication_deadline_s


def test_a_topic_and_a_bus_that_are_silent_hold_a_drain_up_for_seconds_and_it_goes_on() -> None:
    tells = ("Tell that it is drained", "Tell the bus that it is drained")
    bench, at_s = Bench(FAILOVER), list[float]()
    bench.runner.takes_s = dict.fromkeys(tells, 3600)
    bench.runner.meanwhile = {"See where clients are sent": lambda: at_s.append(bench.env.now)}

    run = bench.finish(definition_of(FOLDER / "failover.asl.json"), {"region": "eu-west-2"})

    assert (run.status, run.output["what"]) == ("SUCCEEDED", LEFT)
    assert run.output["announced"] == {"topic": False, "bus": False}
    assert 20 <= at_s[0] <= 2 * LATE_BY_S


def test_failing_to_tell_does_not_fail_the_failover_and_is_noted() -> None:
    run = failover(
        Announce_the_outcome=[Throw("SNS.SdkClientException")],
        Announce_it_on_the_bus=[Throw("EventBridge.FailedEntry")],
    )

    assert run.status == "SUCCEEDED"
    assert run.output["announced"] == {"topic": False, "bus": False}


def test_a_planned_move_waits_for_replication_and_is_given_up_after_the_deadline() -> None:
    definition = definition_of(FOLDER / "failover.asl.json")
    behind = {"See whether replication is proven": says(caught_up=False, lag_ms=9, why="behind")}

    run = run_ours(
        definition,
        {"region": "eu-west-2", "mode": "planned"},
        FAILOVER | {"Claim the incident": held(mode="planned")} | behind,
    )

    assert "Drain by the gate" not in run.states
    assert run.output["what"] == "stood down"


def test_a_planned_move_whose_drain_has_begun_is_finished_by_whoever_takes_over() -> None:
    run = failover(Claim_the_incident=held("DRAINING", mode="planned"))

    assert run.states[2:5] == ["Check again", "Decide whether to go on", "Drain by the gate"]
    assert run.output["what"] == LEFT


@pytest.mark.parametrize("error", ["CheckTooOld", "Sandbox.Timedout"])
def test_what_the_gate_has_not_done_in_time_is_checked_once_more_and_left_to_the_toggle(
    error: str,
) -> None:
    run = failover(Drain_by_the_gate=[Throw(error)])
    put_down = failover(Drain_by_the_gate=[Throw(error)], Check_once_more=NOT_SO)

    assert run.output["what"] == LEFT
    assert "Flip the toggle" not in put_down.states
    assert put_down.output["what"] == "stood down"


def test_a_failover_puts_the_writes_at_risk_back_and_says_how_many() -> None:
    more = repaired(1000, more=True, complete=False, after="0001", began=NOW_MS)

    run = failover(
        Count_the_writes_at_risk=AT_RISK, Put_back_the_writes_at_risk=[*more, *repaired(1200)]
    )

    assert run.states.count("Put back the writes at risk") == 2
    assert run.output["what"] == LEFT


def test_a_failover_with_nothing_at_risk_puts_nothing_back() -> None:
    assert "Put back the writes at risk" not in failover().states


UNREAD = repaired(2, complete=False, unread=["us-west-2"])


def test_who_could_not_be_read_is_tried_anew_before_the_incident_is_put_down() -> None:
    """The Region that is left may never come back: no return would put its writes back."""
    run = failover(
        Count_the_writes_at_risk=AT_RISK, Put_back_the_writes_at_risk=[*UNREAD * 6, *repaired(9)]
    )

    assert run.states.count("Put back the writes at risk") == 7
    assert 60 <= run.waited_s < Policy().replication_deadline_s
    assert run.output["what"] == LEFT


def test_so_is_what_could_not_be_put_back_at_all() -> None:
    throttled = Throw("Throttled")

    run = failover(
        Count_the_writes_at_risk=AT_RISK,
        Put_back_the_writes_at_risk=[*[throttled] * 6, *repaired(9)],
    )

    assert run.states.count("Wait until it can be put back") == 1
    assert run.output["what"] == LEFT


def told_when_put_down(**changed: Any) -> str:
    """What a failover's record says of what was put back."""
    bench = Bench(FAILOVER | {name.replace("_", " "): answer for name, answer in changed.items()})
    bench.finish(definition_of(FOLDER / "failover.asl.json"), {"region": "eu-west-2"})
    asked = [r for r in bench.runner.requests if r.state == "Put the incident down"]
    outcome: str = asked[-1].arguments["Payload"]["outcome"]
    return outcome.partition(", put back: ")[2]


def test_whoever_stays_away_until_the_deadline_is_said() -> None:
    told = told_when_put_down(Count_the_writes_at_risk=AT_RISK, Put_back_the_writes_at_risk=UNREAD)

    assert told == "2, not all of it could be compared"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(repaired(2, complete=False), "2, not all of it could be compared", id="reach"),
        pytest.param([Throw("Refused")], "0, not all of it could be compared", id="no-right"),
        pytest.param(repaired(2), "2", id="whole"),
    ],
)
def test_what_no_waiting_can_mend_is_not_waited_for(answer: list[Any], told: str) -> None:
    changed: dict[str, Any] = {
        "Count_the_writes_at_risk": AT_RISK,
        "Put_back_the_writes_at_risk": answer,
    }

    assert "Wait until it can be put back" not in failover(**changed).states
    assert told_when_put_down(**changed) == told


def test_a_count_that_found_nothing_at_risk_is_told_as_it_is() -> None:
    assert told_when_put_down() == "0"


@pytest.mark.parametrize("fails", ["Count the writes at risk", "Put back the writes at risk"])
def test_what_a_failover_cannot_count_or_put_back_does_not_stop_it(fails: str) -> None:
    answers = {"Count the writes at risk": AT_RISK, fails: [Throw("Sandbox.Timedout")]}

    run = run_with("failover", FAILOVER, answers)

    assert "Put back the writes at risk" in run.states
    assert run.output["what"] == LEFT
