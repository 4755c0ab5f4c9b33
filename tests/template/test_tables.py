"""The tables' own settings: billed by request, encrypted, streamed where something reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.template.one_stack import Stack

TABLES = ("DataTable", "RegionalTable", "CoordinationTable")


def made(table: str) -> dict[str, Any]:
    """A table as the stack makes it that owns all three."""
    properties: dict[str, Any] = Stack("eu-west-1").resources[table]["Properties"]
    return properties


@pytest.mark.parametrize("table", TABLES)
def test_a_table_takes_what_a_failover_brings_without_being_resized(table: str) -> None:
    assert made(table)["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_encrypted_and_declares_just_the_attributes_of_its_keys(table: str) -> None:
    indexes = made(table).get("GlobalSecondaryIndexes", [])
    keys = [*made(table)["KeySchema"], *(key for index in indexes for key in index["KeySchema"])]
    declared = {a["AttributeName"]: a["AttributeType"] for a in made(table)["AttributeDefinitions"]}
    assert declared == {key["AttributeName"]: "S" for key in keys}
    assert made(table)["SSESpecification"] == {"SSEEnabled": True}


def test_the_data_table_streams_both_images_as_its_replicas_need() -> None:
    assert made("DataTable")["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_the_data_table_is_eventually_consistent_so_a_lost_region_blocks_no_write() -> None:
    assert "MultiRegionConsistency" not in made("DataTable")


def test_drain_marks_and_ledger_survive_a_slip_of_the_hand() -> None:
    table = made("RegionalTable")
    assert table["DeletionProtectionEnabled"] == "true"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_leases_and_incidents_survive_a_slip_of_the_hand_in_each_region() -> None:
    replicas = made("CoordinationTable")["Replicas"]
    assert len(replicas) == 3
    for replica in replicas:
        assert replica["DeletionProtectionEnabled"] == "true"
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("table", ["RegionalTable", "CoordinationTable"])
def test_no_other_table_streams_since_nothing_reads_it(table: str) -> None:
    assert "StreamSpecification" not in made(table)
