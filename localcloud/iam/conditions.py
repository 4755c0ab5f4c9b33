"""IAM's conditions: operators, set quantifiers, and what a missing key means.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
An operator or a key that is not known here is an error by name, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.iam.patterns import (
    Context,
    PolicyUnknownError,
    is_equal,
    is_like_arn,
    matches,
)

Test = Callable[[str, str, Context], bool]
"""(wanted, value, context) → does it hold? Policy variables may be in `wanted`."""

KNOWN_KEYS = frozenset(
    key.lower()
    for key in (
        # Given with every request.
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalType",
        "aws:RequestedRegion",
        "aws:SecureTransport",
        # Given where a service acts for a resource, absent from a role's own calls.
        "aws:SourceAccount",
        "aws:SourceArn",
        # Given by localcloud.iam.actions for the operations that have them.
        "dynamodb:LeadingKeys",
        "events:detail-type",
        "events:source",
    )
)
"""The condition keys whose presence or absence means something here."""


def _number(compare: Callable[[float, float], bool]) -> Test:
    def test(wanted: str, value: str, _context: Context) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False  # not a number: the values do not match

    return test


_OPERATORS: Mapping[str, Test] = {
    "StringEquals": is_equal,
    "StringEqualsIgnoreCase": lambda w, v, c: is_equal(w.lower(), v.lower(), c),
    "StringLike": matches,
    "ArnEquals": is_like_arn,
    "ArnLike": is_like_arn,
    "Bool": lambda w, v, _: w.lower() == v.lower(),
    "NumericEquals": _number(lambda value, wanted: value == wanted),
    "NumericLessThan": _number(lambda value, wanted: value < wanted),
    "NumericLessThanEquals": _number(lambda value, wanted: value <= wanted),
    "NumericGreaterThan": _number(lambda value, wanted: value > wanted),
    "NumericGreaterThanEquals": _number(lambda value, wanted: value >= wanted),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


@dataclass(frozen=True)
class Condition:
    """One operator on one key. Of the wanted values any will do; negated, none may."""

    key: str
    wanted: tuple[str, ...]
    test: Test | None
    """None: the Null operator."""
    negated: bool
    if_exists: bool
    quantifier: str

    def holds(self, context: Context) -> bool:
        """Whether a request's context satisfies it."""
        values = context.get(self.key)
        if self.test is None:
            absent = "false" if values else "true"
            return any(wanted.lower() == absent for wanted in self.wanted)
        if self.quantifier == "ForAllValues":
            return all(self._one(value, context) for value in values or ())
        if self.quantifier == "ForAnyValue":
            return any(self._one(value, context) for value in values or ())
        if not values:
            return self.if_exists or self.negated
        if len(values) > 1:
            raise PolicyUnknownError(
                f"{self.key} has {len(values)} values here: its condition needs ForAllValues "
                "or ForAnyValue"
            )
        return self._one(values[0], context)

    def _one(self, value: str, context: Context) -> bool:
        assert self.test is not None
        found = any(self.test(wanted, value, context) for wanted in self.wanted)
        return found is not self.negated


def conditions(element: Mapping[str, Mapping[str, Any]]) -> tuple[Condition, ...]:
    """A statement's Condition element: all of them must hold. Raises PolicyUnknownError."""
    return tuple(
        _condition(operator, key, wanted)
        for operator, keys in element.items()
        for key, wanted in keys.items()
    )


def _condition(operator: str, key: str, wanted: Any) -> Condition:
    quantifier, _, name = operator.rpartition(":")
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise PolicyUnknownError(f"the condition quantifier {quantifier} is not known here")
    base = name.removesuffix("IfExists")
    positive = _NEGATED.get(base, base)
    if name != "Null" and positive not in _OPERATORS:
        raise PolicyUnknownError(f"the condition operator {name} is not known here")
    if key.lower() not in KNOWN_KEYS:
        raise PolicyUnknownError(f"the condition key {key} is not known here")
    return Condition(
        key=key.lower(),
        wanted=_texts(wanted),
        test=_OPERATORS.get(positive),
        negated=base in _NEGATED,
        if_exists=name.endswith("IfExists"),
        quantifier=quantifier,
    )


def _texts(value: Any) -> tuple[str, ...]:
    """JSON's booleans and numbers as IAM compares them: as text."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(text for one in value for text in _texts(one))
    return (str(value).lower() if isinstance(value, bool) else str(value),)
