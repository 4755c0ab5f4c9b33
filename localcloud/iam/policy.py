"""IAM policy documents and their evaluation.

The logic is that of one account without boundaries, session policies or organization
policies: an explicit Deny wins, then any Allow, else denied
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from localcloud.iam.conditions import Condition, conditions
from localcloud.iam.patterns import Context, PolicyUnknownError, matches, names_resource


@dataclass(frozen=True)
class Needed:
    """One action on one resource, with the context keys that conditions may look at."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Whether it is allowed, and by which statement or the lack of one."""

    allowed: bool
    why: str


@dataclass(frozen=True)
class Matcher:
    """Action or Resource, or with `inverted` NotAction or NotResource."""

    patterns: tuple[str, ...]
    inverted: bool


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. `principals` are a trust policy's services."""

    name: str
    allows: bool
    actions: Matcher
    resources: Matcher | None
    principals: tuple[str, ...] | None
    conditions: tuple[Condition, ...]

    def applies(self, needed: Needed, context: Context) -> bool:
        """Whether it speaks of this action on this resource in this context."""
        acts = any(matches(p, needed.action, {}, fold=True) for p in self.actions.patterns)
        if acts is self.actions.inverted:
            return False
        if self.resources is not None:
            patterns = self.resources.patterns
            on = any(names_resource(p, needed.resource, context) for p in patterns)
            if on is self.resources.inverted:
                return False
        return all(condition.holds(context) for condition in self.conditions)


def judge(statements: Iterable[Statement], needed: Needed) -> Verdict:
    """The evaluation itself. Raises PolicyUnknownError rather than guess."""
    context = {key.lower(): values for key, values in needed.context.items()}
    allowing = ""
    for statement in statements:
        if not statement.applies(needed, context):
            continue
        if not statement.allows:
            return Verdict(False, f"{statement.name} denies it explicitly")
        allowing = allowing or statement.name
    if allowing:
        return Verdict(True, f"{allowing} allows it")
    return Verdict(False, f"no identity-based policy allows the {needed.action} action")


@lru_cache(maxsize=1024)
def statements_of(name: str, document: str) -> tuple[Statement, ...]:
    """A role's policy, from its JSON text. Raises PolicyUnknownError."""
    return tuple(
        _statement(f"policy {name}, statement {given.get('Sid') or number}", given, trust=False)
        for number, given in enumerate(_listed(json.loads(document)["Statement"]), 1)
    )


@lru_cache(maxsize=1024)
def trust_of(document: str) -> tuple[Statement, ...]:
    """A role's trust policy, from its JSON text. Raises PolicyUnknownError."""
    return tuple(
        _statement(f"trust policy, statement {given.get('Sid') or number}", given, trust=True)
        for number, given in enumerate(_listed(json.loads(document)["Statement"]), 1)
    )


_SHARED = frozenset({"Sid", "Effect", "Action", "NotAction", "Condition"})
_IDENTITY = _SHARED | {"Resource", "NotResource"}
_TRUST = _SHARED | {"Principal"}


def _statement(name: str, given: Mapping[str, Any], *, trust: bool) -> Statement:
    unknown = set(given) - (_TRUST if trust else _IDENTITY)
    if unknown:
        raise PolicyUnknownError(f"{name}: {', '.join(sorted(unknown))} is not known here")
    if given.get("Effect") not in ("Allow", "Deny"):
        raise PolicyUnknownError(f"{name}: Effect is {given.get('Effect')!r}")
    try:
        held = conditions(given.get("Condition", {}))
    except PolicyUnknownError as error:
        raise PolicyUnknownError(f"{name}: {error}") from None
    return Statement(
        name=name,
        allows=given["Effect"] == "Allow",
        actions=_matcher(name, given, "Action"),
        resources=None if trust else _matcher(name, given, "Resource"),
        principals=_services(name, given) if trust else None,
        conditions=held,
    )


def _matcher(name: str, given: Mapping[str, Any], element: str) -> Matcher:
    if (element in given) is (f"Not{element}" in given):
        raise PolicyUnknownError(f"{name}: it needs one of {element} and Not{element}")
    inverted = element not in given
    found = given[f"Not{element}" if inverted else element]
    return Matcher(tuple(str(one) for one in _listed(found)), inverted)


def _services(name: str, given: Mapping[str, Any]) -> tuple[str, ...]:
    principal = given.get("Principal")
    if not isinstance(principal, Mapping) or set(principal) - {"Service", "AWS"}:
        raise PolicyUnknownError(f"{name}: the principal {principal!r} is not known here")
    return tuple(str(one) for one in _listed(principal.get("Service", [])))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
