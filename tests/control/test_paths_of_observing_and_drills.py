"""Rounds that go on whatever fails, starts that lead to one execution, faults that are removed."""

from __future__ import annotations

from typing import Any

from sidestep.control._awake import WAKE
from sidestep.core.decide import TOGGLE
from tests.asl.ours import Bench
from tests.asl.scripts import Throw
from tests.asl.workflows import FOLDER, definition_of

SCHEDULED = {"detail-type": "Scheduled Event", "source": "aws.events"}
ALARM = {"detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch"}
EXISTS = Throw("StepFunctions.ExecutionAlreadyExistsException")
SERVES = {"state": "SERVING", "settled": True, "incident": "", "epoch": 0, "at": 1}
DRAINED = SERVES | {"state": "DRAINED", "incident": "demo-eu-west-2-1", "epoch": 1}


def due(workflow: str = "failover") -> list[Any]:
    """A vote that finds one thing due."""
    given = {"application": "demo", "region": "eu-west-2", "mode": "automatic", "incident": "i"}
    more = {"diagnosis": "health_failing", "reasons": ["503 in 81 ms"]}
    one = {"workflow": workflow, "name": "demo-eu-west-2-1", "input": given | more}
    return [{"Payload": {"decisions": [], "due": [one]}}]


class Observed:
    """One execution of observe, run to its end."""

    def __init__(self, given: Any, **changed: list[Any]) -> None:
        answers: dict[str, list[Any]] = {
            "Look at the Region": [{"Payload": {"region": "r", "reached": True, "status": 200}}],
            "Cast the vote and decide": [{"Payload": {"decisions": [], "due": []}}],
            "Start the workflow": [{"ExecutionArn": "arn"}],
            "Start it again under another name": [{"ExecutionArn": "arn"}],
            "Put the toggle right": [{"Payload": {"set": True}}],
            "Tell a person": [{"MessageId": "m"}],
            "Wake a step": [{"StatusCode": 202}],
        }
        answers |= {name.replace("_", " "): answer for name, answer in changed.items()}
        self.bench = Bench(answers)
        definition = definition_of(FOLDER / "observe.asl.json")
        self.execution = self.bench.finish(definition, given, express=True)

    def asked(self, state: str) -> list[dict[str, Any]]:
        """The arguments of a state's Tasks."""
        return [dict(r.arguments) for r in self.bench.runner.requests if r.state == state]


def test_the_schedule_looks_six_times_ten_seconds_apart() -> None:
    run = Observed(SCHEDULED)

    assert len(run.asked("Cast the vote and decide")) == 6
    assert run.bench.env.now == 50


def test_an_alarm_looks_once_and_at_once() -> None:
    run = Observed(ALARM)

    assert len(run.asked("Cast the vote and decide")) == 1


def test_looks_stay_ten_seconds_apart_however_long_each_takes() -> None:
    vote: list[Any] = [{"Payload": {"decisions": [], "due": []}}]
    look: list[Any] = [{"Payload": {"region": "r", "reached": True, "status": 200}}]
    bench = Bench({"Look at the Region": look, "Cast the vote and decide": vote})
    bench.runner.takes_s = {"Look at the Region": 2.0, "Cast the vote and decide": 1.5}

    bench.finish(definition_of(FOLDER / "observe.asl.json"), SCHEDULED, express=True)

    votes = [r for r in bench.runner.requests if r.state == "Cast the vote and decide"]
    assert (len(votes), bench.env.now) == (6, 53.5)


def test_doubt_makes_the_next_looks_closer_ones_and_several_at_once_until_the_minute_ends() -> None:
    regions = [f"r{n}" for n in range(2)]
    own = {"canaries": False}
    sure = [{"region": region, "closer": False, **own} for region in regions]
    doubt = [{"region": region, "closer": True, **own} for region in regions for _ in range(3)]
    said = [{"Payload": {"decisions": [], "due": [], "looks": looks}} for looks in (doubt, sure)]
    run = Observed(SCHEDULED, Cast_the_vote_and_decide=said)

    asked = [one["Payload"] for one in run.asked("Look at the Region")]
    first = next(n for n, one in enumerate(asked) if one["closer"])
    assert all(not one["closer"] and isinstance(one["region"], str) for one in asked[:first])
    assert len({one["region"] for one in asked[:first]}) == first >= 2
    assert asked[first:] == [*doubt, *sure * 4]


