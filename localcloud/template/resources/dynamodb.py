"""Tables: one of moto's in each Region that has a replica."""

from __future__ import annotations

from typing import Any

from localcloud.template.errors import TemplateError
from localcloud.template.kinds import (
    Built,
    Deployment,
    Properties,
    builds,
    flag,
    only,
    picked,
)
from localcloud.template.stack import GlobalTable

_TABLE = (
    "TableName KeySchema AttributeDefinitions BillingMode GlobalSecondaryIndexes "
    "StreamSpecification TimeToLiveSpecification "
)
_KEPT = "PointInTimeRecoverySpecification DeletionProtectionEnabled"
_NO_EFFECT = {"SSESpecification": "nothing is stored encrypted, or stored at all"}
_KEPT_WHY = "a local cloud lives as long as its process: nothing is restored or deleted"


@builds("AWS::DynamoDB::Table", _TABLE, {**_NO_EFFECT, _KEPT: _KEPT_WHY})
def _table(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("TableName") or d.generated(logical, 255)
    only(p.get("StreamSpecification", {}), "StreamViewType", f"{logical}.StreamSpecification")
    return name, _create(d, d.stack.region, logical, name, p)


@builds(
    "AWS::DynamoDB::GlobalTable",
    _TABLE + "Replicas MultiRegionConsistency GlobalTableWitnesses",
    {**_NO_EFFECT, "WriteOnDemandThroughputSettings": "capacity is not modelled"},
)
def _global_table(d: Deployment, logical: str, p: Properties) -> Built:
    """What AWS refuses is refused
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html).
    """
    name = p.get("TableName") or d.generated(logical, 255)
    regions = tuple(str(replica["Region"]) for replica in p["Replicas"])
    witnesses = tuple(str(one["Region"]) for one in p.get("GlobalTableWitnesses", []))
    strong = p.get("MultiRegionConsistency", "EVENTUAL") == "STRONG"
    for replica in p["Replicas"]:
        only(replica, f"Region Tags SSESpecification {_KEPT}", f"{logical}.Replicas")
    if d.stack.region not in regions:
        raise TemplateError(f"{logical}: a global table needs a replica in its stack's own Region")
    if len(set(regions)) != len(regions):
        raise TemplateError(f"{logical}: two replicas in one Region: {', '.join(regions)}")
    if strong and (len(regions), len(witnesses)) not in ((3, 0), (2, 1)):
        raise TemplateError(
            f"{logical}: MRSC takes three replicas, or two and a witness, "
            f"not {len(regions)} and {len(witnesses)}"
        )
    if witnesses and not strong:
        raise TemplateError(f"{logical}: only a table with STRONG consistency has a witness")
    stream = p.get("StreamSpecification", {}).get("StreamViewType")
    if not strong and len(regions) > 1 and stream != "NEW_AND_OLD_IMAGES":
        raise TemplateError(f"{logical}: replicas need a stream of NEW_AND_OLD_IMAGES")
    made = {region: _create(d, region, logical, name, p) for region in regions}
    d.stack.tables.append(GlobalTable(name, regions, strong, *witnesses))
    return name, made[d.stack.region]


def _create(d: Deployment, region: str, logical: str, name: str, p: Properties) -> dict[str, Any]:
    """Create one Region's table; its attributes."""
    if p.get("BillingMode") != "PAY_PER_REQUEST":
        raise TemplateError(f"{logical}: the local cloud knows BillingMode PAY_PER_REQUEST alone")
    wanted: dict[str, Any] = picked(p, "KeySchema AttributeDefinitions")
    for index in p.get("GlobalSecondaryIndexes", []):
        only(index, "IndexName KeySchema Projection", f"{logical}.GlobalSecondaryIndexes")
        wanted.setdefault("GlobalSecondaryIndexes", []).append(index)
    if "StreamSpecification" in p:
        view = p["StreamSpecification"]["StreamViewType"]
        wanted["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    client = d.client("dynamodb", region)
    made = client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **wanted)
    if "TimeToLiveSpecification" in p:
        expiry = p["TimeToLiveSpecification"]
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={
                "Enabled": flag(expiry["Enabled"]),
                "AttributeName": expiry["AttributeName"],
            },
        )
    described = made["TableDescription"]
    attributes = {"Arn": described["TableArn"]}
    if "StreamSpecification" in p:
        attributes["StreamArn"] = described["LatestStreamArn"]
    return attributes
