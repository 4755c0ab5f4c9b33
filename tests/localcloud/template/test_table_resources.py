"""Tables: one in each Region of its replicas, refused as AWS refuses them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from localcloud.template.errors import TemplateError
from localcloud.template.stack import GlobalTable
from tests.localcloud.template.stacks import REGION, Deploy, of

TABLE = {
    "TableName": "data",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
}
STREAM = {"StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"}}


def global_table(*regions: str, **more: Any) -> dict[str, Any]:
    replicas = [{"Region": region} for region in regions]
    properties = TABLE | {"Replicas": replicas} | more
    return {"Type": "AWS::DynamoDB::GlobalTable", "Properties": properties}


def test_a_global_table_is_a_table_in_every_region_of_its_replicas(stack_of: Deploy) -> None:
    stack = stack_of({"Data": global_table(REGION, "us-east-1", **STREAM)})

    for region in (REGION, "us-east-1"):
        told = boto3.client("dynamodb", region_name=region).describe_table(TableName="data")
        assert told["Table"]["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert stack.tables == [GlobalTable("data", (REGION, "us-east-1"), strong=False)]
    assert REGION in stack.resources["Data"].attributes["StreamArn"]


def test_a_strongly_consistent_table_may_have_a_witness(stack_of: Deploy) -> None:
    witness = {"GlobalTableWitnesses": [{"Region": "eu-west-3"}]}
    strong = global_table(REGION, "eu-west-1", MultiRegionConsistency="STRONG", **witness)

    assert stack_of({"Data": strong}).tables == [
        GlobalTable("data", (REGION, "eu-west-1"), strong=True, witness="eu-west-3")
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (global_table("us-east-1", **STREAM), "a replica in its stack's own Region"),
        (global_table(REGION, REGION, **STREAM), "two replicas in one Region"),
        (global_table(REGION, "us-east-1"), "a stream of NEW_AND_OLD_IMAGES"),
        (global_table(REGION, MultiRegionConsistency="STRONG"), "not 1 and 0"),
        (global_table(REGION, GlobalTableWitnesses=[{"Region": "x"}]), "STRONG"),
        (global_table(REGION, BillingMode="PROVISIONED"), "PAY_PER_REQUEST alone"),
        (global_table(REGION, Replicas=[{"Region": REGION, "Colour": 1}]), "Replicas: .*Colour"),
    ],
)
def test_a_table_that_aws_would_refuse_is_refused(
    stack_of: Deploy, table: dict[str, Any], said: str
) -> None:
    with pytest.raises(TemplateError, match=f"Data.*{said}"):
        stack_of({"Data": table})


def test_a_tables_expiry_is_set(stack_of: Deploy) -> None:
    expiry = {"TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True}}
    stack_of({"T": of("AWS::DynamoDB::Table", **TABLE, **expiry)})

    told = boto3.client("dynamodb", region_name=REGION).describe_time_to_live(TableName="data")
    assert told["TimeToLiveDescription"]["AttributeName"] == "expires_at"
