"""Each role may do what its function does, to what it does it to, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template.one_stack import Stack, functions, statements

WITHOUT_RESOURCE_LEVEL = {
    # Service authorization reference, Amazon CloudWatch: GetMetricData takes no resource.
    "cloudwatch:GetMetricData",
    # Step Functions developer guide, "Using CloudWatch Logs to log execution history".
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
OWN = {"probe#eu-west-2", "canary#eu-west-2"}
"""This Region's alone: a flood of one heats no other Region's."""
KINDS_OF_ITEMS = {*OWN, "fault", "drained", "heartbeat", "message#*", "ledger#*"}
ROLES = Stack("eu-west-2").of_type("AWS::IAM::Role")


def rights(function: str) -> list[tuple[str, str, str]]:
    """(action, table or resource, Region) of a function's role."""
    found = []
    for statement in statements(ROLES[f"{function}Role"]):
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                table = re.search(r"table/sidestep-demo-(.+)|<(\w+)", resource)
                region = resource.split(":")[3] if resource.startswith("arn:") else "eu-west-2"
                name = (table[1] or table[2]) if table else resource
                found.append((action, name, region))
    return found


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_do_everything(role: str) -> None:
    for statement in statements(ROLES[role]):
        assert not [action for action in statement["Action"] if "*" in action]
        assert "NotAction" not in statement
        assert "NotResource" not in statement


@pytest.mark.parametrize("role", ROLES)
def test_a_role_names_its_resources_unless_aws_has_no_names_for_them(role: str) -> None:
    for statement in statements(ROLES[role]):
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= WITHOUT_RESOURCE_LEVEL


@pytest.mark.parametrize("function", functions())
def test_each_function_has_a_role_of_its_own(function: str) -> None:
    made = Stack("eu-west-2").resources[function]["Properties"]
    assert made["Role"] == f"<{function}Role.Arn>"


@pytest.mark.parametrize("function", functions())
def test_item_rights_on_shared_tables_are_for_one_kind_of_item(function: str) -> None:
    for statement in statements(ROLES[f"{function}Role"]):
        shared = [r for r in statement["Resource"] if re.search(r"-(data|regional)$|Regional", r)]
        if not shared:
            continue
        (condition,) = statement["Condition"].values()
        (keys,) = condition.values()
        assert set(keys) <= KINDS_OF_ITEMS
        assert set(statement["Condition"]) <= {
            "ForAllValues:StringEquals",
            "ForAllValues:StringLike",
        }


@pytest.mark.parametrize(
    "function",
    ["WriteFunction", "HistoryFunction", "HealthFunction", "DrainedFunction", "LedgerFunction"],
)
def test_the_data_plane_reaches_nothing_outside_its_region_and_no_coordination(
    function: str,
) -> None:
    for _, name, region in rights(function):
        assert region == "eu-west-2"
        assert name != "coordination"


def test_looking_at_a_region_needs_no_rights_at_all() -> None:
    assert rights("ProbeFunction") == []


def test_only_the_toggle_may_touch_health_checks() -> None:
    able = [f for f in functions() if any(a.startswith("route53:") for a, _, _ in rights(f))]
    assert able == ["ToggleFunction"]


def test_only_the_gate_and_who_clears_its_own_marks_may_mark_in_other_regions() -> None:
    able = [
        (function, name)
        for function in functions()
        for action, name, region in rights(function)
        if action == "dynamodb:UpdateItem" and name == "regional" and region != "eu-west-2"
    ]
    assert sorted(able) == [("GateFunction", "regional"), ("VoteFunction", "regional")]


def test_nobody_may_delete_a_message_or_a_mark() -> None:
    able = [
        (function, name)
        for function in functions()
        for action, name, _ in rights(function)
        if "Delete" in action and action.startswith("dynamodb:")
    ]
    assert able == [("DrillFunction", "regional")]


def test_only_write_and_repair_may_put_messages() -> None:
    def puts_messages(statement: dict[str, Any]) -> bool:
        keys = str(statement.get("Condition", ""))
        return "dynamodb:PutItem" in statement["Action"] and "message#*" in keys

    able = {f for f in functions() if any(map(puts_messages, statements(ROLES[f"{f}Role"])))}
    assert able == {"WriteFunction", "RepairFunction"}