def test_a_round_that_fails_does_not_end_the_rounds() -> None:
    run = Observed(SCHEDULED, Cast_the_vote_and_decide=[Throw("CoordinationUnavailable")])

    assert run.execution.status == "SUCCEEDED"
    assert run.bench.env.now >= 50


def test_a_vote_that_no_coordination_region_took_is_not_cast_again_before_the_next_look() -> None:
    run = Observed(SCHEDULED, Cast_the_vote_and_decide=[Throw("CoordinationUnavailable")])

    assert len(run.asked("Cast the vote and decide")) == 6


def test_a_probe_that_could_not_be_made_is_no_evidence() -> None:
    run = Observed(ALARM, Look_at_the_Region=[Throw("Sandbox.Timedout")])

    probes = run.asked("Cast the vote and decide")[0]["Payload"]["probes"]
    assert {(p["reached"], p["looked"]) for p in probes} == {(False, False)}


def test_a_start_says_nothing_that_differs_between_rounds() -> None:
    run = Observed(ALARM, Cast_the_vote_and_decide=due())

    started = run.asked("Start the workflow")[0]
    assert started["Name"] == "demo-eu-west-2-1"
    assert set(started["Input"]) == {"application", "region", "mode", "incident"}


def test_a_name_that_is_used_up_is_started_again_under_another() -> None:
    run = Observed(ALARM, Cast_the_vote_and_decide=due(), Start_the_workflow=[EXISTS])

    (again,) = run.asked("Start it again under another name")
    assert again["Name"].startswith("demo-eu-west-2-1-2026")
    assert again["Input"]["incident"] == "i"


def test_what_cannot_be_started_now_is_left_to_the_next_round() -> None:
    run = Observed(
        ALARM,
        Cast_the_vote_and_decide=due(),
        Start_the_workflow=[EXISTS],
        Start_it_again_under_another_name=[EXISTS],
    )

    assert run.execution.status == "SUCCEEDED"


def test_each_kind_of_work_goes_to_its_own_machine() -> None:
    machines = {
        kind: Observed(ALARM, Cast_the_vote_and_decide=due(kind)).asked("Start the workflow")
        for kind in ("failover", "recovery", TOGGLE)
    }

    assert "Failover" in machines["failover"][0]["StateMachineArn"]
    assert "Recovery" in machines["recovery"][0]["StateMachineArn"]
    assert machines[TOGGLE] == []


TO_TELL = [{"subject": "Sidestep needs you: eu-west-2", "message": "To drain it: aws …"}]


def half_done_too() -> list[Any]:
    """A vote that finds one thing due, and another half done that a person has to hear of."""
    (vote,) = due()
    return [{"Payload": vote["Payload"] | {"tell": TO_TELL}}]


def test_people_are_told_once_what_is_due_has_been_started() -> None:
    run = Observed(ALARM, Cast_the_vote_and_decide=half_done_too())

    entered = [r.state for r in run.bench.runner.requests]
    (told,) = run.asked("Tell a person")
    assert entered.index("Start the workflow") < entered.index("Tell a person")
    assert {"subject": told["Subject"], "message": told["Message"]} == TO_TELL[0]
    assert "Alerts" in told["TopicArn"]


def test_a_message_that_cannot_be_sent_does_not_end_the_rounds() -> None:
    run = Observed(
        SCHEDULED, Cast_the_vote_and_decide=half_done_too(), Tell_a_person=[Throw("Boom")]
    )

    assert run.execution.status == "SUCCEEDED"
    assert len(run.asked("Cast the vote and decide")) == 6


def suspicion() -> list[Any]:
    """A vote that finds one thing due, a message waiting, and a failover near."""
    (vote,) = half_done_too()
    return [{"Payload": vote["Payload"] | {"wake": True}}]


def test_a_suspicion_wakes_the_functions_of_a_failover_until_its_switches_are_set() -> None:
    run = Observed(ALARM, Cast_the_vote_and_decide=suspicion())

    woken = run.asked("Wake a step")
    assert {one["FunctionName"] for one in woken} == set(functions_until_switched())
    assert len(woken) == len(functions_until_switched())
    assert all((one["InvocationType"], one["Payload"]) == ("Event", WAKE) for one in woken)


