"""template.yaml itself, deployed in three guarded Regions and the coordination table's owner."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from localcloud.cloud import ROOT, TEMPLATE
from localcloud.iam.judge import Authorizer
from localcloud.iam.policy import Needed
from localcloud.template.deploy import deploy
from localcloud.template.stack import GlobalTable, Stack
from localcloud.template.translate import read, translate
from sidestep.core.topology import wardens_of

HOME = "eu-west-2"
GUARDED = (HOME, "us-east-1", "us-west-2")
COORDINATION = ("eu-west-1", HOME, "eu-central-1")
FUNCTIONS = {
    "write", "history", "health", "drained", "ledger", "reemit", "replicated",
    "probe", "vote", "claim", "recheck", "gate", "toggle", "traffic", "replication",
    "assess", "repair", "stability", "record", "drill",
}  # fmt: skip


@pytest.fixture(scope="module")
def stacks() -> Iterator[dict[str, Stack]]:
    """Every Region's stack, in the order in which they refer to each other."""
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    with patch.dict(os.environ, keys), mock_aws():
        route53 = boto3.client("route53", region_name="us-east-1")
        zone = route53.create_hosted_zone(Name="sidestep.test", CallerReference="z")
        zone_id = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
        made = {}
        for region in (COORDINATION[0], *GUARDED):
            given = parameters(region, zone_id)
            translated = translate(read(TEMPLATE), ROOT, region, given)
            made[region] = deploy(translated, "sidestep-demo", region, given)
        yield made


def parameters(region: str, zone_id: str) -> dict[str, str]:
    wardens = wardens_of(region, GUARDED) if region in GUARDED else ("", "")
    stream = ""
    if region in GUARDED[1:]:
        table = boto3.client("dynamodb", region_name=region).describe_table(
            TableName="sidestep-demo-data"
        )
        stream = table["Table"]["LatestStreamArn"]
    return {
        "Application": "demo",
        "HomeRegion": HOME,
        "Regions": ",".join(GUARDED),
        "CoordinationRegions": ",".join(COORDINATION),
        "DomainName": "api.sidestep.test",
        "HostedZoneId": zone_id,
        "NameServers": "198.51.100.53",
        "Warden1": wardens[0],
        "Warden2": wardens[1],
        "DataTableStreamArn": stream,
    }


def test_a_region_that_only_coordinates_gets_the_coordination_table_and_nothing_else(
    stacks: dict[str, Stack],
) -> None:
    owner = stacks[COORDINATION[0]]

    assert {one.type for one in owner.resources.values()} == {"AWS::DynamoDB::GlobalTable"}
    assert owner.tables == [GlobalTable("sidestep-demo-coordination", COORDINATION, strong=True)]


def test_the_home_region_alone_owns_the_data_table(stacks: dict[str, Stack]) -> None:
    assert stacks[HOME].tables == [GlobalTable("sidestep-demo-data", GUARDED, strong=False)]
    assert [stacks[region].tables for region in GUARDED[1:]] == [[], []]


@pytest.mark.parametrize("region", GUARDED)
def test_every_guarded_region_has_every_function_with_sources_that_are_there(
    stacks: dict[str, Stack], region: str
) -> None:
    functions = stacks[region].functions

    assert {one.name for one in functions} == {f"sidestep-demo-{name}" for name in FUNCTIONS}
    for one in functions:
        module = one.handler.rpartition(".")[0].replace(".", "/")
        assert (one.code / f"{module}.py").is_file()
        assert one.environ["AWS_REGION"] == region


@pytest.mark.parametrize("region", GUARDED)
def test_the_api_answers_six_routes_on_its_two_names_only(
    stacks: dict[str, Stack], region: str
) -> None:
    (api,) = stacks[region].apis

    assert {(one.method, one.path, one.function.removeprefix("sidestep-demo-"))
            for one in api.routes} == {
        ("POST", "/messages", "write"),
        ("POST", "/canary", "write"),
        ("GET", "/history", "history"),
        ("GET", "/canary", "history"),
        ("GET", "/health", "health"),
        ("GET", "/drained/{region}", "drained"),
    }  # fmt: skip
    assert api.hosts == {"api.sidestep.test", f"{region}.api.sidestep.test"}


@pytest.mark.parametrize("region", GUARDED)
def test_the_four_workflows_name_their_own_regions_functions(
    stacks: dict[str, Stack], region: str
) -> None:
    machines = {one.name.removeprefix("sidestep-demo-"): one for one in stacks[region].machines}

    assert set(machines) == {"observe", "failover", "recovery", "drill"}
    assert [name for name, one in machines.items() if one.express] == ["observe"]
    for one in machines.values():
        assert "${" not in one.definition
        assert f"arn:aws:lambda:{region}:" in one.definition


