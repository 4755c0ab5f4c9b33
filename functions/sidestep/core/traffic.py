"""Has traffic moved? What DNS answers and what a Region still serves, as two facts.

DNS moves first; resolvers' caches and connections kept alive follow it later, or never
(FACTS, Route 53). Either may be unknown, and unknown is never taken for a yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GONE, BACK = "gone", "back"


@dataclass(frozen=True)
class Answers:
    """Addresses that DNS gives one client: of the guarded record, and of each Region's own name."""

    guarded: tuple[str, ...]
    own: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Moved:
    """Whether DNS moved, whether traffic did, and whether the workflow may stop watching."""

    dns: bool | None
    traffic: bool | None
    done: bool


def moved(
    expected: str,
    region: str,
    answers: Answers | None,
    served: int | None,
    silent: bool = False,
) -> Moved:
    """Judge what was seen of `region`; `served`: client requests in its newest whole minute.

    Gone for certain is when DNS answers only other Regions' addresses, and nobody comes any
    more. A Region that is `silent` (nobody can be asked) does not hold the workflow up; one that
    could be asked and has no figure yet is waited for.
    Back is when DNS answers its address: clients come as their caches run out.
    """
    dns = None if answers is None else _dns(expected, region, answers)
    if expected == BACK:
        return Moved(dns, None if served is None else served > 0, dns is True)
    traffic = None if served is None else served == 0
    nobody_comes = traffic is True or (traffic is None and silent)
    return Moved(dns, traffic, dns is True and nobody_comes)


def _dns(expected: str, region: str, answers: Answers) -> bool | None:
    guarded, own = set(answers.guarded), set(answers.own.get(region, ()))
    if not guarded or not own:
        return None
    if expected == BACK:
        return bool(guarded & own)
    others = {a for other, at in answers.own.items() if other != region for a in at}
    return not guarded & own and guarded <= others
