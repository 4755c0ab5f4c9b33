"""Topics, their subscriptions and policies."""

from __future__ import annotations

import json

from localcloud.template.kinds import Built, Deployment, Properties, builds, only


@builds(
    "AWS::SNS::Topic",
    "TopicName Subscription",
    {
        "KmsMasterKeyId": "nothing is encrypted here",
        "DisplayName": "for readers of mail",
        "TracingConfig": "there are no traces here",
    },
)
def _topic(d: Deployment, logical: str, p: Properties) -> Built:
    sns = d.client("sns")
    arn = sns.create_topic(Name=p.get("TopicName") or d.generated(logical, 256))["TopicArn"]
    for one in p.get("Subscription", []):
        only(one, "Protocol Endpoint", f"{logical}.Subscription")
        sns.subscribe(TopicArn=arn, **one)
    return arn, {"TopicArn": arn, "TopicName": arn.rsplit(":", 1)[-1]}


@builds("AWS::SNS::Subscription", "TopicArn Protocol Endpoint")
def _subscription(d: Deployment, _: str, p: Properties) -> Built:
    arn = d.client("sns").subscribe(**p)["SubscriptionArn"]
    return arn, {"Arn": arn}


@builds("AWS::SNS::TopicPolicy", "Topics PolicyDocument")
def _topic_policy(d: Deployment, logical: str, p: Properties) -> Built:
    policy = json.dumps(p["PolicyDocument"])
    for arn in p["Topics"]:
        d.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=policy
        )
    return d.generated(logical), {}
