"""The policy: its page tells the truth, and what is not in it is refused in words."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from sidestep.core import policy as module
from sidestep.core.errors import PolicyError
from sidestep.core.policy import APPROVALS, Policy

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text()
ROWS = {
    name: (default, allowed)
    for name, default, allowed in re.findall(r"^\| `(\w+)` \| `(.+?)` \| (.+?) \|", PAGE, re.M)
}


def test_the_page_tells_every_number_with_its_default() -> None:
    defaults = Policy()

    assert list(ROWS) == [field.name for field in fields(Policy)]
    for name, (default, _) in ROWS.items():
        value = getattr(defaults, name)
        told = default if isinstance(value, str) else json.loads(default)
        assert told == (list(value) if isinstance(value, tuple) else value), name


def test_the_page_tells_every_range() -> None:
    for name, (low, high) in module._RANGES.items():
        assert ROWS[name][1] == f"{low:.10g} to {high:.10g}"
    assert re.findall(r"`(\w+)`", ROWS["approval"][1]) == list(APPROVALS)
    for name in module._STRUCTURED:
        assert ROWS[name][1] == module.allowed(name)


@pytest.mark.parametrize("name", sorted(module._RANGES))
def test_a_number_may_be_at_the_ends_of_its_range_and_not_beyond(name: str) -> None:
    kind = type(getattr(Policy(), name))
    low, high = (kind(end) for end in module._RANGES[name])

    for end in (low, high):
        assert getattr(Policy.parse({name: end}), name) == end
    for beyond in (low - 1, high + 1):
        with pytest.raises(PolicyError, match=f"{name} is .* it may be"):
            Policy.parse({name: beyond})


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(PolicyError, match=r"lease_s is 5: .*; policy approval is 'maybe'"):
        Policy.parse({"lease_s": 5, "cooldown_s": 300, "approval": "maybe"})


def test_a_region_that_is_not_guarded_is_refused_where_the_guarded_are_known() -> None:
    window = {"region": "eu-west-3", "weekday": "sun", "from": "02:00", "minutes": 1}

    assert Policy.parse({"maintenance": [window]}).maintenance[0].region == "eu-west-3"
    with pytest.raises(PolicyError, match=r"window 1: region is 'eu-west-3': .* is not guarded"):
        Policy.parse({"maintenance": [window]}, ("eu-west-2", "us-east-1"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cool_down_s": 1}, "policy has no 'cool_down_s': did you mean 'cooldown_s'?"),
        ({"cooldown_s": "300"}, "cooldown_s is '300': it must be a whole number"),
        ({"cooldown_s": 1.5}, "cooldown_s is 1.5: it must be a whole number"),
        ({"cooldown_s": True}, "cooldown_s is True: it must be a whole number"),
        ({"observe_only": 1}, "observe_only is 1: it must be true or false"),
        ({"approval": "maybe"}, "approval is 'maybe': it may be never, "),
    ],
)
def test_what_is_no_policy_is_refused_in_words(given: dict[str, object], said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.parse(given)

    assert said in str(refused.value)
