"""The paths that matter through a recovery: the real definition, scripted steps."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.policy import Policy
from tests.asl.ours import EPOCH, Bench
from tests.asl.scripts import Run, Throw
from tests.asl.workflows import FOLDER, definition_of
from tests.control.scripted_steps import RECOVERY, held, repaired, run_with, says, stability

NOW_MS = int(EPOCH * 1000)


def recovery(**changed: Any) -> Run:
    """A recovery in which these steps go otherwise; `_` stands for a space."""
    return run_with("recovery", RECOVERY, changed)


def test_a_recovery_restores_the_toggle_first_then_the_gate_and_closes() -> None:
    run = recovery()

    assert run.states.index("Restore the toggle") < run.states.index("Restore the gate")
    assert "Ask a person" not in run.states
    assert run.output["what"] == "recovered"


def test_a_return_waits_until_replication_can_be_proven_and_asks_nobody() -> None:
    unknown = says(caught_up=None, lag_ms=None, why="a peer's replica cannot be read")[0]
    known = says(caught_up=True, lag_ms=1, why="")[0]

    run = recovery(See_whether_its_replica_has_caught_up=[*[unknown] * 40, known])

    assert run.output["what"] == "recovered"
    assert run.waited_s > Policy().replication_deadline_s
    assert "Ask a person" not in run.states


def test_a_region_that_turns_bad_while_it_catches_up_stays_drained() -> None:
    well = stability(stable=True, bad=False, healthy_for_s=60, why="")[0]
    bad = stability(stable=False, bad=True, healthy_for_s=0, why="503 again")[0]
    behind = says(caught_up=False, lag_ms=9, why="behind")

    run = recovery(
        See_whether_it_is_stable=[well, bad], See_whether_its_replica_has_caught_up=behind
    )

    assert "Restore the gate" not in run.states
    assert "Stand down" in run.states


def test_a_region_that_is_not_stable_within_the_deadline_stays_drained() -> None:
    shaky = stability(stable=False, bad=False, healthy_for_s=3, why="own observer silent")

    run = recovery(See_whether_it_is_stable=shaky)

    assert run.output["what"] == "stays drained"
    assert run.waited_s >= Policy().stability_deadline_s


def test_data_in_doubt_is_a_persons_choice() -> None:
    unknown = says(caught_up=None, lag_ms=None, why="no heartbeat")

    run = recovery(See_whether_its_replica_has_caught_up=unknown)

    assert "Ask a person" in run.states
    assert run.output["what"] == "recovered"


def test_a_person_who_refuses_leaves_it_drained() -> None:
    asked = held("DRAINED", approval="always")

    run = recovery(Claim_the_incident=asked, Ask_a_person=[Throw("Refused")])

    assert "Restore the toggle" not in run.states
    assert run.output["what"] == "stays drained"


def test_more_than_one_invocation_repairs_is_repaired_in_rounds() -> None:
    first = repaired(1000, more=True, complete=False, after="0001", began=NOW_MS)

    run = recovery(Repair_the_writes_at_risk=[*first, *repaired(1200)])

    assert run.states.count("Repair the writes at risk") == 2
    assert "Ask a person" not in run.states


def test_a_ledger_that_an_hour_does_not_get_through_leaves_the_data_in_doubt() -> None:
    longer = repaired(9000, more=True, complete=False, after="0001", began=NOW_MS - 3_600_000)

    run = recovery(Repair_the_writes_at_risk=longer)

    assert run.states.count("Repair the writes at risk") == 1
    assert "Ask a person" in run.states


UNREAD = repaired(0, complete=False, unread=["us-west-2"])


def test_a_person_is_asked_at_once_of_what_no_further_look_can_tell() -> None:
    """All could be read; no count had said how far back to look."""
    run = recovery(Repair_the_writes_at_risk=repaired(0, complete=False))

    assert "Wait until it can be compared" not in run.states
    assert "Ask a person" in run.states


def test_who_could_not_be_read_is_read_again_before_a_person_is_asked() -> None:
    run = recovery(Repair_the_writes_at_risk=[*UNREAD * 6, *repaired(3)])

    assert run.states.count("Repair the writes at risk") == 7
    assert "Ask a person" not in run.states
    assert run.output["what"] == "recovered"


def test_where_nobody_is_asked_who_cannot_be_read_keeps_no_region_away() -> None:
    run = recovery(
        Claim_the_incident=held("DRAINED", approval="never"), Repair_the_writes_at_risk=UNREAD
    )

    assert run.states.count("Repair the writes at risk") == 1
    assert run.output["what"] == "recovered"


def test_a_ledger_that_cannot_be_repaired_from_is_a_persons_choice() -> None:
    run = recovery(Repair_the_writes_at_risk=[Throw("Sandbox.Timedout")])

    assert "Ask a person" in run.states
    assert run.output["what"] == "recovered"


def test_a_toggle_that_cannot_be_opened_leaves_it_drained_and_the_gate_shut() -> None:
    run = recovery(Restore_the_toggle=[Throw("Unreachable")])

    assert "Restore the gate" not in run.states
    assert run.output["what"] == "stays drained"


def test_turning_bad_on_probation_backs_out_by_both_switches() -> None:
    bad = stability(stable=False, bad=True, healthy_for_s=0, why="503 again")

    run = recovery(Watch_it_on_probation=bad)

    assert run.states.index("Back out by the gate") < run.states.index("Back out by the toggle")
    assert run.output["what"] == "backed out"


def test_dns_that_is_known_not_to_return_backs_out() -> None:
    away = says(done=False, dns_moved=False, traffic_moved=False)

    assert recovery(Watch_traffic_return=away).output["what"] == "backed out"


def test_a_recovery_taken_over_half_restored_is_out_again_first() -> None:
    run = recovery(Claim_the_incident=held("RESTORING"))

    assert run.states[2:5] == [
        "See whether another could serve",
        "Decide whether it goes out first",
        "Back out by the gate",
    ]
    assert run.output["what"] == "backed out"


NO_OTHER = stability(others=[], alone=True)


def test_half_restored_it_goes_on_where_no_other_could_serve() -> None:
    run = recovery(
        Claim_the_incident=held("RESTORING"),
        See_whether_another_could_serve=stability(stable=False, bad=True, others=[]),
    )

    assert run.states[4] == "Restore the gate"
    assert run.output["what"] == "recovered"


@pytest.mark.parametrize("state", ["Restore_the_gate", "Note_that_it_is_on_probation"])
@pytest.mark.parametrize(("seen", "out_again"), [(stability(), True), (NO_OTHER, False)])
def test_a_return_that_fails_half_way_is_taken_back_only_where_another_could_serve(
    state: str, seen: list[Any], out_again: bool
) -> None:
    looks = dict.fromkeys(("See_whether_it_is_stable", "See_whether_it_is_still_stable"), seen)

    run = recovery(**looks, **{state: [Throw("Boom")]})

    assert ("Back out by the gate" in run.states) == out_again
    assert ("Tell a person" in run.states) != out_again


def test_an_error_that_passes_costs_a_return_no_stability_window() -> None:
    passing = [Throw("Unreachable"), *says(set=True, version=3, why="")]

    assert recovery(Restore_the_toggle=passing).output["what"] == "recovered"


def test_a_recovery_taken_over_on_probation_watches_anew() -> None:
    run = recovery(Claim_the_incident=held("PROBATION"))

    assert run.states[2] == "Begin probation again"
    assert run.output["what"] == "recovered"


BAD = stability(stable=False, bad=True, healthy_for_s=0, why="503 again")


def backed_out(**changed: Any) -> Run:
    """A return that turns bad on probation, and in which these steps go otherwise."""
    return recovery(Watch_it_on_probation=BAD, **changed)


def test_what_came_during_a_return_is_put_back_when_it_is_backed_out_and_told() -> None:
    bench = Bench(
        RECOVERY | {"Watch it on probation": BAD, "Put back what came meanwhile": repaired(3)}
    )

    bench.finish(definition_of(FOLDER / "recovery.asl.json"), {"region": "eu-west-2"})

    noted, put, down = (
        next(r.arguments["Payload"] for r in bench.runner.requests if r.state == state)
        for state in (
            *("Note that it is drained again", "Put back what came meanwhile"),
            "Put the incident down",
        )
    )
    assert (noted["state"], "release" in noted) == ("DRAINED", False)
    assert put["backed_out"]
    assert down["release"]
    assert down["outcome"].endswith("put back of what came meanwhile: 3, still missing: 0")


@pytest.mark.parametrize("state", ["RESTORING", "DRAINING"])
def test_so_it_is_by_whoever_takes_a_half_done_return_over(state: str) -> None:
    run = recovery(Claim_the_incident=held(state))

    assert "Put back what came meanwhile" in run.states
    assert run.output["what"] == "backed out"


def test_a_back_out_with_nothing_to_put_back_holds_the_incident_no_longer() -> None:
    assert backed_out().states.count("Put back what came meanwhile") == 1
    assert "Wait until that can be put back" not in backed_out().states


def test_who_cannot_be_read_in_a_back_out_is_read_again() -> None:
    run = backed_out(Put_back_what_came_meanwhile=[*UNREAD * 3, *repaired(3)])

    assert run.states.count("Put back what came meanwhile") == 4
    assert run.output["what"] == "backed out"


@pytest.mark.parametrize("error", ["Refused", "Sandbox.Timedout"])
def test_a_back_out_that_can_put_nothing_back_is_put_down_all_the_same(error: str) -> None:
    run = backed_out(Put_back_what_came_meanwhile=[Throw(error)])

    assert "Put the incident down" in run.states
    assert run.output["what"] == "backed out"


def test_a_region_that_turns_bad_while_a_person_thinks_stays_drained() -> None:
    bad = stability(stable=False, bad=True, healthy_for_s=0, why="503 again")

    run = recovery(
        Claim_the_incident=held("DRAINED", approval="always"), See_whether_it_is_still_stable=bad
    )

    assert "Ask a person" in run.states
    assert "Restore the toggle" not in run.states
    assert run.output["what"] == "stays drained"


def test_a_region_that_turns_bad_while_its_writes_are_repaired_stays_drained() -> None:
    bad = stability(stable=False, bad=True, healthy_for_s=0, why="503 again")

    run = recovery(See_whether_it_is_still_stable=bad)

    assert "Ask a person" not in run.states
    assert run.output["what"] == "stays drained"


def test_replication_that_stops_while_a_person_thinks_keeps_it_drained() -> None:
    stopped = says(caught_up=False, lag_ms=3_600_000, why="an hour too old to tell")

    run = recovery(
        Claim_the_incident=held("DRAINED", approval="always"),
        See_whether_its_replica_still_keeps_up=stopped,
    )

    assert run.waited_s >= Policy().replication_deadline_s
    assert run.output["what"] == "stays drained"


def test_who_agreed_to_a_doubt_about_replication_is_not_asked_to_wait_for_its_end() -> None:
    unknown = says(caught_up=None, lag_ms=None, why="no heartbeat")

    run = recovery(See_whether_its_replica_has_caught_up=unknown)

    assert "See whether it is still stable" in run.states
    assert "See whether its replica still keeps up" not in run.states
    assert run.output["what"] == "recovered"


def test_a_return_that_goes_bad_before_dns_is_seen_to_answer_it_backs_out_at_once() -> None:
    unseen = says(done=False, dns_moved=None, traffic_moved=None)
    bad = stability(stable=False, bad=True, healthy_for_s=0, why="writes fail")

    run = recovery(Watch_traffic_return=unseen, Watch_it_while_traffic_returns=bad)

    assert run.output["what"] == "backed out"
    assert run.waited_s < 30


def test_a_return_that_cannot_be_judged_for_a_moment_is_watched_on() -> None:
    away, back = (says(done=done, dns_moved=done, traffic_moved=None)[0] for done in (False, True))

    run = recovery(
        Watch_traffic_return=[away, away, back],
        Watch_it_while_traffic_returns=[Throw("Boom")],
    )

    assert run.output["what"] == "recovered"


def test_replication_is_proven_by_what_came_after_the_region_was_last_found_stable() -> None:
    """Not after the start: a heartbeat of then may be half an hour old."""
    well = stability(stable=True, bad=False, healthy_for_s=60, why="")[0]
    shaky = stability(stable=False, bad=False, healthy_for_s=3, why="own observer silent")[0]
    behind = says(caught_up=False, lag_ms=9, why="behind")[0]
    stable = [*[shaky] * 30, well, well, shaky, well]
    arrived = [behind, behind, says(caught_up=True, lag_ms=1, why="")[0]]
    bench = Bench(
        RECOVERY
        | {"See whether it is stable": stable, "See whether its replica has caught up": arrived}
    )

    bench.finish(definition_of(FOLDER / "recovery.asl.json"), {"region": "eu-west-2"})

    asked = "See whether its replica has caught up"
    since = [r.arguments["Payload"]["since"] for r in bench.runner.requests if r.state == asked]
    assert [at - NOW_MS for at in since] == [300_000, 300_000, 330_000]
