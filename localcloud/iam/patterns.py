"""IAM's patterns: wildcards and policy variables in actions, resources and condition values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]
"""A request's condition keys, in lower case (key names know no case), and their values."""


class PolicyUnknownError(Exception):
    """A policy uses something that this evaluation does not know. Names it."""


# `${aws:PrincipalArn}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for
# the characters themselves
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_ESCAPES = frozenset("*?$")
ARN_PARTS = 6
"""arn, partition, service, Region, account, resource."""


def matches(pattern: str, value: str, context: Context, *, fold: bool = False) -> bool:
    """Whether a plain string matches: `*` is any characters, `?` one. `fold` ignores case."""
    return _compiled(_spelled(pattern, context), "plain", fold).fullmatch(value) is not None


def names_resource(pattern: str, arn: str, context: Context) -> bool:
    """Whether a Resource element names an ARN.

    `*` at the end of an ARN's part matches across colons, elsewhere it stays in its part
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html).
    """
    return _compiled(_spelled(pattern, context), "resource", False).fullmatch(arn) is not None


def is_like_arn(pattern: str, arn: str, context: Context) -> bool:
    """ArnLike, and ArnEquals, which does the same: each of an ARN's six parts by itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    wanted = _spelled(pattern, context).split(":", ARN_PARTS - 1)
    given = arn.split(":", ARN_PARTS - 1)
    if len(wanted) != ARN_PARTS or len(given) != ARN_PARTS:
        return False
    return all(
        _compiled(part, "plain", False).fullmatch(value)
        for part, value in zip(wanted, given, strict=True)
    )


def is_equal(wanted: str, value: str, context: Context) -> bool:
    """Whether a string is the very same, with policy variables replaced and no wildcards."""
    return _plain(_spelled(wanted, context)) == value


# Characters that a variable put in are literal: they are carried as these private code points.
_LITERAL = {"*": "\ue000", "?": "\ue001"}


def _spelled(pattern: str, context: Context) -> str:
    if "${" not in pattern:
        return pattern

    def put(found: re.Match[str]) -> str:
        text = _value_of(found[1], context)
        return "".join(_LITERAL.get(c, c) for c in text)

    return _VARIABLE.sub(put, pattern)


def _value_of(variable: str, context: Context) -> str:
    if variable in _ESCAPES:
        return variable
    key, _, default = (part.strip() for part in variable.partition(","))
    values = context.get(key.lower())
    if values is not None and len(values) == 1:
        return values[0]
    if len(default) > 1 and default[0] == default[-1] == "'":
        return default[1:-1]
    raise PolicyUnknownError(f"the policy variable ${{{variable}}} has no one value here")


def _plain(text: str) -> str:
    for character, stand_in in _LITERAL.items():
        text = text.replace(stand_in, character)
    return text


@lru_cache(maxsize=4096)
def _compiled(pattern: str, kind: str, fold: bool) -> re.Pattern[str]:
    parts: list[str] = []
    for at, character in enumerate(pattern):
        inside = kind == "resource" and pattern[at + 1 : at + 2] not in ("", ":")
        if character == "*":
            parts.append("[^:]*" if inside else ".*")
        elif character == "?":
            parts.append("[^:]" if kind == "resource" else ".")
        else:
            parts.append(re.escape(_plain(character)))
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if fold else 0))
