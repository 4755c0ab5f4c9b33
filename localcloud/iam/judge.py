"""IAM: may this role do this? Roles and policies are moto's, the judgement is ours.

moto's own check knows no conditions and no resources of most services
(docs/decisions/005).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.iam.models import iam_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall
from localcloud.calls.wire import AwsError
from localcloud.iam.actions import required
from localcloud.iam.patterns import PolicyUnknownError
from localcloud.iam.policy import Needed, Statement, Verdict, judge, statements_of, trust_of

# How each service says no: SNS by its model's AuthorizationErrorException (botocore), Route 53
# and SQS without "Exception" (https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html,
# x-amzn-query-error of SQS), the others as JSON services do.
_REFUSALS = {
    "route53": ("AccessDenied", 403),
    "sqs": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "lambda": ("AccessDeniedException", 403),
}
_JUDGED_MOST = 20_000
_REFUSAL = ("AccessDeniedException", 400)


def refusal_of(service: str) -> tuple[str, int]:
    """The code and HTTP status with which a service says that a caller may not."""
    return _REFUSALS.get(service, _REFUSAL)


class Authorizer:
    """Judges API calls by the caller's role. `authorize` is the endpoint's hook."""

    def __init__(self) -> None:
        self._judged: dict[tuple[Any, ...], tuple[tuple[Any, ...], Verdict]] = {}

    def authorize(self, call: ApiCall) -> None:
        """Raise the service's refusal when the caller's role does not allow the call.

        Raises UnknownActionError or PolicyUnknownError, both by name, rather than guess.
        """
        if call.caller.role_arn is None:
            return
        asked = required(call.service, call.operation, call.params, call.region, partition_key)
        for needed in asked:
            verdict = self._known(call.caller.role_arn, needed, call.region)
            if not verdict.allowed:
                code, status = refusal_of(call.service)
                raise AwsError(
                    code,
                    f"User: {call.caller.role_arn} is not authorized to perform: "
                    f"{needed.action} on resource: {needed.resource} because {verdict.why}",
                    status,
                )

    def _known(self, role_arn: str, needed: Needed, region: str) -> Verdict:
        """As `allows`, judged once as long as the role's policies stay what they are."""
        key = (role_arn, needed.action, needed.resource, *needed.context.items(), region)
        policies = tuple(_role(role_arn).policies.values())
        known = self._judged.get(key)
        if known is None or known[0] != policies:
            if len(self._judged) > _JUDGED_MOST:
                self._judged.clear()
            known = self._judged[key] = (policies, self.allows(role_arn, needed, region))
        return known[1]

    def allows(self, role_arn: str, needed: Needed, region: str) -> Verdict:
        """Whether a role's policies allow an action on a resource, asked of a Region."""
        always = {
            "aws:PrincipalAccount": (ACCOUNT,),
            "aws:PrincipalArn": (role_arn,),
            "aws:PrincipalType": ("AssumedRole",),
            "aws:RequestedRegion": (region,),
            "aws:SecureTransport": ("true",),
        }
        return judge(_policies(role_arn), replace(needed, context={**always, **needed.context}))


def trusts(role_arn: str, service: str, source_arn: str | None = None) -> bool:
    """Whether a service (`lambda.amazonaws.com`) may assume a role, for the resource given."""
    document = _role(role_arn).assume_role_policy_document
    text = document if isinstance(document, str) else json.dumps(document)
    context = {"aws:SourceAccount": (ACCOUNT,)}
    if source_arn is not None:
        context["aws:SourceArn"] = (source_arn,)
    named = [one for one in trust_of(text) if service in (one.principals or ())]
    return judge(named, Needed("sts:AssumeRole", role_arn, context)).allowed


def partition_key(region: str, table: str, index: str | None) -> str | None:
    """The name of a table's or an index's partition key; None where there is no such table."""
    found = dynamodb_backends[ACCOUNT][region].tables.get(table)
    if found is None:
        return None
    if index is None:
        return str(found.hash_key_attr)
    for one in [*found.global_indexes, *found.indexes]:
        if one.name == index:
            return next(str(k["AttributeName"]) for k in one.schema if k["KeyType"] == "HASH")
    return None


def _policies(role_arn: str) -> list[Statement]:
    """A role's statements, as they are now; parsing a policy's text is cached."""
    role = _role(role_arn)
    if role.managed_policies:
        raise PolicyUnknownError(f"{role_arn} has attached policies: make them inline")
    if role.permissions_boundary:
        raise PolicyUnknownError(f"{role_arn} has a permissions boundary, which is not judged here")
    return [one for name, text in role.policies.items() for one in statements_of(name, text)]


def _role(role_arn: str) -> Any:
    backend = iam_backends[ACCOUNT]["aws"]
    # moto keeps roles by id and works an ARN out each time it is asked for one.
    known: dict[str, Any] = backend.__dict__.setdefault("_roles_by_arn", {})
    role = known.get(role_arn)
    if role is None or backend.roles.get(role.id) is not role:
        role = next((one for one in backend.roles.values() if one.arn == role_arn), None)
        known[role_arn] = role
    if role is not None:
        return role
    raise AwsError("AccessDeniedException", f"the role {role_arn} does not exist")
