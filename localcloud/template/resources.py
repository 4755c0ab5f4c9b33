"""Builders of what moto holds: tables, queues, topics, roles, rules, alarms, records, logs."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import boto3
from moto.iam.aws_managed_policies import aws_managed_policies_data

from localcloud.template.deploy import Deployment, builds
from localcloud.template.intrinsics import TemplateError
from localcloud.template.stack import GlobalTable

Built = tuple[str, dict[str, Any]]


def _only(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: properties[name] for name in names if name in properties}


@builds(
    "AWS::IAM::Role",
    "RoleName AssumeRolePolicyDocument Policies ManagedPolicyArns Path Description",
)
def _role(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    # Role names are the account's, not a Region's: two Regions' stacks must not meet.
    name = p.get("RoleName") or f"{d.generated(logical)}-{d.stack.region}"[:64]
    iam = d.client("iam")
    answer = iam.create_role(
        RoleName=name,
        Path=p.get("Path", "/"),
        AssumeRolePolicyDocument=json.dumps(p["AssumeRolePolicyDocument"]),
    )
    for policy in p.get("Policies", []):
        iam.put_role_policy(
            RoleName=name,
            PolicyName=policy["PolicyName"],
            PolicyDocument=_document(policy["PolicyDocument"]),
        )
    for arn in p.get("ManagedPolicyArns", []):
        # Inline, since moto loads all of AWS's managed policies anew for each account.
        iam.put_role_policy(
            RoleName=name, PolicyName=arn.rsplit("/", 1)[-1], PolicyDocument=_managed(arn)
        )
    return name, {"Arn": answer["Role"]["Arn"], "RoleId": answer["Role"]["RoleId"]}


def _document(policy: dict[str, Any]) -> str:
    """A policy as moto takes it: SAM writes policies without a version, which IAM reads as
    2008-10-17; moto insists on 2012-10-17. They differ in policy variables alone."""
    text = json.dumps(policy | {"Version": "2012-10-17"})
    if policy.get("Version") != "2012-10-17" and "${" in text:
        raise TemplateError("a policy before 2012-10-17 has no variables, only text like ${…}")
    return text


@cache
def _managed(arn: str) -> str:
    """The document of an AWS managed policy, from the copy that moto carries."""
    name = arn.rsplit("/", 1)[-1]
    policies = json.loads(aws_managed_policies_data)
    if name not in policies:
        raise TemplateError(f"no AWS managed policy {arn}")
    return json.dumps(policies[name]["Document"])


@builds("AWS::IAM::Policy", "PolicyName PolicyDocument Roles")
def _policy(d: Deployment, _: str, p: dict[str, Any]) -> Built:
    for role in p["Roles"]:
        d.client("iam").put_role_policy(
            RoleName=role,
            PolicyName=p["PolicyName"],
            PolicyDocument=_document(p["PolicyDocument"]),
        )
    return p["PolicyName"], {}


_TABLE = "TableName KeySchema AttributeDefinitions BillingMode GlobalSecondaryIndexes "
_TABLE_SILENT = "SSESpecification WriteOnDemandThroughputSettings"


@builds(
    "AWS::DynamoDB::Table",
    _TABLE + "StreamSpecification TimeToLiveSpecification",
    _TABLE_SILENT + " PointInTimeRecoverySpecification DeletionProtectionEnabled",
)
def _table(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("TableName") or d.generated(logical)
    arn, stream = _create_table(d.stack.region, name, p)
    if "TimeToLiveSpecification" in p:
        d.client("dynamodb").update_time_to_live(
            TableName=name, TimeToLiveSpecification=_ttl(p["TimeToLiveSpecification"])
        )
    return name, {"Arn": arn, **({"StreamArn": stream} if stream else {})}


def _ttl(spec: dict[str, Any]) -> dict[str, Any]:
    return {"Enabled": _true(spec["Enabled"]), "AttributeName": spec["AttributeName"]}


@builds(
    "AWS::DynamoDB::GlobalTable",
    _TABLE + "StreamSpecification Replicas MultiRegionConsistency TimeToLiveSpecification",
    _TABLE_SILENT,
)
def _global_table(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("TableName") or d.generated(logical)
    regions = tuple(replica["Region"] for replica in p["Replicas"])
    if d.stack.region not in regions:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
        raise TemplateError(f"{logical}: a global table needs a replica in its stack's own Region")
    allowed = {
        "Region",
        "PointInTimeRecoverySpecification",
        "DeletionProtectionEnabled",
        "Tags",
        "SSESpecification",
        "TableClass",
    }
    for replica in p["Replicas"]:
        unknown = set(replica) - allowed
        if unknown:
            raise TemplateError(f"{logical}: a replica's {', '.join(sorted(unknown))} is not known")
    strong = p.get("MultiRegionConsistency", "EVENTUAL") == "STRONG"
    if strong and len(regions) != 3:
        raise TemplateError(f"{logical}: MRSC takes exactly three Regions, not {len(regions)}")
    made = {region: _create_table(region, name, p) for region in regions}
    if "TimeToLiveSpecification" in p:
        d.client("dynamodb").update_time_to_live(
            TableName=name, TimeToLiveSpecification=_ttl(p["TimeToLiveSpecification"])
        )
    d.stack.tables.append(GlobalTable(name, regions, strong))
    arn, stream = made[d.stack.region]
    return name, {"Arn": arn, **({"StreamArn": stream} if stream else {})}


def _create_table(region: str, name: str, p: dict[str, Any]) -> tuple[str, str | None]:
    make: Any = boto3.client
    indexes = [
        _only(index, "IndexName", "KeySchema", "Projection")
        for index in p.get("GlobalSecondaryIndexes", [])
    ]
    more: dict[str, Any] = {"GlobalSecondaryIndexes": indexes} if indexes else {}
    if "StreamSpecification" in p:
        more["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": p["StreamSpecification"]["StreamViewType"],
        }
    answer = make("dynamodb", region_name=region).create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        **_only(p, "KeySchema", "AttributeDefinitions"),
        **more,
    )["TableDescription"]
    return answer["TableArn"], answer.get("LatestStreamArn")


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


@builds(
    "AWS::SQS::Queue",
    "QueueName RedrivePolicy VisibilityTimeout MessageRetentionPeriod DelaySeconds",
    "SqsManagedSseEnabled KmsMasterKeyId RedriveAllowPolicy",
)
def _queue(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("QueueName") or d.generated(logical)
    attributes: dict[Any, str] = {
        key: str(p[key])
        for key in ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds")
        if key in p
    }
    if "RedrivePolicy" in p:
        attributes["RedrivePolicy"] = json.dumps(p["RedrivePolicy"])
    url = d.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, {"Arn": d.arn("sqs", name), "QueueName": name, "QueueUrl": url}


@builds("AWS::SQS::QueuePolicy", "Queues PolicyDocument")
def _queue_policy(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    for url in p["Queues"]:
        d.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(p["PolicyDocument"])}
        )
    return d.generated(logical), {}


@builds("AWS::SNS::Topic", "TopicName Subscription", "KmsMasterKeyId DisplayName TracingConfig")
def _topic(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    sns = d.client("sns")
    arn = sns.create_topic(Name=p.get("TopicName") or d.generated(logical))["TopicArn"]
    for one in p.get("Subscription", []):
        sns.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])
    return arn, {"TopicArn": arn, "TopicName": arn.rsplit(":", 1)[-1]}


@builds("AWS::SNS::Subscription", "TopicArn Protocol Endpoint")
def _subscription(d: Deployment, _: str, p: dict[str, Any]) -> Built:
    answer = d.client("sns").subscribe(**_only(p, "TopicArn", "Protocol", "Endpoint"))
    return answer["SubscriptionArn"], {}


@builds("AWS::SNS::TopicPolicy", "Topics PolicyDocument")
def _topic_policy(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    for arn in p["Topics"]:
        d.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(p["PolicyDocument"])
        )
    return d.generated(logical), {}


@builds("AWS::Events::EventBus", "Name", "Description DeadLetterConfig LogConfig KmsKeyIdentifier")
def _bus(d: Deployment, _: str, p: dict[str, Any]) -> Built:
    arn = d.client("events").create_event_bus(Name=p["Name"])["EventBusArn"]
    return p["Name"], {"Arn": arn, "Name": p["Name"]}


@builds(
    "AWS::Events::Rule",
    "Name EventBusName EventPattern ScheduleExpression State Targets Description RoleArn",
)
def _rule(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name, events = p.get("Name") or d.generated(logical), d.client("events")
    bus = str(p.get("EventBusName", "default")).rsplit("/", 1)[-1]
    more = {"EventBusName": bus} if bus != "default" else {}
    if "EventPattern" in p:
        more["EventPattern"] = json.dumps(p["EventPattern"])
    arn = events.put_rule(
        Name=name, State=p.get("State", "ENABLED"), **more, **_only(p, "ScheduleExpression")
    )["RuleArn"]
    targets = p.get("Targets", [])
    if targets:
        events.put_targets(Rule=name, EventBusName=bus, Targets=[_target(t) for t in targets])
    return name, {"Arn": arn}


def _target(target: dict[str, Any]) -> dict[str, Any]:
    known = {
        "Arn",
        "Id",
        "RoleArn",
        "Input",
        "InputPath",
        "InputTransformer",
        "DeadLetterConfig",
        "RetryPolicy",
    }
    unknown = set(target) - known
    if unknown:
        raise TemplateError(f"a rule target's {', '.join(sorted(unknown))} is not known here")
    made = dict(target)
    if "RetryPolicy" in made:
        made["RetryPolicy"] = {key: int(value) for key, value in made["RetryPolicy"].items()}
    return made


@builds("AWS::Events::Archive", "ArchiveName SourceArn EventPattern RetentionDays Description")
def _archive(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("ArchiveName") or d.generated(logical)
    more: dict[str, Any] = {}
    if "EventPattern" in p:
        more["EventPattern"] = json.dumps(p["EventPattern"])
    if "RetentionDays" in p:
        more["RetentionDays"] = int(p["RetentionDays"])
    arn = d.client("events").create_archive(
        ArchiveName=name, EventSourceArn=p["SourceArn"], **more
    )["ArchiveArn"]
    return name, {"Arn": arn}


@builds(
    "AWS::CloudWatch::Alarm",
    "AlarmName AlarmDescription Namespace MetricName Dimensions Statistic ExtendedStatistic "
    "Period EvaluationPeriods DatapointsToAlarm Threshold ComparisonOperator TreatMissingData "
    "Metrics AlarmActions OKActions InsufficientDataActions ActionsEnabled Unit "
    "EvaluateLowSampleCountPercentile ThresholdMetricId",
)
def _alarm(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("AlarmName") or d.generated(logical)
    made = {key: value for key, value in p.items() if key not in ("AlarmName", "Tags")}
    for key in ("Period", "EvaluationPeriods", "DatapointsToAlarm"):
        if key in made:
            made[key] = int(made[key])
    if "Threshold" in made:
        made["Threshold"] = float(made["Threshold"])
    for query in made.get("Metrics", []):
        if "MetricStat" in query:
            query["MetricStat"]["Period"] = int(query["MetricStat"]["Period"])
        if "ReturnData" in query:
            query["ReturnData"] = _true(query["ReturnData"])
    d.client("cloudwatch").put_metric_alarm(AlarmName=name, **made)
    return name, {"Arn": d.arn("cloudwatch", f"alarm:{name}")}


@builds("AWS::Logs::LogGroup", "LogGroupName", "RetentionInDays KmsKeyId LogGroupClass")
def _log_group(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("LogGroupName") or d.generated(logical)
    return name, {"Arn": d.arn("logs", f"log-group:{name}:*")}


@builds(
    "AWS::CertificateManager::Certificate",
    "DomainName SubjectAlternativeNames ValidationMethod DomainValidationOptions",
)
def _certificate(d: Deployment, logical: str, _: dict[str, Any]) -> Built:
    # Health checkers do not validate certificates and the local front door has no TLS.
    return d.arn("acm", f"certificate/{logical}"), {}


@builds("AWS::Route53::HealthCheck", "HealthCheckConfig HealthCheckTags")
def _health_check(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    config = dict(p["HealthCheckConfig"])
    for key in ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold"):
        if key in config:
            config[key] = int(config[key])
    for key in ("Inverted", "Disabled", "MeasureLatency", "EnableSNI"):
        if key in config:
            config[key] = _true(config[key])
    answer = d.client("route53").create_health_check(
        CallerReference=f"{d.stack.name}-{d.stack.region}-{logical}", HealthCheckConfig=config
    )["HealthCheck"]
    return answer["Id"], {"HealthCheckId": answer["Id"]}


@builds(
    "AWS::Route53::RecordSet",
    "HostedZoneId Name Type SetIdentifier Region HealthCheckId AliasTarget TTL ResourceRecords "
    "Weight Failover",
    "Comment",
)
def _record_set(d: Deployment, _: str, p: dict[str, Any]) -> Built:
    record = {key: value for key, value in p.items() if key not in ("HostedZoneId", "Comment")}
    if "AliasTarget" in record:
        alias = dict(record["AliasTarget"])
        alias["EvaluateTargetHealth"] = _true(alias.get("EvaluateTargetHealth", False))
        record["AliasTarget"] = alias
    if "TTL" in record:
        record["TTL"] = int(record["TTL"])
    if "ResourceRecords" in record:
        record["ResourceRecords"] = [{"Value": value} for value in record["ResourceRecords"]]
    d.client("route53").change_resource_record_sets(
        HostedZoneId=p["HostedZoneId"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    return p["Name"], {}
