"""What is made where: guarded, home and coordination Regions, two to five of them."""

from __future__ import annotations

import pytest

from tests.template.one_stack import COORDINATION, THREE, Stack, translated

FIVE = (*THREE, "us-west-2", "ap-northeast-1")


def test_every_resource_says_in_which_regions_it_is_made() -> None:
    always = [
        name for name, resource in translated()["Resources"].items() if "Condition" not in resource
    ]
    assert always == []


def test_the_home_region_owns_the_data_table_and_the_others_do_not() -> None:
    assert "DataTable" in Stack("eu-west-1").resources
    assert "DataTable" not in Stack("eu-west-2").resources


@pytest.mark.parametrize("regions", [THREE[:2], THREE, FIVE[:4], FIVE])
def test_the_data_table_has_a_protected_replica_in_every_guarded_region(
    regions: tuple[str, ...],
) -> None:
    replicas = Stack(regions[0], regions).resources["DataTable"]["Properties"]["Replicas"]
    assert [replica["Region"] for replica in replicas] == list(regions)
    for replica in replicas:
        assert replica["DeletionProtectionEnabled"] == "true"
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_a_coordination_region_that_is_not_guarded_gets_the_coordination_table_alone() -> None:
    owner = Stack("eu-central-1", coordination=("eu-central-1", "eu-west-1", "eu-west-2"))
    assert set(owner.resources) == {"CoordinationTable"}


def test_only_the_first_coordination_region_owns_the_coordination_table() -> None:
    owners = [region for region in THREE if "CoordinationTable" in Stack(region).resources]
    assert owners == [COORDINATION[0]]


def test_the_coordination_table_is_strongly_consistent_in_its_three_regions() -> None:
    table = Stack("eu-west-1").resources["CoordinationTable"]["Properties"]
    assert table["MultiRegionConsistency"] == "STRONG"
    assert [replica["Region"] for replica in table["Replicas"]] == list(COORDINATION)
    assert "TimeToLiveSpecification" not in table


@pytest.mark.parametrize("regions", [THREE[:2], THREE, FIVE])
def test_a_region_forwards_its_own_writes_to_every_other_region_and_never_to_itself(
    regions: tuple[str, ...],
) -> None:
    for here in regions:
        rules = {
            name: rule
            for name, rule in Stack(here, regions).of_type("AWS::Events::Rule").items()
            if name.startswith("Forward")
        }
        buses = [rule["Targets"][0]["Arn"].split(":")[3] for rule in rules.values()]
        assert buses == [region for region in regions if region != here]
        for rule in rules.values():
            assert rule["EventPattern"]["detail"] == {"region": [here]}
            assert "DeadLetterConfig" in rule["Targets"][0]


def test_the_ledger_hears_every_region_but_its_own() -> None:
    rule = Stack("eu-west-2").resources["LedgerFunctionWritten"]["Properties"]
    assert rule["EventPattern"]["source"] == ["sidestep.api"]
    assert rule["EventPattern"]["detail"] == {"region": [{"anything-but": ["eu-west-2"]}]}


def test_lag_is_measured_from_the_own_stream_at_home_and_from_the_given_one_elsewhere() -> None:
    given = "arn:aws:dynamodb:eu-west-2:111122223333:table/sidestep-demo-data/stream/2026"
    home = Stack("eu-west-1").resources["ReplicatedArrivals"]["Properties"]
    away = Stack("eu-west-2", DataTableStreamArn=given).resources["ReplicatedArrivals"][
        "Properties"
    ]
    assert home["EventSourceArn"] == "<DataTable.StreamArn>"
    assert away["EventSourceArn"] == given


def test_a_stack_that_comes_before_homes_waits_for_its_replica_with_nothing_but_the_lag() -> None:
    """The first coordination Region's comes first, guarded or not."""
    before = set(Stack("eu-west-2", DataTableStreamArn="").resources)
    after = set(Stack("eu-west-2", DataTableStreamArn="arn:aws:dynamodb:given").resources)

    assert after - before == {"ReplicatedArrivals"}
    assert not before - after


def test_tables_of_a_first_deployment_need_not_refuse_to_be_deleted() -> None:
    given = Stack("eu-west-1", DeletionProtection="false").resources
    tables = [given[name]["Properties"] for name in ("DataTable", "CoordinationTable")]
    protected = [given["RegionalTable"]["Properties"], *(r for t in tables for r in t["Replicas"])]

    assert {one["DeletionProtectionEnabled"] for one in protected} == {"false"}


def test_tables_outlive_their_stack() -> None:
    tables = [
        resource
        for resource in Stack("eu-west-1").resources.values()
        if resource["Type"].startswith("AWS::DynamoDB::")
    ]
    assert len(tables) == 3
    for table in tables:
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == (
            "RetainExceptOnCreate",
            "Retain",
        )


def test_people_are_told_by_email_only_where_an_address_is_given() -> None:
    assert not Stack("eu-west-1").of_type("AWS::SNS::Subscription")
    (told,) = (
        Stack("eu-west-1", AlertEmail="on-call@example.com")
        .of_type("AWS::SNS::Subscription")
        .values()
    )
    assert told["Endpoint"] == "on-call@example.com"
