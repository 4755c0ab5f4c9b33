"""Faults on the way of an AWS call: what goes wrong, where, for whom, from when to when."""

from __future__ import annotations

import fnmatch
import random
from dataclasses import dataclass, field

from localcloud.wire import AwsError


@dataclass
class CallFault:
    """A fault that strikes AWS calls matching all of `service`, `operation`, `region`, `caller`.

    Patterns are shell-style; `caller` is matched against the caller's Region. With
    probability `share` a matching call meets one of: `error` (answered at once, nothing
    done), `lose_request` (never arrives: the caller waits for its time-out),
    `lose_response` (done, but the answer never comes back), `delay_s` (answered late),
    `late_up_to_s` (done when the caller has given up, at most so many seconds after that).
    """

    service: str = "*"
    operation: str = "*"
    region: str = "*"
    caller: str = "*"
    share: float = 1.0
    error: AwsError | None = None
    lose_request: bool = False
    lose_response: bool = False
    delay_s: float = 0.0
    late_up_to_s: float = 0.0
    struck: int = field(default=0, compare=False)


class CallFaults:
    """The faults in force, asked once for every AWS call."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._active: list[CallFault] = []

    def add(self, fault: CallFault) -> CallFault:
        """Put a fault in force; hand the same object to `remove` to end it."""
        self._active.append(fault)
        return fault

    def remove(self, fault: CallFault) -> None:
        """End a fault. Ending one that is not in force is an error of the caller's."""
        self._active.remove(fault)

    def strike(self, service: str, operation: str, region: str, caller: str) -> CallFault | None:
        """The first active fault that strikes this call, or None."""
        for fault in self._active:
            if (
                fnmatch.fnmatchcase(service, fault.service)
                and fnmatch.fnmatchcase(operation, fault.operation)
                and fnmatch.fnmatchcase(region, fault.region)
                and fnmatch.fnmatchcase(caller, fault.caller)
                and (fault.share >= 1.0 or self._chance.random() < fault.share)
            ):
                fault.struck += 1
                return fault
        return None
