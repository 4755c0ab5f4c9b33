"""Runs this folder's own tests against a template that lacks something, without pytest's ways.

A mutation is worth seconds of pytest and milliseconds here: every module is compiled once, is
executed anew for each template, and its tests run until the first that does not hold.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from tests.template import one_stack

_PARAMETERS = type(pytest.param())
FOLDER = Path(__file__).parent
NOT_OF_A_STACK = {"test_tools.py", "test_nothing_is_idle.py"}
"""AWS's own tools, which read the file itself; and the test that is made of this."""

Step = str | int
Place = tuple[Step, ...]
Test = tuple[str, str]
"""A module's file name, a function's name."""


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every place in a value, a mapping's keys and a list's items, outer ones first."""
    if isinstance(value, Mapping):
        inner: Sequence[tuple[Step, Any]] = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return
    for step, part in inner:
        yield (*at, step)
        yield from places(part, (*at, step))


def plain_template() -> dict[str, Any]:
    """The translated template in plain mappings: SAM's own keep an order of keys beside them."""
    plain: dict[str, Any] = json.loads(json.dumps(one_stack.translated()))
    return plain


def lacking(template: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A copy of the template without what is at a place; the rest is shared."""
    changed: dict[str, Any] = dict(template)
    inside: Any = changed
    for step in place[:-1]:
        inside[step] = copy.copy(inside[step])
        inside = inside[step]
    del inside[place[-1]]
    return changed


class Expectations:
    """The tests of this folder, the ones that found the last flaws first."""

    def __init__(self) -> None:
        self._order: list[Test] = [
            (name, function) for name in _codes() for function in _tests(_executed(name))
        ]

    def broken_by(self, plain: Mapping[str, Any]) -> Test | None:
        """The first test that does not hold for this translated template; None: all hold."""
        with _standing_in(plain):
            modules: dict[str, Mapping[str, Any] | None] = {}
            for place, test in enumerate(self._order):
                name, function = test
                if name not in modules:
                    modules[name] = _tried(lambda name=name: _executed(name))  # type: ignore[misc]  # bound now
                module = modules[name]
                if module is None or _tried(lambda: _run(module[function])) is None:  # noqa: B023
                    self._order.insert(0, self._order.pop(place))
                    return test
        return None


def _tried(act: Callable[[], Any]) -> Any:
    """What it comes to; None when it fails, as a test does."""
    try:
        return act()
    except Exception:  # noqa: BLE001  # any error is a test that does not hold
        return None


def _run(test: Callable[..., None]) -> bool:
    """Run a test function with each of its parameters."""
    marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
    sets = [_choices(*mark.args) for mark in marks]
    for chosen in itertools.product(*sets):
        test(**{name: value for one in chosen for name, value in one.items()})
    return True


def _choices(names: str | Sequence[str], values: Iterable[Any]) -> list[dict[str, Any]]:
    """What one `parametrize` gives to a test, a mapping for each of its runs."""
    split = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    choices = []
    for value in values:
        if isinstance(value, _PARAMETERS):
            given = value.values
        else:
            given = value if len(split) > 1 else (value,)
        choices.append(dict(zip(split, given, strict=True)))
    return choices


@cache
def _codes() -> dict[str, CodeType]:
    return {
        path.name: compile(path.read_text(), str(path), "exec")
        for path in sorted(FOLDER.glob("test_*.py"))
        if path.name not in NOT_OF_A_STACK
    }


def _executed(name: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": f"expectations.{name}", "__file__": str(FOLDER / name)}
    exec(_codes()[name], module)
    return module


def _tests(module: Mapping[str, Any]) -> list[str]:
    return [name for name in module if name.startswith("test_")]


@contextmanager
def _standing_in(plain: Mapping[str, Any]) -> Iterator[None]:
    """Have `one_stack` read this template instead of ours; a stack is evaluated once."""
    real_template, real_stack = one_stack.translated, one_stack.Stack

    @cache
    def stack(*args: Any, **given: Any) -> one_stack.Stack:
        return real_stack(*args, **given)

    one_stack.translated = lambda: plain  # type: ignore[assignment]
    one_stack.Stack = stack  # type: ignore[misc,assignment]
    try:
        yield
    finally:
        one_stack.translated, one_stack.Stack = real_template, real_stack  # type: ignore[misc]
