"""Who a resource lets in: Lambda permissions, queue and topic policies, for service principals.

A role's own policies are the endpoint's matter. A service that calls on its own behalf
(EventBridge to Lambda, SQS or SNS; CloudWatch to SNS) has only what the resource grants.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from localcloud.calls.endpoint import ACCOUNT


class ResourcePolicies:
    """Statements attached to resources, asked with `allows`."""

    def __init__(self) -> None:
        self._statements: dict[str, list[Mapping[str, Any]]] = {}
        self._invokers: dict[tuple[str, str, str, str], bool] = {}

    def add_permission(
        self, resource_arn: str, principal: str, action: str, source_arn: str | None = None
    ) -> None:
        """What AWS::Lambda::Permission adds to a function's policy."""
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": action,
            "Resource": resource_arn,
        }
        if source_arn:
            statement["Condition"] = {"ArnLike": {"AWS:SourceArn": source_arn}}
        self._statements.setdefault(resource_arn, []).append(statement)
        self._invokers.clear()

    def allows(self, principal: str, action: str, resource_arn: str, source_arn: str) -> bool:
        """Whether a service may do this to a resource on behalf of `source_arn`."""
        if ":lambda:" not in resource_arn:
            return self._judge(principal, action, resource_arn, source_arn)
        # A function's policy changes by `add_permission` alone.
        key = (principal, action, resource_arn, source_arn)
        if key not in self._invokers:
            self._invokers[key] = self._judge(*key)
        return self._invokers[key]

    def _judge(self, principal: str, action: str, resource_arn: str, source_arn: str) -> bool:
        allowed = False
        for statement in [*self._statements.get(resource_arn, ()), *_stored(resource_arn)]:
            if _applies(statement, principal, action, resource_arn, source_arn):
                if statement.get("Effect") == "Deny":
                    return False
                allowed = True
        return allowed


def _stored(resource_arn: str) -> Iterator[Mapping[str, Any]]:
    """The statements of a queue's or topic's policy, where moto keeps it."""
    _, _, service, region, _, name = resource_arn.split(":", 5)
    policy: Any = None
    if service == "sqs":
        queue = sqs_backends[ACCOUNT][region].queues.get(name)
        policy = queue.policy if queue is not None else None
    elif service == "sns":
        topic = sns_backends[ACCOUNT][region].topics.get(resource_arn)
        policy = topic.policy if topic is not None else None
    if isinstance(policy, str) and policy:
        policy = json.loads(policy)
    if isinstance(policy, Mapping):
        statements = policy.get("Statement", [])
        yield from [statements] if isinstance(statements, Mapping) else statements


def _applies(
    statement: Mapping[str, Any], principal: str, action: str, resource_arn: str, source_arn: str
) -> bool:
    who = statement.get("Principal")
    if isinstance(who, Mapping):
        who = who.get("Service") or who.get("AWS")
    if not any(name in ("*", principal) for name in _list(who)):
        return False
    # Action names are not case-sensitive; an SNS policy writes SNS:Publish.
    actions = (pattern.lower() for pattern in _list(statement.get("Action")))
    if not any(fnmatch.fnmatchcase(action.lower(), pattern) for pattern in actions):
        return False
    resources = _list(statement.get("Resource", "*"))
    if not any(fnmatch.fnmatchcase(resource_arn, pattern) for pattern in resources):
        return False
    return all(
        _holds(operator, key, _list(wanted), source_arn)
        for operator, conditions in (statement.get("Condition") or {}).items()
        for key, wanted in conditions.items()
    )


def _holds(operator: str, key: str, wanted: list[str], source_arn: str) -> bool:
    """One condition. Only what a service principal's call carries: source ARN and account."""
    actual = {"aws:sourcearn": source_arn, "aws:sourceaccount": ACCOUNT}.get(key.lower())
    if actual is None:
        return False  # a key that the call does not carry, such as aws:SourceOwner
    if operator in ("StringEquals", "ArnEquals", "ArnLike", "StringLike"):
        return any(fnmatch.fnmatchcase(actual, pattern) for pattern in wanted)
    return False


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
