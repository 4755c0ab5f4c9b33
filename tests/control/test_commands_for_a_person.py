"""What a person is told to paste runs as it is, and does what the message says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.policy import Policy
from tests.asl.ours import Bench
from tests.asl.scripts import Throw
from tests.asl.workflows import FOLDER, definition_of
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane
from tests.control.pasted import Command, commands_in
from tests.control.scripted_steps import FAILOVER, RECOVERY, held
from tests.control.test_records_and_drills import all_vote, drill

HELD_FOR_S = Policy().lease_s + CLOCK_SKEW_MS // 1000


def workflow_that_breaks(name: str, at: str, claimed: dict[str, Any]) -> str:
    """What a workflow with this claim sends to people when one of its steps fails for good."""
    answers = {"failover": FAILOVER, "recovery": RECOVERY}[name]
    bench = Bench(answers | {"Claim the incident": [{"Payload": claimed}], at: [Throw("Boom")]})
    bench.finish(definition_of(FOLDER / f"{name}.asl.json"), {"region": LONDON})
    (sent,) = [r for r in bench.runner.requests if r.state == "Tell a person"]
    return str(sent.arguments["Message"])


def pasted(plane: ControlPlane, command: Command, name: str = "by-hand") -> dict[str, Any]:
    """A person starts the execution of a command; its claim."""
    arn = str(command.given["stateMachineArn"]).split(":")
    assert arn[3] == command.region
    kind = arn[-1].removeprefix("sidestep-demo-")
    assert kind in ("failover", "recovery")
    given = json.loads(command.given["input"])
    return plane.ask_claim(name, kind=kind, here=command.region, **given)


def test_a_failover_that_breaks_half_way_tells_the_command_that_finishes_it(
    plane: ControlPlane,
) -> None:
    claimed = plane.ask_claim("one", here=OREGON)
    plane.invoke("gate", OREGON, claim=claimed["claim"], action="drain")
    message = workflow_that_breaks("failover", "Note that it is drained", claimed)
    drain, _ = commands_in(message)

    assert not pasted(plane, drain)["held"]
    assert f"they work {HELD_FOR_S} s after this message" in message
    plane.later(HELD_FOR_S)
    taken = pasted(plane, drain)

    assert (taken["held"], taken["state"]) == (True, "DRAINING")
    assert taken["claim"]["incident"] == claimed["claim"]["incident"]


def test_a_recovery_that_breaks_half_way_tells_the_command_that_tries_it_again(
    plane: ControlPlane,
) -> None:
    plane.drained()
    claimed = plane.ask_claim("back", kind="recovery")
    _, restore, _ = commands_in(workflow_that_breaks("recovery", "Close the incident", claimed))
    plane.later(HELD_FOR_S)

    taken = pasted(plane, restore)

    assert (taken["held"], taken["state"]) == (True, "DRAINED")


def test_a_drills_fault_that_stands_is_told_with_the_command_that_removes_it(
    plane: ControlPlane,
) -> None:
    all_vote(plane)
    ready = plane.invoke("drill", action="preflight", drill=drill(started=plane.now))
    plane.invoke("drill", action="inject", drill=drill(started=plane.now))
    bench = Bench(
        {
            "See whether a drill may run": [{"Payload": ready}],
            "Inject the fault": [Throw("Boom")],
            "Remove the fault in any case": [Throw("Boom")],
            "Tell a person that the fault stands": [{"MessageId": "m"}],
        }
    )
    bench.finish(definition_of(FOLDER / "drill.asl.json"), {"region": LONDON})
    (command,) = commands_in(str(bench.runner.requests[-1].arguments["Message"]))

    getattr(plane.dynamodb[command.region], command.operation)(**command.given)

    assert plane.get("regional", "fault", "health", LONDON) is None


@pytest.mark.parametrize(
    ("which", "what"), [(0, "recovered"), (1, "stays drained")], ids=["agree", "refuse"]
)
def test_who_is_asked_for_agreement_answers_with_a_command_of_the_question(
    which: int, what: str
) -> None:
    bench = Bench(RECOVERY | {"Claim the incident": held("DRAINED", approval="always")})

    def answer() -> None:
        (asked,) = [r for r in bench.runner.requests if r.state == "Ask a person"]
        command = commands_in(str(asked.arguments["Message"]))[which]
        given, tokens = command.given, bench.world.tokens
        if command.operation == "send_task_success":
            tokens.send_task_success(given["taskToken"], given["output"])
        else:
            assert command.operation == "send_task_failure"
            tokens.send_task_failure(given["taskToken"], given["error"], "")

    bench.at(600, answer)
    run = bench.finish(definition_of(FOLDER / "recovery.asl.json"), {"region": LONDON})

    assert run.output["what"] == what


@pytest.mark.parametrize("here", [VIRGINIA, OREGON])
def test_commands_name_the_region_in_which_the_workflow_runs(
    plane: ControlPlane, here: str
) -> None:
    given = plane.ask_claim("one", here=here)

    assert {c.region for c in commands_in("\n".join(given["commands"]))} == {here}
