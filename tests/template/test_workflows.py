"""State machines and what they are given: placeholders, rights to call, time-outs, starts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.template.one_stack import ROOT, Stack, functions, statements, written

MACHINES = ("Observe", "Failover", "Recovery", "Drill")


def properties(name: str) -> dict[str, Any]:
    made: dict[str, Any] = written()["Resources"][f"{name}StateMachine"]["Properties"]
    return made


def text(name: str) -> str:
    return (ROOT / str(properties(name)["DefinitionUri"])).read_text()


def tasks(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every task of a definition, those inside maps and branches too."""
    if isinstance(part, Mapping):
        if part.get("Type") == "Task":
            yield part
        for inner in part.values():
            yield from tasks(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from tasks(inner)


def granted(name: str) -> dict[str, set[str]]:
    """What a machine's role may do: resources by action."""
    rights: dict[str, set[str]] = {}
    role = Stack("eu-west-1").resources[f"{name}StateMachineRole"]["Properties"]
    for statement in statements(role):
        for action in statement["Action"]:
            rights.setdefault(action, set()).update(statement["Resource"])
    return rights


@pytest.mark.parametrize("name", MACHINES)
def test_each_placeholder_is_given_and_nothing_else(name: str) -> None:
    used = set(re.findall(r"\$\{(\w+)\}", text(name)))
    assert set(properties(name)["DefinitionSubstitutions"]) == used


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_may_call_the_functions_that_it_names_and_no_others(name: str) -> None:
    called = set(re.findall(r"\$\{(\w+Function)Arn\}", text(name)))
    assert granted(name)["lambda:InvokeFunction"] == {f"<{function}.Arn>" for function in called}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_may_do_what_its_tasks_do_and_nothing_more(name: str) -> None:
    needs = {
        "lambda:invoke": "lambda:InvokeFunction",
        "sns:publish": "sns:Publish",
        "sns:publish.waitForTaskToken": "sns:Publish",
        "events:putEvents": "events:PutEvents",
        "states:startExecution": "states:StartExecution",
    }
    used = {task["Resource"].split(":::")[1] for task in tasks(json.loads(text(name)))}
    rights = {action for action in granted(name) if not action.startswith("logs:")}
    assert rights == {needs[resource] for resource in used}


def test_observe_may_start_failover_and_recovery_only() -> None:
    started = granted("Observe")["states:StartExecution"]
    assert started == {"<FailoverStateMachine>", "<RecoveryStateMachine>"}


def test_a_function_ends_before_its_workflow_gives_up_on_it() -> None:
    default = written()["Globals"]["Function"]["Timeout"]
    for machine in MACHINES:
        for task in tasks(json.loads(text(machine))):
            called = re.fullmatch(r"\$\{(\w+)Arn\}", str(task["Arguments"].get("FunctionName")))
            if called:
                timeout = functions()[called[1]].get("Timeout", default)
                assert timeout < task["TimeoutSeconds"], (machine, called[1])


def test_observe_is_express_and_what_moves_traffic_is_standard() -> None:
    kinds = {name: properties(name)["Type"] for name in MACHINES}
    assert kinds == {
        "Observe": "EXPRESS",
        "Failover": "STANDARD",
        "Recovery": "STANDARD",
        "Drill": "STANDARD",
    }


def test_observation_runs_every_minute_and_at_every_change_of_our_alarms() -> None:
    rules = Stack("eu-west-1").of_type("AWS::Events::Rule")
    each_minute = rules["ObserveStateMachineEachMinute"]
    changed = rules["ObserveStateMachineAlarmChanged"]
    assert each_minute["ScheduleExpression"] == "rate(1 minute)"
    assert changed["EventPattern"] == {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [{"prefix": "sidestep-demo-"}]},
    }
    assert "EventBusName" not in changed
    for name, rule in (("EachMinute", each_minute), ("AlarmChanged", changed)):
        (target,) = rule["Targets"]
        assert target["RoleArn"] == f"<ObserveStateMachine{name}Role.Arn>"
        assert target["Arn"] == "<ObserveStateMachine>"
        assert target["DeadLetterConfig"] == {"Arn": "<DeadLetters.Arn>"}


def test_rules_may_put_what_they_cannot_deliver_into_the_dead_letter_queue() -> None:
    policy = Stack("eu-west-1").resources["DeadLettersPolicy"]["Properties"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Queues"] == ["<DeadLetters>"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Resource"] == "<DeadLetters.Arn>"
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/*"}
    }


def test_a_ledger_entry_that_cannot_be_written_is_kept_for_people() -> None:
    ledger = Stack("eu-west-1").resources["LedgerFunction"]["Properties"]
    assert ledger["DeadLetterConfig"] == {"TargetArn": "<DeadLetters.Arn>"}
