"""Queues and their policies."""

from __future__ import annotations

import json

from localcloud.template.kinds import Built, Deployment, Properties, builds, picked

_NUMBERS = "VisibilityTimeout MessageRetentionPeriod DelaySeconds"


@builds(
    "AWS::SQS::Queue",
    f"QueueName RedrivePolicy {_NUMBERS}",
    {"SqsManagedSseEnabled KmsMasterKeyId": "nothing is encrypted here"},
)
def _queue(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("QueueName") or d.generated(logical, 80)
    attributes = {key: str(value) for key, value in picked(p, _NUMBERS).items()}
    if "RedrivePolicy" in p:
        attributes["RedrivePolicy"] = json.dumps(p["RedrivePolicy"])
    url = d.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, {"Arn": d.arn("sqs", name), "QueueName": name, "QueueUrl": url}


@builds("AWS::SQS::QueuePolicy", "Queues PolicyDocument")
def _queue_policy(d: Deployment, logical: str, p: Properties) -> Built:
    for url in p["Queues"]:
        policy = {"Policy": json.dumps(p["PolicyDocument"])}
        d.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
    return d.generated(logical), {}
