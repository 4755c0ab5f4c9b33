"""template.yaml holds to docs/architecture.md: names, handlers, parameters, environment, keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.template.one_stack import ROOT, Stack, functions, written

CONTRACT = (ROOT / "docs" / "architecture.md").read_text()
HANDLERS: dict[str, str] = dict(
    re.findall(r"^\| (\w+Function) \| (sidestep\.[\w.]+) \|", CONTRACT, flags=re.MULTILINE)
)


def section(heading: str) -> str:
    return CONTRACT.split(f"## {heading}\n")[1].split("\n## ")[0]


def source(handler: str) -> Path:
    return ROOT / "functions" / Path(*handler.split(".")[:-1]).with_suffix(".py")


def test_the_functions_are_those_of_the_contract_and_no_others() -> None:
    assert len(HANDLERS) == 20
    assert {name: made["Handler"] for name, made in functions().items()} == HANDLERS


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_is_named_after_its_handlers_module(name: str) -> None:
    short = HANDLERS[name].split(".")[-2]
    made = Stack("eu-west-1").resources[name]["Properties"]
    assert source(HANDLERS[name]).is_file()
    assert made["FunctionName"] == f"sidestep-demo-{short}"
    assert made["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == short
    assert (made["Runtime"], made["Architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_is_told_all_that_its_handler_asks_of_the_environment(name: str) -> None:
    given = Stack("eu-west-1").resources[name]["Properties"]["Environment"]["Variables"]
    everywhere = re.findall(r"`(SIDESTEP_\w+)`", section("Environment").split("Where needed")[0])
    asked = re.search(r"from_environment\(([^)]*)\)", source(HANDLERS[name]).read_text())
    assert asked is not None
    wanted = {*everywhere, *re.findall(r'"(\w+)"', asked[1])}
    assert wanted <= set(given)
    assert given["POWERTOOLS_METRICS_NAMESPACE"] == "Sidestep"


def test_the_observer_knows_what_it_registers_of_its_region() -> None:
    given = Stack("eu-west-1").resources["VoteFunction"]["Properties"]["Environment"]["Variables"]
    assert given["SIDESTEP_CHECK_ID"] == "<RegionCheck>"
    assert {"SIDESTEP_API_ID", "SIDESTEP_CLIENT_SUBNET"} <= set(given)


def test_no_function_sets_a_variable_that_the_contract_does_not_name() -> None:
    named = set(re.findall(r"`((?:SIDESTEP|POWERTOOLS)_\w+)", section("Environment")))
    for name in functions():
        given = Stack("eu-west-1").resources[name]["Properties"]["Environment"]["Variables"]
        assert set(given) <= named, name


def test_the_parameters_are_those_of_the_contract() -> None:
    words = section("Template parameters").split("Names:")[0]
    assert set(written()["Parameters"]) == set(re.findall(r"`([A-Z]\w+)`", words))


@pytest.mark.parametrize(
    ("resource", "attribute", "name"),
    [
        ("DataTable", "TableName", "sidestep-demo-data"),
        ("RegionalTable", "TableName", "sidestep-demo-regional"),
        ("CoordinationTable", "TableName", "sidestep-demo-coordination"),
        ("Bus", "Name", "sidestep-demo"),
        ("ObserveStateMachine", "StateMachineName", "sidestep-demo-observe"),
        ("FailoverStateMachine", "StateMachineName", "sidestep-demo-failover"),
        ("RecoveryStateMachine", "StateMachineName", "sidestep-demo-recovery"),
        ("DrillStateMachine", "StateMachineName", "sidestep-demo-drill"),
    ],
)
def test_names_are_those_that_other_regions_reckon_with(
    resource: str, attribute: str, name: str
) -> None:
    assert Stack("eu-west-1").resources[resource]["Properties"][attribute] == name


@pytest.mark.parametrize("table", ["DataTable", "RegionalTable", "CoordinationTable"])
def test_every_table_has_the_contracts_keys(table: str) -> None:
    keys = Stack("eu-west-1").resources[table]["Properties"]["KeySchema"]
    assert [(key["AttributeName"], key["KeyType"]) for key in keys] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]


def test_history_is_an_index_of_whole_items_and_the_ledger_expires() -> None:
    made = Stack("eu-west-1").resources
    (index,) = made["DataTable"]["Properties"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "history"
    assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
        ("history_pk", "HASH"),
        ("history_sk", "RANGE"),
    ]
    assert index["Projection"] == {"ProjectionType": "ALL"}
    expiry = made["RegionalTable"]["Properties"]["TimeToLiveSpecification"]
    assert expiry == {"AttributeName": "expires_at", "Enabled": True}


def test_the_routes_are_those_of_the_contract() -> None:
    routes = set()
    for made in functions().values():
        for event in made.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                routes.add(f"{event['Properties']['Method']} {event['Properties']['Path']}")
    asked = re.findall(r"`((?:GET|POST) /[\w/{}]+)", section("Lambda functions"))
    assert routes == set(asked)


@pytest.mark.parametrize(
    ("name", "seconds"),
    re.findall(
        r"(\w+) ([\d.]+) s",
        "".join(re.findall(r"least time-out in the template: (.*?reemit)", CONTRACT)),
    ),
)
def test_a_data_plane_function_has_time_for_its_slowest_failure(name: str, seconds: str) -> None:
    made: dict[str, Any] = Stack("eu-west-1").resources[f"{name.title()}Function"]["Properties"]
    assert made["Timeout"] > float(seconds)


def test_the_queue_hides_an_event_for_six_times_its_consumers_time_out() -> None:
    made = Stack("eu-west-1").resources
    timeout = made["ReemitFunction"]["Properties"]["Timeout"]
    mapping = made["ReemitUnsent"]["Properties"]
    assert made["UnsentEvents"]["Properties"]["VisibilityTimeout"] >= 6 * timeout
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert timeout >= 3 * mapping["BatchSize"]
