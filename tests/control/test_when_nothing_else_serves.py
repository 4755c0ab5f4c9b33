"""A return when the other Regions are gone: by whom, by which rule, and what a person can force."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.errors import LeaseLost
from sidestep.core.policy import Policy
from tests.asl.ours import Bench
from tests.asl.scripts import Run, Throw
from tests.asl.workflows import FOLDER, definition_of
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane
from tests.control.pasted import commands_in
from tests.control.real_steps import carry_out
from tests.control.scripted_steps import RECOVERY, held, repaired, run_with, says, stability
from tests.control.test_commands_for_a_person import pasted
from tests.control.test_observing_and_deciding import look
from tests.control.test_steps_may_run_twice import RUNS_OUT_S

OTHERS = (VIRGINIA, OREGON)
ALONE = stability(alone=True, others=[])
UNPROVEN = says(caught_up=False, lag_ms=312_400, why="us-east-1's newest heartbeat is too old")
UNREAD = repaired(0, complete=False, unread=["us-east-1"])
RETURNED = {
    "Watch traffic return": {"Payload": {"done": True, "dns_moved": True, "traffic_moved": None}},
    "Watch it on probation": ALONE[0],
}


def recovery(**changed: Any) -> Run:
    """A recovery in which these steps go otherwise; `_` stands for a space."""
    return run_with("recovery", RECOVERY, changed)


def told(state: str, changed: dict[str, Any]) -> dict[str, Any]:
    """What a step of such a recovery was given."""
    bench = Bench(RECOVERY | {name.replace("_", " "): how for name, how in changed.items()})
    bench.finish(definition_of(FOLDER / "recovery.asl.json"), {"region": LONDON})
    (asked,) = [r for r in bench.runner.requests if r.state == state]
    return dict(asked.arguments)


IN_DOUBT: dict[str, Any] = {
    "See_whether_it_is_stable": ALONE,
    "See_whether_it_is_still_stable": ALONE,
    "See_whether_its_replica_has_caught_up": UNPROVEN,
    "Repair_the_writes_at_risk": UNREAD,
}


def alone(**changed: Any) -> Run:
    """A recovery where nothing else serves, and nothing can be proven or compared."""
    return recovery(**{**IN_DOUBT, **changed})


# -- who starts it ---------------------------------------------------------------------------


def test_the_regions_own_observer_starts_its_return(warm_plane: ControlPlane) -> None:
    warm_plane.drained(mode="automatic")
    due: list[dict[str, Any]] = []
    for _ in range(Policy().stability_window_s // 10 + 1):
        warm_plane.later(10)
        due = look(warm_plane, LONDON, bad=OTHERS)["due"]

    recoveries = [one for one in due if one["workflow"] == "recovery"]
    assert [one["input"]["region"] for one in recoveries] == [LONDON]
    assert "nothing else serves" in recoveries[0]["input"]["reasons"][0]


def test_while_it_is_out_its_own_observer_sends_canaries_to_it(warm_plane: ControlPlane) -> None:
    def asked() -> list[str]:
        looks = look(warm_plane, LONDON, bad=())["looks"]
        return [one["region"] for one in looks if one.get("canaries")]

    assert asked() == []
    warm_plane.drained(mode="automatic")
    assert asked() == [LONDON]


def test_it_starts_none_while_another_observer_votes_for_its_own_region(
    warm_plane: ControlPlane,
) -> None:
    warm_plane.drained(mode="automatic")
    due: list[dict[str, Any]] = []
    for _ in range(Policy().stability_window_s // 10 + 1):
        warm_plane.later(10)
        look(warm_plane, VIRGINIA, bad=(LONDON, OREGON))
        due = look(warm_plane, LONDON, bad=OTHERS)["due"]

    assert [one for one in due if one["workflow"] == "recovery"] == []


# -- the workflow ----------------------------------------------------------------------------


def test_it_waits_for_nothing_that_nobody_can_prove_and_asks_nobody() -> None:
    run = alone()

    assert run.output["what"] == "recovered"
    assert run.waited_s == 0
    assert run.states.count("Repair the writes at risk") == 1
    assert "Ask a person" not in run.states


@pytest.mark.parametrize(
    "state", ["Note what was repaired", "Note that it is on probation", "Close the incident"]
)
def test_that_data_is_in_doubt_is_said_with_how_old_the_newest_heartbeat_is(state: str) -> None:
    outcome = told(state, IN_DOUBT)["Payload"]["outcome"]

    assert "nothing else served, data in doubt: us-east-1's newest heartbeat is too old" in outcome
    assert "(newest heartbeat 312 s old)" in outcome
    assert "not all of it could be compared" in outcome


def test_a_person_is_asked_all_the_same_where_one_always_is() -> None:
    asked = held("DRAINED", approval="always")

    run = alone(Claim_the_incident=asked, Ask_a_person=[Throw("Refused")])

    assert run.output["what"] == "stays drained"


def test_its_replica_is_waited_for_once_another_region_serves_again() -> None:
    behind, arrived = (says(caught_up=known, lag_ms=1, why="")[0] for known in (False, True))

    run = alone(
        See_whether_it_is_still_stable=stability(),
        See_whether_its_replica_still_keeps_up=[behind, behind, arrived],
    )

    assert run.states.count("Wait until it keeps up") == 2
    assert run.output["what"] == "recovered"


def test_the_only_region_that_may_work_is_not_drained_from_probation() -> None:
    for found in (
        stability(stable=False, others=[]),
        stability(stable=False, bad=True, others=[]),
        [Throw("Boom")],
    ):
        run = recovery(Watch_it_on_probation=found)

        assert "Back out by the gate" not in run.states
        assert run.waited_s >= Policy().probation_s + Policy().stability_deadline_s
        assert run.states[-2:] == ["Tell a person", "End as failed"]
        assert run.error == "NoOtherRegion"


def test_nor_while_traffic_returns() -> None:
    away = says(done=False, dns_moved=False, traffic_moved=False)
    bad = stability(stable=False, bad=True, others=[])

    run = recovery(
        Watch_traffic_return=away,
        Watch_it_while_traffic_returns=bad,
        Watch_it_on_probation=stability(),
    )

    assert "Back out by the gate" not in run.states
    assert run.waited_s >= Policy().traffic_deadline_s


def test_it_goes_out_again_once_another_region_is_able() -> None:
    bad = [*stability(stable=False, bad=True, others=[])] * 3
    able = stability(stable=False, bad=True)

    run = recovery(Watch_it_on_probation=[*bad, *able])

    assert run.states.count("Wait on probation") == 3
    assert run.output["what"] == "backed out"


# -- by force --------------------------------------------------------------------------------


def forced(plane: ControlPlane, name: str = "order", here: str = LONDON) -> Any:
    """An operator's recovery of London with mode forced."""
    given = {"region": LONDON, "mode": "forced"}
    return carry_out(plane, "recovery", given, here=here, scripted=RETURNED, name=name)


