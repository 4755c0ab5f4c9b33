"""SNS: what was published, who was paged, and delivery to queues and functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from moto.sns.models import Subscription, sns_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.async_invoke import AsyncInvocations
from localcloud.services.identifiers import new_id
from localcloud.services.queues import Queues
from localcloud.services.resource_policies import ResourcePolicies

PROTOCOLS: Final = frozenset({"email", "email-json", "sqs", "lambda"})
SNS: Final = "sns.amazonaws.com"


@dataclass(frozen=True)
class Published:
    """One published message. `at` is epoch seconds."""

    at: float
    topic_arn: str
    subject: str
    message: str
    id: str


class Notifications:
    """Every Region's topics. E-mail goes into the history as `page`; addresses are confirmed."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        endpoint: Endpoint,
        queues: Queues,
        invocations: AsyncInvocations,
        policies: ResourcePolicies,
    ) -> None:
        self._ids = kernel.fork("message ids")
        self._kernel, self._network, self._queues = kernel, network, queues
        self._invocations, self._policies = invocations, policies
        self._chance = kernel.fork("sns")
        self.published: dict[str, list[Published]] = {}
        """What was published, by topic ARN."""
        endpoint.answers("sns", "Publish")(self._publish_call)
        endpoint.before("sns", "Subscribe")(_check)

    def publish(self, topic_arn: str, subject: str, message: str) -> str:
        """Publish on a service's behalf; the message's id. Raises LookupError: no such topic."""
        region = topic_arn.split(":")[3]
        if topic_arn not in sns_backends[ACCOUNT][region].topics:
            raise LookupError(f"no topic {topic_arn}")
        made = Published(self._kernel.now, topic_arn, subject, message, new_id(self._ids))
        self.published.setdefault(topic_arn, []).append(made)
        self._kernel.log("notification", region=region, topic=topic_arn, subject=subject)
        for subscription in list(sns_backends[ACCOUNT][region].subscriptions.values()):
            if subscription.topic_arn == topic_arn:
                self._kernel.process(self._deliver(region, subscription, made))
        return made.id

    def _publish_call(self, call: ApiCall) -> Mapping[str, Any]:
        arn = call.params.get("TopicArn") or call.params.get("TargetArn")
        if not arn:
            raise AwsError("InvalidParameter", "the local cloud publishes to topics only")
        try:
            message_id = self.publish(arn, call.params.get("Subject", ""), call.params["Message"])
        except LookupError:
            raise AwsError("NotFound", "Topic does not exist", 404) from None
        return {"MessageId": message_id}

    def _deliver(self, region: str, subscription: Subscription, sent: Published) -> Steps[None]:
        yield self._kernel.env.timeout(self._chance.uniform(*modelled.DELIVERY_S))
        while region in self._network.down:
            yield self._kernel.env.timeout(1.0)
        target, protocol = subscription.endpoint, subscription.protocol
        if protocol.startswith("email"):
            self._kernel.log(
                "page", region=region, to=target, subject=sent.subject, message=sent.message
            )
            return
        action = "sqs:SendMessage" if protocol == "sqs" else "lambda:InvokeFunction"
        if not self._policies.allows(SNS, action, target, sent.topic_arn):
            self._kernel.log("notification.refused", region=region, target=target)
            return
        if protocol == "sqs":
            raw = str(subscription.attributes.get("RawMessageDelivery", "")).lower() == "true"
            self._queues.send(target, sent.message if raw else json.dumps(_envelope(sent)))
        else:
            record = {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription.arn,
                "Sns": _envelope(sent) | {"MessageAttributes": {}},
            }
            self._invocations.accept(target, {"Records": [record]})


def _envelope(sent: Published) -> dict[str, Any]:
    """A notification as SNS sends it, without its signature."""
    at = datetime.fromtimestamp(sent.at, UTC)
    return {
        "Type": "Notification",
        "MessageId": sent.id,
        "TopicArn": sent.topic_arn,
        "Subject": sent.subject or None,
        "Message": sent.message,
        "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z",
    }


def _check(call: ApiCall) -> None:
    if call.params.get("Protocol") not in PROTOCOLS:
        raise AwsError(
            "InvalidParameter",
            f"the local cloud does not deliver SNS by {call.params.get('Protocol')}",
        )
