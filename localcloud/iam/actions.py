"""Which IAM actions on which resources an API call needs.

From the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
An operation that is not here is an error by name, never allowed by silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.calls.endpoint import ACCOUNT
from localcloud.iam.policy import Needed


class UnknownActionError(Exception):
    """An API call whose permissions are not written down here."""


Params = Mapping[str, Any]
PartitionKey = Callable[[str, str, str | None], str | None]
"""(Region, table, index) → the name of its partition key, or None: no such table."""


@dataclass(frozen=True)
class Asked:
    """One API call."""

    operation: str
    params: Params
    region: str
    partition_key: PartitionKey

    def arn(self, service: str, rest: str) -> str:
        """An ARN in the call's Region; `rest` that is one already stays as it is."""
        return (
            rest if rest.startswith("arn:") else f"arn:aws:{service}:{self.region}:{ACCOUNT}:{rest}"
        )

    def table(self, name: str) -> str:
        """A table's ARN."""
        return name if name.startswith("arn:") else self.arn("dynamodb", f"table/{name}")


Rule = Callable[[Asked], Iterator[Needed]]


def required(
    service: str, operation: str, params: Params, region: str, partition_key: PartitionKey
) -> list[Needed]:
    """What a call needs. `service` and `operation` are botocore's names.

    Raises UnknownActionError for an operation that is not known.
    """
    rule = _RULES.get(service, {}).get(operation)
    if rule is None:
        raise UnknownActionError(
            f"teach localcloud.iam.actions what {service} {operation} needs of IAM"
        )
    return list(rule(Asked(operation, params, region, partition_key)))


# -- DynamoDB: dynamodb:LeadingKeys is the partition keys that a request touches -----------------
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html)


def _leading(asked: Asked, table: str, items: Iterable[Params]) -> Mapping[str, tuple[str, ...]]:
    name = table.rsplit("table/", 1)[-1]
    key = asked.partition_key(asked.region, name, None)
    values = {_text(item[key]) for item in items if key is not None and key in item}
    return {"dynamodb:LeadingKeys": tuple(sorted(values))} if values else {}


def _text(typed: Mapping[str, Any]) -> str:
    """The value of `{"S": "a"}`, whatever its type."""
    return str(next(iter(typed.values())))


def _item(asked: Asked) -> Iterator[Needed]:
    yield _one_item(asked, asked.operation, asked.params)


def _one_item(asked: Asked, operation: str, params: Params) -> Needed:
    item = params["Item"] if operation == "PutItem" else params["Key"]
    table = params["TableName"]
    return Needed(f"dynamodb:{operation}", asked.table(table), _leading(asked, table, [item]))


def _query(asked: Asked) -> Iterator[Needed]:
    params = asked.params
    for old in ("KeyConditions", "ScanFilter", "QueryFilter"):
        if old in params:
            raise UnknownActionError(f"teach localcloud.iam.actions about {old} of DynamoDB")
    table, index = params["TableName"], params.get("IndexName")
    arn = asked.table(table)
    yield Needed(
        f"dynamodb:{asked.operation}",
        f"{arn}/index/{index}" if index else arn,
        _queried(asked, table.rsplit("table/", 1)[-1], index),
    )


_EQUALITY = re.compile(r"([#\w.-]+)\s*=\s*(:\w+)")


def _queried(asked: Asked, table: str, index: str | None) -> Mapping[str, tuple[str, ...]]:
    """The partition key that a query's key condition equates. A scan has none."""
    key = asked.partition_key(asked.region, table, index)
    names = asked.params.get("ExpressionAttributeNames", {})
    values = asked.params.get("ExpressionAttributeValues", {})
    for name, value in _EQUALITY.findall(asked.params.get("KeyConditionExpression", "")):
        if names.get(name, name) == key and value in values:
            return {"dynamodb:LeadingKeys": (_text(values[value]),)}
    return {}


def _batch_get(asked: Asked) -> Iterator[Needed]:
    for table, wanted in asked.params["RequestItems"].items():
        context = _leading(asked, table, wanted["Keys"])
        yield Needed("dynamodb:BatchGetItem", asked.table(table), context)


def _batch_write(asked: Asked) -> Iterator[Needed]:
    for table, writes in asked.params["RequestItems"].items():
        items = [w["PutRequest"]["Item"] for w in writes if "PutRequest" in w]
        items += [w["DeleteRequest"]["Key"] for w in writes if "DeleteRequest" in w]
        context = _leading(asked, table, items)
        yield Needed("dynamodb:BatchWriteItem", asked.table(table), context)


# A transaction needs the actions of its parts
# (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html).
_PARTS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _transaction(asked: Asked) -> Iterator[Needed]:
    for part in asked.params["TransactItems"]:
        for what, params in part.items():
            yield _one_item(asked, _PARTS[what], params)


def _on_table(asked: Asked) -> Iterator[Needed]:
    yield Needed(f"dynamodb:{asked.operation}", asked.table(asked.params["TableName"]))


def _on_stream(asked: Asked) -> Iterator[Needed]:
    """GetRecords carries only an iterator, which moto makes of the stream's ARN."""
    params = asked.params
    arn = params.get("StreamArn") or str(params.get("ShardIterator", "")).partition("|")[0]
    if not arn.startswith("arn:"):
        raise UnknownActionError(f"{asked.operation} names no stream: {sorted(params)}")
    yield Needed(f"dynamodb:{asked.operation}", arn)


