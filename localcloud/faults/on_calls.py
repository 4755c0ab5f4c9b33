"""Faults on the way of an AWS call: what goes wrong, where, for whom, from when to when."""

from __future__ import annotations

import fnmatch
import random
from dataclasses import dataclass, field, replace

from localcloud.calls.wire import AwsError


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

    @property
    def only_delays(self) -> bool:
        """Whether the call is done and answered, though late."""
        lost = self.lose_request or self.lose_response or self.late_up_to_s
        return not lost and self.error is None


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
        """What strikes this call, or None: the first active fault that is more than a delay,
        later by all the delays that strike it, too."""
        first: CallFault | None = None
        late_s = 0.0
        for fault in self._active:
            if first is not None and not fault.only_delays:
                continue
            if (
                fnmatch.fnmatchcase(service, fault.service)
                and fnmatch.fnmatchcase(operation, fault.operation)
                and fnmatch.fnmatchcase(region, fault.region)
                and fnmatch.fnmatchcase(caller, fault.caller)
                and (fault.share >= 1.0 or self._chance.random() < fault.share)
            ):
                fault.struck += 1
                late_s += fault.delay_s
                if not fault.only_delays:
                    first = fault
        if first is None:
            return CallFault(delay_s=late_s) if late_s else None
        return first if late_s == first.delay_s else replace(first, delay_s=late_s)