def test_a_forced_recovery_asks_nothing_and_says_so(warm_plane: ControlPlane) -> None:
    drain = warm_plane.drained(mode="automatic")

    execution = forced(warm_plane)  # nobody votes

    assert execution.output["what"] == "recovered", execution.output
    assert warm_plane.state() == "SERVING"
    assert not warm_plane.marked()
    steps = warm_plane.incident(drain["incident"])["steps"]
    assert any("by order of an operator (forced)" in step["outcome"] for step in steps)
    visited = execution.history.states()
    assert "See whether it is stable" not in visited
    assert "See whether its replica has caught up" not in visited


@pytest.mark.parametrize("last", ["Drain by the gate", "Note that it is drained"])
def test_a_forced_recovery_undoes_a_failover_whose_holder_died_half_way(
    warm_plane: ControlPlane, last: str
) -> None:
    begun = {"region": LONDON, "mode": "forced"}
    carry_out(warm_plane, "failover", begun, dies_at=last)
    assert not warm_plane.ask_claim("early", kind="recovery", mode="forced", here=LONDON)["held"]
    warm_plane.later(RUNS_OUT_S)
    refused = warm_plane.ask_claim("plain", kind="recovery", here=LONDON)
    assert "start the recovery with mode forced" in refused["why"]

    execution = forced(warm_plane)

    assert execution.output["what"] == "recovered", execution.output
    control = warm_plane.control()
    assert (control.of(LONDON).state, control.of(LONDON).unfinished) == ("SERVING", False)
    assert [move.what for move in control.moves] == ["drain", "restore"]