# -- EventBridge, SQS, SNS, Step Functions, Lambda ------------------------------------------------


def _put_events(asked: Asked) -> Iterator[Needed]:
    for entry in asked.params["Entries"]:
        bus = str(entry.get("EventBusName") or "default")
        named = {"events:source": "Source", "events:detail-type": "DetailType"}
        context = {key: (str(entry[part]),) for key, part in named.items() if part in entry}
        arn = bus if bus.startswith("arn:") else asked.arn("events", f"event-bus/{bus}")
        yield Needed("events:PutEvents", arn, context)


def _queue(asked: Asked) -> Iterator[Needed]:
    """SendMessageBatch needs SendMessage, and so on: there are no actions for batches."""
    name = str(asked.params["QueueUrl"]).rsplit("/", 1)[-1]
    yield Needed(f"sqs:{asked.operation.removesuffix('Batch')}", asked.arn("sqs", name))


def _publish(asked: Asked) -> Iterator[Needed]:
    arn = asked.params.get("TopicArn") or asked.params.get("TargetArn")
    if arn is None:
        raise UnknownActionError("teach localcloud.iam.actions about sns Publish to a telephone")
    yield Needed("sns:Publish", str(arn))


def _machine(asked: Asked) -> Iterator[Needed]:
    yield Needed(f"states:{asked.operation}", str(asked.params["stateMachineArn"]))


def _execution(asked: Asked) -> Iterator[Needed]:
    yield Needed(f"states:{asked.operation}", str(asked.params["executionArn"]))


def _invoke(asked: Asked) -> Iterator[Needed]:
    name, qualifier = str(asked.params["FunctionName"]), asked.params.get("Qualifier")
    arn = name if name.startswith("arn:") else asked.arn("lambda", f"function:{name}")
    yield Needed("lambda:InvokeFunction", f"{arn}:{qualifier}" if qualifier else arn)


# -- Route 53, CloudWatch ------------------------------------------------------------------------


def _check(asked: Asked) -> Iterator[Needed]:
    check = asked.params["HealthCheckId"]
    yield Needed(f"route53:{asked.operation}", f"arn:aws:route53:::healthcheck/{check}")


def _zone(asked: Asked) -> Iterator[Needed]:
    zone = str(asked.params["HostedZoneId"]).rsplit("/", 1)[-1]
    yield Needed(f"route53:{asked.operation}", f"arn:aws:route53:::hostedzone/{zone}")


def _alarms(asked: Asked) -> Iterator[Needed]:
    """Composite alarms are told only to who may describe `*` (API_DescribeAlarms)."""
    composite = "CompositeAlarm" in asked.params.get("AlarmTypes", ())
    arn = "*" if composite else asked.arn("cloudwatch", "alarm:*")
    yield Needed("cloudwatch:DescribeAlarms", arn)


def _anything(prefix: str) -> Rule:
    """An action without resources: only a statement on `*` allows it."""

    def rule(asked: Asked) -> Iterator[Needed]:
        yield Needed(f"{prefix}:{asked.operation}", "*")

    return rule


def _each(rule: Rule, operations: str) -> dict[str, Rule]:
    return dict.fromkeys(operations.split(), rule)


_RULES: Mapping[str, Mapping[str, Rule]] = {
    "dynamodb": {
        **_each(_item, "GetItem PutItem UpdateItem DeleteItem"),
        **_each(_query, "Query Scan"),
        "BatchGetItem": _batch_get,
        "BatchWriteItem": _batch_write,
        **_each(_transaction, "TransactGetItems TransactWriteItems"),
        **_each(_on_table, "DescribeTable DescribeTimeToLive DescribeContinuousBackups"),
    },
    "dynamodbstreams": {
        **_each(_on_stream, "DescribeStream GetRecords GetShardIterator"),
        "ListStreams": _anything("dynamodb"),
    },
    "events": {"PutEvents": _put_events},
    "sqs": _each(
        _queue,
        "SendMessage SendMessageBatch ReceiveMessage DeleteMessage DeleteMessageBatch "
        "GetQueueAttributes GetQueueUrl ChangeMessageVisibility ChangeMessageVisibilityBatch",
    ),
    "sns": {"Publish": _publish},
    "stepfunctions": {
        **_each(_machine, "StartExecution StartSyncExecution ListExecutions DescribeStateMachine"),
        **_each(_execution, "DescribeExecution GetExecutionHistory StopExecution RedriveExecution"),
        # A task token names no machine: these have no resources.
        **_each(_anything("states"), "SendTaskSuccess SendTaskFailure SendTaskHeartbeat"),
    },
    "lambda": {"Invoke": _invoke},
    "route53": {
        **_each(_check, "GetHealthCheck UpdateHealthCheck GetHealthCheckStatus"),
        **_each(_zone, "ChangeResourceRecordSets ListResourceRecordSets GetHostedZone"),
    },
    "cloudwatch": {
        "DescribeAlarms": _alarms,
        **_each(
            _anything("cloudwatch"),
            "GetMetricData GetMetricStatistics PutMetricData ListMetrics",
        ),
    },
}
