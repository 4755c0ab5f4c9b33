"""Moments and lengths of time as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def moment(at_ms: int) -> str:
    """A moment (epoch ms) to the second: an incident is of seconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def length(seconds: float) -> str:
    """A length of time in its two largest units; under two minutes, as policies give it, in s."""
    whole = round(seconds)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def _two(whole: int, large: int, name: str, small: int, rest: str) -> str:
    left = whole % large // small
    return f"{whole // large} {name}" + (f" {left} {rest}" if left else "")