@pytest.mark.parametrize("region", GUARDED)
def test_a_regions_own_writes_are_forwarded_to_each_other_regions_bus(
    stacks: dict[str, Stack], region: str
) -> None:
    events = boto3.client("events", region_name=region)
    forwards = {
        target["Arn"].split(":")[3]: json.loads(rule["EventPattern"])["detail"]["region"]
        for rule in events.list_rules(EventBusName="sidestep-demo")["Rules"]
        for target in events.list_targets_by_rule(
            Rule=rule["Name"], EventBusName="sidestep-demo"
        )["Targets"]
        if ":event-bus/" in target["Arn"]
    }  # fmt: skip

    assert region in stacks
    assert forwards == {other: [region] for other in GUARDED if other != region}


@pytest.mark.parametrize("region", GUARDED)
def test_a_regions_check_needs_its_endpoint_and_both_wardens(
    stacks: dict[str, Stack], region: str
) -> None:
    resources = stacks[region].resources
    children = [
        resources[name].physical_id
        for name in ("HealthEndpointCheck", "Warden1Check", "Warden2Check")
    ]
    told = boto3.client("route53", region_name="us-east-1").get_health_check(
        HealthCheckId=resources["RegionCheck"].physical_id
    )["HealthCheck"]["HealthCheckConfig"]

    assert set(told["ChildHealthChecks"]) == set(children)
    assert told["HealthThreshold"] == len(children)


DATA = "arn:aws:dynamodb:eu-west-2:123456789012:table/sidestep-demo-data"
MARKS = "arn:aws:dynamodb:eu-west-2:123456789012:table/sidestep-demo-regional"
COORD = "arn:aws:dynamodb:eu-west-1:123456789012:table/sidestep-demo-coordination"
CHECK = "arn:aws:route53:::healthcheck/any"


def needed(action: str, resource: str, *keys: str) -> Needed:
    return Needed(action, resource, {"dynamodb:LeadingKeys": keys} if keys else {})


@pytest.mark.parametrize(
    ("function", "asked", "allowed"),
    [
        ("Write", needed("dynamodb:PutItem", DATA, "message#1"), True),
        ("Write", needed("dynamodb:DeleteItem", DATA, "message#1"), False),
        ("Write", needed("dynamodb:PutItem", DATA.replace("eu-west-2", "us-east-1")), False),
        ("History", needed("dynamodb:Query", f"{DATA}/index/history", "history#x"), True),
        ("History", needed("dynamodb:Query", DATA, "message#1"), False),
        ("Write", needed("dynamodb:PutItem", DATA, "canary#eu-west-2"), True),
        ("Write", needed("dynamodb:PutItem", DATA, "probe#eu-west-2"), False),
        ("Health", needed("dynamodb:PutItem", DATA, "probe#eu-west-2"), True),
        ("Health", needed("dynamodb:PutItem", DATA, "probe#us-east-1"), False),
        ("Health", needed("dynamodb:PutItem", DATA, "message#1"), False),
        ("Drained", needed("dynamodb:GetItem", MARKS, "drained"), True),
        ("Drained", needed("dynamodb:UpdateItem", MARKS, "drained"), False),
        ("Gate", needed("dynamodb:UpdateItem", MARKS, "drained"), True),
        ("Gate", needed("dynamodb:UpdateItem", MARKS, "fault"), False),
        ("Vote", needed("dynamodb:PutItem", COORD, "app#demo"), True),
        ("Vote", needed("route53:UpdateHealthCheck", CHECK), False),
        ("Toggle", needed("route53:UpdateHealthCheck", CHECK), True),
        ("Toggle", needed("route53:DeleteHealthCheck", CHECK), False),
    ],
)
def test_a_function_may_do_its_own_work_and_no_more(
    stacks: dict[str, Stack], function: str, asked: Needed, allowed: bool
) -> None:
    role = stacks[HOME].resources[f"{function}FunctionRole"].attributes["Arn"]

    assert Authorizer().allows(role, asked, HOME).allowed is allowed


def test_no_role_may_do_everything_of_a_service_of_ours(stacks: dict[str, Stack]) -> None:
    def actions(role: Any) -> Iterator[str]:
        for policy in role.properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                found = statement["Action"]
                yield from [found] if isinstance(found, str) else found

    roles = [one for one in stacks[HOME].resources.values() if one.type == "AWS::IAM::Role"]

    assert len(roles) > len(FUNCTIONS)
    assert [action for role in roles for action in actions(role) if "*" in action] == []
