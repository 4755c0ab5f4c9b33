"""The HTTP API and its names: what a client and a health checker meet in each Region."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sidestep.core.canaries import AT_ONCE, CANARIES, CLOSER, READ, WRITE
from tests.template.one_stack import Stack, functions

HERE = "eu-west-2"
MOST_REGIONS, WRITE_UNITS_OF_A_PARTITION = 5, 1000
"""What `Regions` may name, and what one partition takes in a second
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html)."""
GUARDED, REGIONAL = "api.example.com", f"{HERE}.api.example.com"


def made(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = Stack(HERE).resources[name]["Properties"]
    return properties


@pytest.mark.parametrize(
    ("method", "path", "function", "event"),
    [
        ("post", "/messages", "WriteFunction", "Route"),
        ("post", "/canary", "WriteFunction", "Canary"),
        ("get", "/history", "HistoryFunction", "Route"),
        ("get", "/canary", "HistoryFunction", "Canary"),
        ("get", "/health", "HealthFunction", "Route"),
        ("get", "/drained/{region}", "DrainedFunction", "Route"),
    ],
)
def test_a_route_calls_its_function_and_may(
    method: str, path: str, function: str, event: str
) -> None:
    integration = made("Api")["Body"]["paths"][path][method]["x-amazon-apigateway-integration"]
    may = made(f"{function}{event}Permission")
    assert integration["uri"].endswith(f"/functions/<{function}.Arn>/invocations")
    assert integration["payloadFormatVersion"] == "2.0"
    assert (may["FunctionName"], may["Principal"]) == (
        f"<{function}>",
        "apigateway.amazonaws.com",
    )
    assert may["SourceArn"].startswith(f"arn:aws:execute-api:{HERE}:111122223333:<Api>/*/")


def test_the_api_answers_by_our_names_only() -> None:
    (server,) = made("Api")["Body"]["servers"]
    endpoint = server["x-amazon-apigateway-endpoint-configuration"]
    assert endpoint == {"disableExecuteApiEndpoint": True}


@pytest.mark.parametrize(
    ("name", "mapping", "host"),
    [
        ("GlobalName", "GlobalMapping", GUARDED),
        ("RegionalName", "RegionalMapping", REGIONAL),
    ],
)
def test_both_names_lead_to_the_one_stage(name: str, mapping: str, host: str) -> None:
    (configuration,) = made(name)["DomainNameConfigurations"]
    assert made(name)["DomainName"] == host
    assert configuration == {
        "CertificateArn": "<Certificate>",
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    assert made(mapping) == {
        "DomainName": f"<{name}>",
        "ApiId": "<Api>",
        "Stage": "<ApiApiGatewayDefaultStage>",
    }
    assert made("ApiApiGatewayDefaultStage")["StageName"] == "$default"


def test_the_certificate_is_for_both_names_and_proves_itself_in_the_zone() -> None:
    certificate = made("Certificate")
    assert certificate["DomainName"] == GUARDED
    assert certificate["SubjectAlternativeNames"] == [REGIONAL]
    assert certificate["ValidationMethod"] == "DNS"
    assert certificate["DomainValidationOptions"] == [
        {"DomainName": GUARDED, "HostedZoneId": "Z1"},
        {"DomainName": REGIONAL, "HostedZoneId": "Z1"},
    ]


@pytest.mark.parametrize(
    ("record", "name"), [("LatencyRecord", "GlobalName"), ("RegionalRecord", "RegionalName")]
)
def test_a_record_is_an_alias_of_its_name_in_this_region(record: str, name: str) -> None:
    made_record = made(record)
    assert (made_record["Type"], made_record["HostedZoneId"]) == ("A", "Z1")
    assert made_record["AliasTarget"] == {
        "DNSName": f"<{name}.RegionalDomainName>",
        "HostedZoneId": f"<{name}.RegionalHostedZoneId>",
        "EvaluateTargetHealth": False,
    }


def test_each_request_leaves_a_line_that_can_be_read_by_machine() -> None:
    settings = made("ApiApiGatewayDefaultStage")["AccessLogSettings"]
    line = json.loads(settings["Format"])
    assert settings["DestinationArn"] == "<AccessLog.Arn>"
    assert {"route", "status", "latency", "ip", "id", "time"} <= set(line)


def test_the_front_door_limits_what_comes_in() -> None:
    limits = made("ApiApiGatewayDefaultStage")["DefaultRouteSettings"]
    assert limits == {"ThrottlingBurstLimit": 1000, "ThrottlingRateLimit": 2000}


def test_the_clients_routes_alone_have_metrics_of_their_own() -> None:
    stage = made("ApiApiGatewayDefaultStage")
    assert stage["StageName"] == "$default"
    assert {
        route for route, of in stage["RouteSettings"].items() if of.get("DetailedMetricsEnabled")
    } == {"POST /messages", "GET /history"}
    limits = stage["DefaultRouteSettings"]
    assert stage["RouteSettings"]["GET /history"] == {"DetailedMetricsEnabled": True, **limits}


@pytest.mark.parametrize("route", [WRITE, READ])
def test_a_canarys_route_has_room_for_all_observers_in_doubt_and_little_more(route: str) -> None:
    """Five observers look closely at a Region so many times at once, every ten seconds."""
    at_once = MOST_REGIONS * AT_ONCE * (*CANARIES, *CLOSER).count(route)
    limits = made("ApiApiGatewayDefaultStage")["RouteSettings"][route]

    assert at_once <= limits["ThrottlingBurstLimit"] <= 5 * at_once
    assert at_once / 10 <= limits["ThrottlingRateLimit"] <= at_once


def test_all_regions_together_write_no_more_than_one_key_of_the_history_takes() -> None:
    """A day's messages of every Region are one key of the index, in each Region's replica."""
    writes = made("ApiApiGatewayDefaultStage")["RouteSettings"]["POST /messages"]
    assert MOST_REGIONS * writes["ThrottlingRateLimit"] <= WRITE_UNITS_OF_A_PARTITION
    assert writes["ThrottlingBurstLimit"] <= writes["ThrottlingRateLimit"]


@pytest.mark.parametrize("group", ["AccessLog", "FunctionLog", "WorkflowLog"])
def test_logs_are_kept_for_a_month(group: str) -> None:
    assert made(group)["RetentionInDays"] == 30


def test_logs_are_found_by_name_and_workflows_stay_clear_of_the_resource_policys_limit() -> None:
    """Vended logs need no statement each (Step Functions developer guide, logging)."""
    assert made("FunctionLog")["LogGroupName"] == "/sidestep/demo/functions"
    assert made("WorkflowLog")["LogGroupName"] == "/aws/vendedlogs/states/sidestep-demo"


@pytest.mark.parametrize("function", functions())
def test_every_function_is_traced_and_logs_where_the_others_do(function: str) -> None:
    assert made(function)["TracingConfig"] == {"Mode": "Active"}
    assert made(function)["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "<FunctionLog>"}


@pytest.mark.parametrize(
    ("name", "level"),
    [("Observe", "ALL"), ("Failover", "ERROR"), ("Recovery", "ERROR"), ("Drill", "ERROR")],
)
def test_every_workflow_is_traced_and_express_logs_what_it_keeps_nowhere_else(
    name: str, level: str
) -> None:
    machine = made(f"{name}StateMachine")
    (destination,) = machine["LoggingConfiguration"]["Destinations"]
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == level
    assert destination["CloudWatchLogsLogGroup"] == {"LogGroupArn": "<WorkflowLog.Arn>"}


@pytest.mark.parametrize(("given", "reserved"), [("", None), ("400", "400")])
def test_clients_cannot_starve_health_and_marks_where_concurrency_is_reserved(
    given: str, reserved: str | None
) -> None:
    made_of = Stack(HERE, ApiConcurrency=given).of_type("AWS::Lambda::Function")
    found = {
        name: function["ReservedConcurrentExecutions"]
        for name, function in made_of.items()
        if "ReservedConcurrentExecutions" in function
    }
    assert found == (dict.fromkeys(("WriteFunction", "HistoryFunction"), reserved) if given else {})
