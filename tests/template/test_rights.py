"""Who may do what: every right in the template, neither one more nor one less.

A right that is missing here breaks its function on AWS; one that is not listed should not be there.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template.one_stack import Stack, functions, statements

HERE = "eu-west-2"
ROLES = Stack(HERE).of_type("AWS::IAM::Role")
COORDINATION = "coordination, any Region"
LEASE = {"dynamodb:GetItem", "dynamodb:UpdateItem"}
"""Every step with a claim reads and renews its lease."""

FUNCTIONS: dict[str, dict[str, set[str]]] = {
    # -- data plane: this Region only
    "WriteFunction": {
        "data, here: message#* canary#eu-west-2": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "<Bus.Arn>": {"events:PutEvents"},
        "<UnsentEvents.Arn>": {"sqs:SendMessage"},
    },
    "HistoryFunction": {"data/index/history, here": {"dynamodb:Query"}},
    "HealthFunction": {
        "data, here: probe#eu-west-2": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "regional, here: fault": {"dynamodb:GetItem"},
    },
    "DrainedFunction": {"regional, here: drained": {"dynamodb:GetItem"}},
    "LedgerFunction": {
        "regional, here: ledger#*": {"dynamodb:PutItem"},
        "<DeadLetters.Arn>": {"sqs:SendMessage"},
    },
    "ReemitFunction": {
        "<Bus.Arn>": {"events:PutEvents"},
        "<UnsentEvents.Arn>": {
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        },
    },
    "ReplicatedFunction": {
        "data/stream/*, here": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        "<DeadLetters.Arn>": {"sqs:SendMessage"},
    },
    # -- observation and decision
    "ProbeFunction": {},
    "VoteFunction": {
        "data, here: heartbeat": {"dynamodb:PutItem", "dynamodb:Query"},
        "regional, any Region: drained": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        COORDINATION: {"dynamodb:PutItem", "dynamodb:Query"},
        f"arn:aws:cloudwatch:{HERE}:111122223333:alarm:*": {"cloudwatch:DescribeAlarms"},
    },
    # -- action: the coordination table through any of its Regions
    "ClaimFunction": {COORDINATION: {*LEASE, "dynamodb:PutItem"}},
    "RecheckFunction": {COORDINATION: {*LEASE, "dynamodb:Query"}},
    "StabilityFunction": {COORDINATION: {*LEASE, "dynamodb:Query"}},
    "RecordFunction": {COORDINATION: LEASE},
    "GateFunction": {
        COORDINATION: LEASE,
        "regional, any Region: drained": {"dynamodb:UpdateItem"},
    },
    "ToggleFunction": {
        COORDINATION: LEASE,
        "arn:aws:route53:::healthcheck/*": {"route53:GetHealthCheck", "route53:UpdateHealthCheck"},
    },
    "TrafficFunction": {COORDINATION: LEASE, "*": {"cloudwatch:GetMetricData"}},
    "ReplicationFunction": {
        COORDINATION: LEASE,
        "data, any Region: heartbeat": {"dynamodb:Query"},
    },
    "AssessFunction": {
        COORDINATION: LEASE,
        "data, any Region: heartbeat": {"dynamodb:Query"},
        "data, any Region: message#*": {"dynamodb:BatchGetItem"},
        "data/index/history, any Region": {"dynamodb:Query"},
        "regional, any Region: ledger#*": {"dynamodb:Query"},
    },
    "RepairFunction": {
        COORDINATION: LEASE,
        "data, any Region: message#*": {"dynamodb:BatchGetItem", "dynamodb:PutItem"},
        "data/index/history, any Region": {"dynamodb:Query"},
        "regional, any Region: ledger#*": {"dynamodb:Query"},
    },
    "DrillFunction": {
        COORDINATION: {"dynamodb:GetItem"},
        "regional, any Region: fault": {
            *("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"),
        },
    },
}
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
"""What Step Functions asks of a machine that logs (developer guide, "Using CloudWatch Logs to
log execution history")."""


def where(resource: str) -> str:
    """A resource in the words of the tables above."""
    if resource == "<RegionalTable.Arn>":
        return "regional, here"
    found = re.fullmatch(
        r"arn:aws:dynamodb:([\w*-]+):111122223333:table/sidestep-demo-(.+)", resource
    )
    if not found:
        return resource
    return f"{found[2]}, {'any Region' if found[1] == '*' else 'here'}"


def items(statement: dict[str, Any]) -> str:
    """The kinds of items that a statement is limited to."""
    kinds = [kind for test in statement.get("Condition", {}).values() for kind in test.values()]
    return f": {' '.join(*kinds)}" if kinds else ""


def rights(role: str) -> dict[str, set[str]]:
    """What a role may do, by where."""
    held: dict[str, set[str]] = {}
    for statement in statements(ROLES[role]):
        for resource in statement["Resource"]:
            to = where(resource) + items(statement)
            held.setdefault(to, set()).update(statement["Action"])
    return held


def test_every_function_is_listed() -> None:
    assert set(FUNCTIONS) == set(functions())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_just_this(function: str) -> None:
    assert rights(f"{function}Role") == FUNCTIONS[function]


@pytest.mark.parametrize("name", ["Observe", "Failover", "Recovery", "Drill"])
def test_a_machine_may_have_its_log_delivered(name: str) -> None:
    assert rights(f"{name}StateMachineRole")["*"] == LOG_DELIVERY


@pytest.mark.parametrize("name", ["Observe", "Failover", "Recovery", "Drill"])
def test_a_machine_tells_people_through_our_topic_only(name: str) -> None:
    assert rights(f"{name}StateMachineRole")["<Alerts>"] == {"sns:Publish"}


@pytest.mark.parametrize("name", ["Failover", "Recovery"])
def test_what_moves_traffic_is_announced_on_our_bus_only(name: str) -> None:
    assert rights(f"{name}StateMachineRole")["<Bus.Arn>"] == {"events:PutEvents"}


@pytest.mark.parametrize("trigger", ["EachMinute", "AlarmChanged"])
def test_a_trigger_may_start_observation_and_nothing_else(trigger: str) -> None:
    role = f"ObserveStateMachine{trigger}Role"
    assert rights(role) == {"<ObserveStateMachine>": {"states:StartExecution"}}


def test_forwarding_rules_may_put_events_on_our_buses_and_nowhere_else() -> None:
    bus = "arn:aws:events:*:111122223333:event-bus/sidestep-demo"
    assert rights("ForwardRole") == {bus: {"events:PutEvents"}}


@pytest.mark.parametrize(
    ("role", "service"),
    [
        *((f"{function}Role", "lambda") for function in FUNCTIONS),
        *((f"{name}StateMachineRole", "states") for name in ("Observe", "Failover", "Recovery")),
        ("DrillStateMachineRole", "states"),
        ("ForwardRole", "events"),
        ("ObserveStateMachineEachMinuteRole", "events"),
        ("ObserveStateMachineAlarmChangedRole", "events"),
    ],
)
def test_a_role_is_for_its_own_service(role: str, service: str) -> None:
    (trust,) = ROLES[role]["AssumeRolePolicyDocument"]["Statement"]
    principals = trust["Principal"]["Service"]
    assert principals in (f"{service}.amazonaws.com", [f"{service}.amazonaws.com"])
    assert trust["Action"] in ("sts:AssumeRole", ["sts:AssumeRole"])


def test_the_only_managed_rights_are_to_log_and_to_trace() -> None:
    """SAM adds these. Traces have no resource level; logs could name their group, but only with
    a hand-written role a function, and what they allow is writing log lines."""
    managed = {
        name: {arn.split("/")[-1] for arn in role.get("ManagedPolicyArns", [])}
        for name, role in ROLES.items()
    }
    to_trace = {f"{name}StateMachineRole" for name in ("Observe", "Failover", "Recovery", "Drill")}
    to_log_and_trace = {f"{function}Role" for function in FUNCTIONS}
    assert managed == {
        name: ({"AWSXrayWriteOnlyAccess"} if name in to_trace | to_log_and_trace else set())
        | ({"AWSLambdaBasicExecutionRole"} if name in to_log_and_trace else set())
        for name in ROLES
    }
