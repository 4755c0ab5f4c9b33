"""Which IAM actions on which resources an API call needs.

From the service authorization reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html).
An operation that is not here is an error by name, never allowed by silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.endpoint import ACCOUNT


@dataclass(frozen=True)
class Needed:
    """One action on one resource, with the context keys that conditions may look at."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class UnknownActionError(Exception):
    """An API call whose permissions are not written down here."""


Params = Mapping[str, Any]


def required(service: str, operation: str, params: Params, region: str) -> list[Needed]:
    """What a call needs. Raises UnknownActionError for an operation that is not known."""
    rule = _RULES.get(service, {}).get(operation)
    if rule is None:
        raise UnknownActionError(
            f"teach localcloud.iam_actions what {service} {operation} needs of IAM"
        )
    return list(rule(operation, params, region))


def _table(name: str, region: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}"


def _key_value(typed: Mapping[str, Any]) -> str:
    return str(next(iter(typed.values())))


def _item(operation: str, params: Params, region: str) -> Iterator[Needed]:
    key = params.get("Key") or params.get("Item") or {}
    context = {"dynamodb:LeadingKeys": (_key_value(key["pk"]),)} if "pk" in key else {}
    yield Needed(f"dynamodb:{operation}", _table(params["TableName"], region), context)


def _query(operation: str, params: Params, region: str) -> Iterator[Needed]:
    table = _table(params["TableName"], region)
    index = params.get("IndexName")
    # The partition key of a query is the first value of its key condition, as we write them.
    condition = str(params.get("KeyConditionExpression", ""))
    name = condition.partition("=")[2].split()[0] if "=" in condition else ""
    value = params.get("ExpressionAttributeValues", {}).get(name)
    context = {"dynamodb:LeadingKeys": (_key_value(value),)} if value else {}
    yield Needed(f"dynamodb:{operation}", f"{table}/index/{index}" if index else table, context)


def _batch(operation: str, params: Params, region: str) -> Iterator[Needed]:
    for name, asked in params["RequestItems"].items():
        keys = asked.get("Keys", []) if isinstance(asked, Mapping) else []
        leading = tuple(sorted({_key_value(key["pk"]) for key in keys if "pk" in key}))
        context = {"dynamodb:LeadingKeys": leading} if leading else {}
        yield Needed(f"dynamodb:{operation}", _table(name, region), context)


def _on_table(operation: str, params: Params, region: str) -> Iterator[Needed]:
    yield Needed(f"dynamodb:{operation}", _table(params["TableName"], region))


def _on_stream(operation: str, params: Params, region: str) -> Iterator[Needed]:
    arn = params.get("StreamArn")
    yield Needed(f"dynamodb:{operation}", arn or f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/*")


def _put_events(_operation: str, params: Params, region: str) -> Iterator[Needed]:
    for entry in params["Entries"]:
        bus = str(entry.get("EventBusName", "default"))
        arn = (
            bus if bus.startswith("arn:") else f"arn:aws:events:{region}:{ACCOUNT}:event-bus/{bus}"
        )
        yield Needed("events:PutEvents", arn, {"events:source": (str(entry.get("Source", "")),)})


def _queue(operation: str, params: Params, region: str) -> Iterator[Needed]:
    name = str(params["QueueUrl"]).rsplit("/", 1)[-1]
    yield Needed(f"sqs:{operation.removesuffix('Batch')}", f"arn:aws:sqs:{region}:{ACCOUNT}:{name}")


def _topic(operation: str, params: Params, _region: str) -> Iterator[Needed]:
    yield Needed(f"sns:{operation}", str(params.get("TopicArn") or params.get("TargetArn")))


def _machine(operation: str, params: Params, _region: str) -> Iterator[Needed]:
    yield Needed(f"states:{operation}", str(params["stateMachineArn"]))


def _execution(operation: str, params: Params, _region: str) -> Iterator[Needed]:
    yield Needed(f"states:{operation}", str(params["executionArn"]))


def _invoke(_operation: str, params: Params, region: str) -> Iterator[Needed]:
    name = str(params["FunctionName"])
    arn = name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
    yield Needed("lambda:InvokeFunction", arn)


def _check(operation: str, params: Params, _region: str) -> Iterator[Needed]:
    yield Needed(f"route53:{operation}", f"arn:aws:route53:::healthcheck/{params['HealthCheckId']}")


def _alarms(operation: str, _params: Params, region: str) -> Iterator[Needed]:
    yield Needed(f"cloudwatch:{operation}", f"arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:*")


def _anything(prefix: str) -> Rule:
    def rule(operation: str, _params: Params, _region: str) -> Iterator[Needed]:
        yield Needed(f"{prefix}:{operation}", "*")

    return rule


Rule = Callable[[str, Params, str], Iterator[Needed]]
_RULES: Mapping[str, Mapping[str, Rule]] = {
    "dynamodb": {
        **dict.fromkeys(("GetItem", "PutItem", "UpdateItem", "DeleteItem"), _item),
        **dict.fromkeys(("BatchGetItem", "BatchWriteItem"), _batch),
        "Query": _query,
        "Scan": _query,
        "DescribeTable": _on_table,
    },
    "dynamodbstreams": dict.fromkeys(
        ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"), _on_stream
    ),
    "events": {"PutEvents": _put_events},
    "sqs": dict.fromkeys(
        (
            "SendMessage",
            "SendMessageBatch",
            "ReceiveMessage",
            "DeleteMessage",
            "DeleteMessageBatch",
            "GetQueueAttributes",
            "ChangeMessageVisibility",
        ),
        _queue,
    ),
    "sns": {"Publish": _topic},
    "stepfunctions": {
        **dict.fromkeys(("StartExecution", "StartSyncExecution", "ListExecutions"), _machine),
        **dict.fromkeys(("DescribeExecution", "GetExecutionHistory", "StopExecution"), _execution),
        **dict.fromkeys(
            ("SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"), _anything("states")
        ),
    },
    "lambda": {"Invoke": _invoke},
    "route53": dict.fromkeys(
        ("GetHealthCheck", "UpdateHealthCheck", "GetHealthCheckStatus"), _check
    ),
    "cloudwatch": {
        "DescribeAlarms": _alarms,
        **dict.fromkeys(
            ("GetMetricData", "GetMetricStatistics", "PutMetricData", "ListMetrics"),
            _anything("cloudwatch"),
        ),
    },
}