def functions_until_switched() -> list[str]:
    """What an automatic failover's steps invoke, from its start to its second switch."""
    states = definition_of(FOLDER / "failover.asl.json")["States"]
    steps = ["Claim the incident", "Check again", "Drain by the gate", "Flip the toggle"]
    then = [states[step]["Next"] for step in steps[:-1]]
    assert then[0] == "See whether it is ours"
    assert then[1] == "Decide whether to go on"
    assert then[2] == steps[3]
    return [states[step]["Arguments"]["FunctionName"] for step in steps]


def test_nothing_is_woken_while_nobody_suspects_anything() -> None:
    run = Observed(SCHEDULED, Cast_the_vote_and_decide=half_done_too())

    assert run.asked("Wake a step") == []


def test_what_is_due_is_started_before_anything_is_woken_and_people_are_told_after() -> None:
    run = Observed(ALARM, Cast_the_vote_and_decide=suspicion())

    entered = [r.state for r in run.bench.runner.requests]
    at = [entered.index(s) for s in ("Start the workflow", "Wake a step", "Tell a person")]
    assert at == sorted(at)


def test_what_cannot_be_woken_delays_neither_people_nor_the_next_look() -> None:
    run = Observed(
        SCHEDULED, Cast_the_vote_and_decide=suspicion(), Wake_a_step=[Throw("States.Timeout")]
    )

    assert run.execution.status == "SUCCEEDED"
    assert len(run.asked("Cast the vote and decide")) == len(run.asked("Tell a person")) == 6


def drill(**changed: list[Any]) -> Any:
    """A drill in which these steps go otherwise; the execution and the states it entered."""
    answers: dict[str, list[Any]] = {
        "See whether a drill may run": [{"Payload": READY}],
        "Inject the fault": [{"Payload": {"until": NOW_MS + 600_000, "at": NOW_MS}}],
        "Watch the automatic path drain it": [watched(DRAINED)],
        "Remove the fault": [{"Payload": {"healed": True, "at": NOW_MS}}],
        "Watch the automatic path bring it back": [watched(SERVES)],
        "Remove the fault in any case": [{"Payload": {"healed": True, "at": NOW_MS}}],
        "Tell a person that the fault stands": [{"MessageId": "m"}],
    }
    answers |= {name.replace("_", " "): answer for name, answer in changed.items()}
    bench = Bench(answers)
    return bench.finish(definition_of(FOLDER / "drill.asl.json"), {"region": "eu-west-2"})


def watched(state: dict[str, Any], real: tuple[str, ...] = ()) -> Any:
    """What a watch sees."""
    return {"Payload": state | {"real_incident": list(real), "at": NOW_MS}}


NOW_MS = 1_767_225_600_000
READY = {"ok": True, "epoch": 0, "command": "aws …", "at": NOW_MS}


def test_a_drill_breaks_watches_heals_and_reports() -> None:
    run = drill()

    assert run.status == "SUCCEEDED"
    assert run.output["incident"] == "demo-eu-west-2-1"


def test_a_drill_that_nothing_drains_heals_and_fails() -> None:
    run = drill(Watch_the_automatic_path_drain_it=[watched(SERVES)])

    assert run.error == "NotDrained"
    assert "Remove the fault in any case" in run.history.states()


def test_a_real_incident_ends_the_drill_at_once() -> None:
    run = drill(Watch_the_automatic_path_drain_it=[watched(SERVES, ("us-east-1 is DRAINING",))])

    assert run.error == "RealIncident"
    assert "us-east-1 is DRAINING" in run.cause
    assert "Remove the fault in any case" in run.history.states()


def test_a_fault_whose_injection_is_in_doubt_is_removed() -> None:
    run = drill(Inject_the_fault=[Throw("Unreachable")])

    assert run.status == "FAILED"
    assert "Remove the fault in any case" in run.history.states()


def test_a_fault_that_cannot_be_removed_is_told_with_its_end() -> None:
    run = drill(
        Inject_the_fault=[Throw("Boom")], Remove_the_fault_in_any_case=[Throw("Unreachable")]
    )

    assert "Tell a person that the fault stands" in run.history.states()
    assert run.error == "Boom"


def test_a_drill_that_is_refused_breaks_nothing() -> None:
    run = drill(See_whether_a_drill_may_run=[Throw("Refused", "paused by ada")])

    assert (run.error, run.cause) == ("Refused", "paused by ada")
    assert "Inject the fault" not in run.history.states()
