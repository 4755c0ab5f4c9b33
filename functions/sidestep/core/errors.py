"""Every error of Sidestep's own, in one small tree. Each says what is wrong, where, what to do.

Class names travel: a workflow's Retry and Catch name them. Three branches: what may be
retried, what a person must see, and bugs (ordinary exceptions, never caught).
"""

from __future__ import annotations

from collections.abc import Sequence


class SidestepError(Exception):
    """The root: anything that Sidestep says on purpose."""


class Retryable(SidestepError):  # noqa: N818  # a kind of error, named for what may be done about it
    """May go away by itself: a workflow tries again."""


class Unreachable(Retryable):
    """A Region, table or endpoint did not answer in time."""


class Throttled(Retryable):
    """AWS asked for fewer calls."""


class CoordinationUnavailable(Retryable):
    """No Region of the coordination table answers: nothing is moved, Route 53 acts alone.

    `silent`: what each Region did instead, with its name.
    """

    def __init__(self, message: str, silent: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.silent = tuple(silent)


class NotYet(Retryable):
    """A condition that the workflow waits for does not hold yet."""


class NeedsPerson(SidestepError):  # noqa: N818  # as above
    """Cannot be put right by trying again; a person has to see it."""


class LeaseLost(NeedsPerson):
    """Another execution holds the incident: this one is fenced off and must stand aside."""


class LastServingRegion(NeedsPerson):
    """Draining the Region would leave none that serves."""


class Refused(NeedsPerson):
    """What was asked for is not allowed now. Says what is in the way."""


class CheckTooOld(Refused):
    """What a failover found when it last checked may not be so any more: it has to check again."""


class InvalidInput(NeedsPerson):
    """A workflow or command was given something that it cannot read."""


class PolicyError(NeedsPerson):
    """A policy that cannot be used: names the key and what it may be."""
