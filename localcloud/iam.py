"""IAM: may this role do this? Roles and policies are moto's, the judgement is ours.

moto's own check knows no conditions and no resources of most services
(docs/decisions/005). The rules are IAM's policy evaluation logic for one account without
boundaries or session policies: an explicit Deny wins, then any Allow, else denied
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
A condition operator that is not known here is an error by name, not a guess.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends

from localcloud.endpoint import ACCOUNT, ApiCall
from localcloud.iam_actions import Needed, required
from localcloud.wire import AwsError


class PolicyUnknownError(Exception):
    """A policy uses something that this evaluation does not know. Names it."""


@dataclass(frozen=True)
class Verdict:
    """Whether it is allowed, and by which statement or the lack of one."""

    allowed: bool
    why: str


class Authorizer:
    """Judges API calls by the caller's role. `authorize` is the endpoint's hook."""

    def __init__(self) -> None:
        self._policies: dict[str, list[Mapping[str, Any]]] = {}

    def authorize(self, call: ApiCall) -> None:
        """Raise AccessDenied, as the service would, when the caller's role does not allow it."""
        if call.caller.role_arn is None:
            return
        for needed in required(call.service, call.operation, call.params, call.region):
            verdict = self.allows(call.caller.role_arn, needed)
            if not verdict.allowed:
                # Route 53 and SQS name the error without "Exception".
                code = "AccessDenied" if call.service in ("route53", "sqs", "sns") else ""
                raise AwsError(
                    code or "AccessDeniedException",
                    f"User: {call.caller.role_arn} is not authorized to perform: "
                    f"{needed.action} on resource: {needed.resource} because {verdict.why}",
                    403 if code else 400,
                )

    def allows(self, role_arn: str, needed: Needed) -> Verdict:
        """Whether a role's policies allow an action on a resource in its context."""
        statements = [s for policy in self._of(role_arn) for s in _statements(policy)]
        return judge(statements, needed)

    def trusts(self, role_arn: str, service: str) -> bool:
        """Whether a service may assume a role."""
        role = _role(role_arn)
        document = role.assume_role_policy_document
        policy = json.loads(document) if isinstance(document, str) else document
        for statement in _statements(policy):
            principals = statement.get("Principal", {})
            named = (
                _listed(principals.get("Service", [])) if isinstance(principals, Mapping) else []
            )
            if statement["Effect"] == "Allow" and service in named:
                return True
        return False

    def _of(self, role_arn: str) -> list[Mapping[str, Any]]:
        """A role's policy documents; read once, since a deployed role does not change."""
        if role_arn not in self._policies:
            role = _role(role_arn)
            if role.managed_policies:
                raise PolicyUnknownError(f"{role_arn} has attached policies: make them inline")
            self._policies[role_arn] = [json.loads(text) for text in role.policies.values()]
        return self._policies[role_arn]


def judge(statements: Sequence[Mapping[str, Any]], needed: Needed) -> Verdict:
    """The evaluation itself, over statements."""
    allowed = ""
    for statement in statements:
        if not _applies(statement, needed):
            continue
        if statement["Effect"] == "Deny":
            return Verdict(False, f"an explicit deny ({statement.get('Sid', 'no Sid')}) says so")
        allowed = statement.get("Sid", "a statement")
    if allowed:
        return Verdict(True, f"{allowed} allows it")
    return Verdict(False, f"no identity-based policy allows the {needed.action} action")


def _applies(statement: Mapping[str, Any], needed: Needed) -> bool:
    if "NotAction" in statement:
        acts = not _any_match(_listed(statement["NotAction"]), needed.action, fold=True)
    else:
        acts = _any_match(_listed(statement["Action"]), needed.action, fold=True)
    if not acts:
        return False
    if "NotResource" in statement:
        on = not _any_match(_listed(statement["NotResource"]), needed.resource)
    else:
        on = _any_match(_listed(statement["Resource"]), needed.resource)
    return on and _conditions_hold(statement.get("Condition", {}), needed.context)


def _any_match(patterns: Iterable[str], value: str, fold: bool = False) -> bool:
    return any(_pattern(pattern, fold).fullmatch(value) for pattern in patterns)


@lru_cache(maxsize=4096)
def _pattern(pattern: str, fold: bool) -> re.Pattern[str]:
    """IAM's wildcards: `*` any characters, `?` one. Actions fold case, resources do not."""
    if "${" in pattern:
        raise PolicyUnknownError(f"policy variables are not known here: {pattern}")
    text = "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern)
    return re.compile(text, re.IGNORECASE if fold else 0)


Operator = Callable[[str, str], bool]
_OPERATORS: Mapping[str, Operator] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringNotEquals": lambda value, wanted: value != wanted,
    "StringLike": lambda value, wanted: fnmatch.fnmatchcase(value, wanted),
    "StringNotLike": lambda value, wanted: not fnmatch.fnmatchcase(value, wanted),
    "ArnEquals": lambda value, wanted: fnmatch.fnmatchcase(value, wanted),
    "ArnLike": lambda value, wanted: fnmatch.fnmatchcase(value, wanted),
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
}
_NEGATED = frozenset({"StringNotEquals", "StringNotLike"})


def _conditions_hold(
    conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, tuple[str, ...]]
) -> bool:
    """Every operator and key must hold; of a key's values any will do."""
    for name, keys in conditions.items():
        quantifier, _, operator_name = name.rpartition(":")
        if quantifier not in ("", "ForAllValues", "ForAnyValue"):
            raise PolicyUnknownError(f"condition quantifier {quantifier} is not known here")
        optional = operator_name.endswith("IfExists")
        operator = _OPERATORS.get(operator_name.removesuffix("IfExists"))
        if operator is None:
            raise PolicyUnknownError(f"condition operator {operator_name} is not known here")
        negated = operator_name.removesuffix("IfExists") in _NEGATED
        for key, wanted in keys.items():
            values = context.get(key)
            if values is None:
                # A missing key fails, but for IfExists, negated operators and ForAllValues.
                if optional or negated or quantifier == "ForAllValues":
                    continue
                return False
            choose = all if quantifier == "ForAllValues" else any
            combine = all if negated else any
            if not choose(combine(operator(v, str(w)) for w in _listed(wanted)) for v in values):
                return False
    return True


def _statements(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = policy["Statement"]
    return [found] if isinstance(found, Mapping) else list(found)


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def _role(role_arn: str) -> Any:
    backend = iam_backends[ACCOUNT]["aws"]
    for role in backend.roles.values():
        if role.arn == role_arn:
            return role
    raise AwsError("AccessDeniedException", f"the role {role_arn} does not exist")