# -- by itself, of what a dead Region left half done -----------------------------------------


def half_drained(plane: ControlPlane, mode: str, last: str) -> None:
    """A failover of London whose Region went down when this step was done, and whose lease ran
    out."""
    go = says(go=True, why="2 of 2", diagnosis="", reasons=[], would_change="")[0]
    go["Payload"]["checked_ms"] = plane.now
    given = {"region": LONDON, "mode": mode}
    carry_out(plane, "failover", given, scripted={"Check again": go}, dies_at=last)
    early = plane.ask_claim("early", kind="recovery", mode=mode, here=LONDON)
    assert (early["held"], "is held by" in early["why"]) == (False, True)
    plane.later(RUNS_OUT_S)


def test_a_drain_whose_holder_died_with_the_only_other_region_ends_in_a_return_by_itself(
    warm_plane: ControlPlane,
) -> None:
    half_drained(warm_plane, "automatic", "Note that it is drained")
    well = dict.fromkeys(("See whether it is stable", "See whether it is still stable"), ALONE[0])

    execution = carry_out(
        *(warm_plane, "recovery", {"region": LONDON, "mode": "automatic"}),
        here=LONDON,
        scripted={**RETURNED, **well},
    )

    assert execution.output["what"] == "recovered", execution.output
    control = warm_plane.control()
    assert (control.of(LONDON).state, control.of(LONDON).unfinished) == ("SERVING", False)
    assert not warm_plane.marked()
    assert [move.what for move in control.moves] == ["drain", "restore"]


@pytest.mark.parametrize(
    ("mode", "last"),
    [("automatic", "Drain by the gate"), ("manual", "Note that it is drained")],
    ids=["not drained yet", "drained by a person"],
)
def test_no_return_by_itself_takes_over_a_failover_that(
    warm_plane: ControlPlane, mode: str, last: str
) -> None:
    half_drained(warm_plane, mode, last)

    answer = warm_plane.ask_claim("back", kind="recovery", mode="automatic", here=LONDON)

    assert not answer["held"]
    assert "start the recovery with mode forced" in answer["why"]


# -- by force, of what others hold -----------------------------------------------------------


def test_a_forced_recovery_takes_over_a_return_that_is_held_and_no_failover_that_is(
    warm_plane: ControlPlane,
) -> None:
    warm_plane.drained(mode="automatic")
    waiting = warm_plane.claim("back", kind="recovery", mode="automatic")

    assert forced(warm_plane).output["what"] == "recovered"

    with pytest.raises(LeaseLost):
        warm_plane.record(waiting, "stood down", release=True)
    failover = warm_plane.claim("again", mode="automatic")
    refused = warm_plane.ask_claim("order", kind="recovery", mode="forced", here=LONDON)
    assert (refused["held"], failover["incident"] in refused["why"]) == (False, True)


def test_who_hears_that_it_stays_drained_though_nothing_else_may_serve_is_told_how_to_force_it(
    warm_plane: ControlPlane,
) -> None:
    warm_plane.drained()
    claimed = warm_plane.ask_claim("back", kind="recovery")
    unsure = stability(stable=False, others=[], why="not every observer calls it healthy")
    otherwise = {"Claim_the_incident": [{"Payload": claimed}], "See_whether_it_is_stable": unsure}

    (force,) = commands_in(told("Announce the outcome", otherwise)["Message"])
    warm_plane.later(Policy().lease_s + CLOCK_SKEW_MS // 1000)
    taken = pasted(warm_plane, force)

    assert (taken["held"], taken["state"]) == (True, "DRAINED")
    assert '"mode":"forced"' in str(force.given["input"])


def test_who_hears_that_it_stays_drained_while_others_serve_is_told_no_command() -> None:
    shaky = {"See_whether_it_is_stable": stability(stable=False)}

    assert commands_in(told("Announce the outcome", shaky)["Message"]) == []
