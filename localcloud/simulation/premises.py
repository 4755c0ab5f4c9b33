"""Which invariants a world put to the test: one that nothing could have broken says nothing.

Seeds that pass are worth what they were asked. How many worlds had something for an invariant to
judge is told beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localcloud.run import Outcome
from localcloud.simulation.harm import Strike
from localcloud.simulation.invariants import SEEN, Watch, is_plain, patience_s, stands_alone
from localcloud.simulation.moves import NOTICED_S
from sidestep.core.policy import Policy

_JUDGED_S = 30.0
"""A pause that is shorter is over before what began under it can be told from what began before."""


def put_to_test(outcome: Outcome, watch: Watch, policy: Policy) -> frozenset[str]:
    """The invariants for which there was something to judge, by name."""
    return frozenset(_premises(outcome, watch, policy))


def _premises(outcome: Outcome, watch: Watch, policy: Policy) -> Iterator[str]:
    yield "world-goes-on"
    if outcome.scenario.faults:
        yield "converges"
    if outcome.clients is not None and outcome.clients.acknowledged:
        yield from ("nothing-lost", "not-overwritten", "ledger-complete")
    if watch.executions:
        yield "executions-end"
    if outcome.incidents:
        yield from ("one-holder", "claimed-first", "record-tells")
    if any(len({step["token"] for step in one["steps"]}) > 1 for one in outcome.incidents):
        yield "fenced"
    if outcome.moves:
        yield from ("never-the-last", "no-switch-left", "switch-follows", "gate-follows")
        yield "out-first"
    if watch.returns:
        yield from ("returns-well", "caught-up", "probation-kept")
    if watch.drains:
        yield from ("harmed-only", "from-outside")
    if watch.redriven:
        yield "void-order"
    if sum(machine == "drill" for machine, _, _ in watch.executions) > 1:
        yield "one-drill"
    if any(stands_alone(outcome.scenario.faults)):
        yield "helps"
    harms = [strike for strike in watch.harm.strikes if strike.harms]
    if any(watch.harm.was_a_blip(s.region, s.until_s) for s in harms if s.until_s < math.inf):
        yield "not-by-a-blip"
    if any(_is_under(watch.paused, strike) for strike in harms):
        yield "order-kept"
    drains = [move for move in outcome.moves if move["what"] == "drain"]
    if len(drains) >= policy.max_drains_per_day:
        yield "budget"
    back = [move for move in outcome.moves if move["what"] == "restore"]
    if any(_fails_again(move, harms, patience_s(policy, 1)) for move in back):
        yield "cool-down"


def _fails_again(restore: Mapping[str, Any], harms: Sequence[Strike], wait_s: float) -> bool:
    """Whether a Region failed within its cool-down so plainly and for so long that, without one, it
    would have been drained."""
    from_s, to_s = restore["t"], restore["t"] + wait_s
    return any(
        min(strike.until_s, to_s) - max(strike.since_s, from_s) >= NOTICED_S
        for strike in harms
        if strike.region == restore["region"] and strike.kind in SEEN and is_plain(strike)
    )


def _is_under(pauses: Sequence[tuple[float, float, str]], strike: Strike) -> bool:
    """Whether a Region is harmed while a pause of it, long enough to be judged, is in force."""
    return any(
        until - since > _JUDGED_S and of in ("", strike.region) and strike.in_force(since, until)
        for since, until, of in pauses
    )
