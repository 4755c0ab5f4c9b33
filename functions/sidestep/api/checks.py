"""Whether this Region can serve: what /health finds out before it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sidestep.aws.regional import DrillFault
from sidestep.core.errors import SidestepError

SAME_WRITE_MS = 1000
"""Environments of one Region write one probe item, and a clock may be a little behind
another's: an item this much older than ours is still of now."""


class Probe(Protocol):
    """This Region's probe item."""

    def write(self, at: int) -> None:
        """Write it."""

    def read(self) -> int | None:
        """Read it back."""


class Faults(Protocol):
    """Where a drill's fault would be."""

    def fault(self) -> DrillFault | None:
        """The injected fault, over or not."""


@dataclass(frozen=True)
class Check:
    """One check: whether it passed, how long it took, and why it failed or was not made."""

    ok: bool
    ms: int
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As /health shows it."""
        return {"ok": self.ok, "ms": self.ms} | ({"why": self.why} if self.why else {})


@dataclass(frozen=True)
class Report:
    """All checks by name, made at `at` (epoch ms)."""

    at: int
    checks: Mapping[str, Check]

    @property
    def healthy(self) -> bool:
        """Every check passed."""
        return all(check.ok for check in self.checks.values())


def examine(probe: Probe, faults: Faults, clock: Callable[[], int]) -> Report:
    """Write, read back, and look for a drill. `clock` gives epoch milliseconds. Never raises
    for what AWS does."""
    at = clock()
    write = _timed(clock, lambda: probe.write(at))
    if write.ok:
        read = _timed(clock, lambda: _came_back(probe.read(), at))
    else:  # nothing was written that could come back, and there is no time to wait twice
        read = Check(False, 0, "not tried: the write failed")
    return Report(at, {"write": write, "read": read, "drill": _drill(faults, clock)})


def _came_back(read: int | None, written: int) -> str:
    if read is None:
        return "the item just written is not there"
    if read < written - SAME_WRITE_MS:
        return f"read back a value {written - read} ms older than the one just written"
    return ""


def _drill(faults: Faults, clock: Callable[[], int]) -> Check:
    """A fault that cannot be read is none: a drill must never harm because a table is broken."""
    started = clock()
    try:
        fault = faults.fault()
    except SidestepError as failure:
        return Check(True, clock() - started, f"ignored: {failure}")
    if fault is None or fault.until <= clock():
        return Check(True, clock() - started)
    why = f"this is a drill ({fault.incident}): unhealthy on purpose until {fault.until}"
    return Check(False, clock() - started, why)


def _timed(clock: Callable[[], int], check: Callable[[], str | None]) -> Check:
    started = clock()
    try:
        why = check() or ""
    except SidestepError as failure:
        why = str(failure)
    return Check(not why, clock() - started, why)
