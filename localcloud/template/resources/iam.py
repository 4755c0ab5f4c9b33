"""Roles and their policies, kept by moto and judged by localcloud.iam.judge."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.models import iam_backends
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from localcloud.calls.endpoint import ACCOUNT
from localcloud.iam.judge import trusts
from localcloud.template.errors import TemplateError
from localcloud.template.kinds import Built, Deployment, Properties, builds

_VALID: set[str] = set()
"""Policies that were found to be in order."""


@builds(
    "AWS::IAM::Role",
    "RoleName AssumeRolePolicyDocument Policies ManagedPolicyArns Path",
    {"Description": "for readers", "MaxSessionDuration": "nobody signs in here"},
)
def _role(d: Deployment, logical: str, p: Properties) -> Built:
    # Role names are the account's, not a Region's: two Regions' stacks must not meet.
    name = p.get("RoleName") or d.generated(logical)
    # Asked without HTTP: a world has about a hundred roles.
    iam = iam_backends[ACCOUNT]["aws"]
    role = iam.create_role(
        role_name=name,
        assume_role_policy_document=json.dumps(p["AssumeRolePolicyDocument"]),
        path=p.get("Path", "/"),
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration=None,
    )
    documents = {
        one["PolicyName"]: _document(one["PolicyDocument"]) for one in p.get("Policies", [])
    }
    # Inline, since moto loads all of AWS's managed policies anew for each account.
    documents |= {arn.rsplit("/", 1)[-1]: _managed(arn) for arn in p.get("ManagedPolicyArns", [])}
    for policy, document in documents.items():
        _put_policy(name, policy, document)
    return name, {"Arn": role.arn, "RoleId": role.id}


@builds("AWS::IAM::Policy", "PolicyName PolicyDocument Roles")
def _policy(_d: Deployment, _: str, p: Properties) -> Built:
    for role in p["Roles"]:
        _put_policy(role, p["PolicyName"], _document(p["PolicyDocument"]))
    return p["PolicyName"], {}


def _put_policy(role: str, name: str, document: str) -> None:
    """Give a role a policy. Raises TemplateError for one that IAM would not take."""
    if document not in _VALID:
        try:
            IAMPolicyDocumentValidator(document).validate()
        except MalformedPolicyDocument as wrong:
            raise TemplateError(f"policy {name}: {wrong.message}") from None
        _VALID.add(document)
    iam_backends[ACCOUNT]["aws"].get_role(role).put_policy(name, document)


def _document(policy: dict[str, Any]) -> str:
    """A policy as moto takes it: with version 2012-10-17.

    SAM writes some without a version, which IAM reads as 2008-10-17. The two differ in
    policy variables alone.
    """
    text = json.dumps(policy | {"Version": "2012-10-17"})
    if policy.get("Version") != "2012-10-17" and "${" in text:
        raise TemplateError("a policy before 2012-10-17 has no variables, only text like ${…}")
    return text


@cache
def _managed(arn: str) -> str:
    """The document of an AWS managed policy, from the copy that moto carries."""
    policy = json.loads(aws_managed_policies_data).get(arn.rsplit("/", 1)[-1])
    if not arn.startswith("arn:aws:iam::aws:policy/") or policy is None:
        raise TemplateError(f"the local cloud knows no managed policy {arn}")
    return json.dumps(policy["Document"])


def check_trust(role_arn: str, service: str, where: str, source_arn: str | None = None) -> None:
    """Raise TemplateError when a service may not assume the role that it is given."""
    if not trusts(role_arn, service, source_arn):
        raise TemplateError(f"{where}: {service} is not authorized to assume {role_arn}")
