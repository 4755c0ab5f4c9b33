"""One seed: its world run to the end, its invariants judged, and a failing one made smaller."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud.clients import AckedWrite
from localcloud.run import Outcome, Run
from localcloud.simulation.drills import Drills
from localcloud.simulation.effects import Effects
from localcloud.simulation.invariants import BOUND_S, Violation, Watch, judge
from localcloud.simulation.ledgers import WITHIN_S, unledgered
from localcloud.simulation.losses import Losses
from localcloud.simulation.moves import Moves
from localcloud.simulation.on_call import OnCall
from localcloud.simulation.plan import Plan, plan
from localcloud.simulation.premises import put_to_test
from localcloud.simulation.returns import Returns
from localcloud.simulation.switches import Switches
from sidestep.core.policy import Policy

QUIET_S = 40.0
"""How long a world that is well again is watched: four rounds of every observer."""
REUSED_SHARE = 0.05
"""Of the clients' writes, another message under the key of the client's last one: a few a world."""
_LOOK_S = 15.0
"""Between two looks whether an event that is still on its way has arrived."""


class _Run(Run):
    """A run of which nothing is expected but that it becomes well, and stays so for a while."""

    _reused_share = REUSED_SHARE

    @property
    def now_s(self) -> float:
        """Simulated seconds so far."""
        return float(self._cloud.kernel.env.now)

    @property
    def transcript(self) -> str:
        """The history so far."""
        return self._cloud.kernel.transcript()

    def watched_by(self, watch: Watch) -> _Run:
        """Have its tables watched, and let every execution come to its end."""
        Effects(self._cloud, watch.broken, watch.saw_put_back)
        self._switches = Switches(self._cloud, watch.harm, watch.broken)
        policy = Policy.parse(self._cloud.topology.policy)
        Moves(self._cloud, watch.harm, policy, watch.broken)
        Drills(self._cloud, watch.harm, watch.broken)
        self._losses = Losses(self._cloud)
        self._returns = Returns(self._cloud, watch.harm, policy, watch.broken)
        self._executions, self._broken = watch.executions, watch.broken
        return self

    def _begin(self) -> None:
        super()._begin()
        self._switches.start()
        self._returns.start(self._promises)
        OnCall(self._cloud).start()

    def _promises(self) -> Sequence[AckedWrite]:
        """Without what went with a Region that was lost for good."""
        return [w for w in super()._promises() if not self._losses.took(w)]

    @property
    def lost_with_region(self) -> int:
        """Acknowledged writes that went with a Region."""
        return len(super()._promises()) - len(self._promises())

    def _is_well(self) -> bool:
        return super()._is_well() and "RUNNING" not in self._executions.values()

    def _has_happened(self) -> bool:
        assert self._all_over_at_s is not None
        return bool(self._cloud.kernel.env.now - self._all_over_at_s >= QUIET_S)

    def _let_replicate(self) -> None:
        """And until every acknowledged write is in the ledgers, or should be."""
        super()._let_replicate()
        if not self._outcome.well:
            return  # faults may still be in force
        kernel, writes = self._cloud.kernel, self._promises()
        limit = kernel.env.now + WITHIN_S
        excused = self._losses.excuses
        while (lacking := unledgered(self._cloud, writes, excused)) and kernel.env.now < limit:
            kernel.run(until=kernel.env.now + _LOOK_S)
        for one in lacking:
            self._broken("ledger-complete", one.in_words())


@dataclass(frozen=True)
class Result:
    """What a seed came to. `simulated_s`: how long its world went on."""

    seed: int
    violations: tuple[Violation, ...]
    simulated_s: float
    faults: Counter[str]
    moves: int
    acknowledged: int
    plan: Plan
    lost_with_region: int = 0
    """Of the acknowledged writes: those that had left a Region by neither path when it was lost."""
    transcript: str = ""
    """The whole history, of a failing seed."""
    tested: frozenset[str] = frozenset()
    """The invariants for which there was something to judge."""

    @property
    def ok(self) -> bool:
        """Whether every invariant held."""
        return not self.violations


def simulate(seed: int, kinds: Sequence[str] | None = None) -> Result:
    """The world of a seed, run to its end."""
    return run_plan(plan(seed, kinds))


def run_plan(world: Plan) -> Result:
    """A world, run to its end."""
    watch = Watch(world.regions)
    run = _Run(
        world.scenario,
        world.seed,
        hear=watch.hear,
        topology=world.topology,
        deadline_s=BOUND_S,
    )
    try:
        outcome: Outcome = run.watched_by(watch).carry_out()
    except Exception as error:  # noqa: BLE001  # whatever it is, the seed has failed, and is told
        return _broken_off(world, run, error)
    policy = Policy.parse(world.policy)
    found = tuple(judge(outcome, watch, policy))
    return Result(
        seed=world.seed,
        violations=found,
        simulated_s=outcome.ended_at_s,
        faults=Counter(fault.kind for fault in world.faults for _ in range(fault.times)),
        moves=len(outcome.moves),
        acknowledged=len(outcome.clients.acknowledged) if outcome.clients else 0,
        plan=world,
        lost_with_region=run.lost_with_region,
        transcript=outcome.transcript if found else "",
        tested=put_to_test(outcome, watch, policy),
    )


def _broken_off(world: Plan, run: _Run, error: Exception) -> Result:
    where = traceback.extract_tb(error.__traceback__)[-1]
    words = f"{type(error).__name__}: {error} ({where.name} in {Path(where.filename).name})"
    return Result(
        seed=world.seed,
        violations=(Violation("world-goes-on", words, run.now_s),),
        simulated_s=run.now_s,
        faults=Counter(fault.kind for fault in world.faults for _ in range(fault.times)),
        moves=0,
        acknowledged=0,
        plan=world,
        transcript=run.transcript,
    )


def shrink(result: Result) -> Result:
    """The same failure with as few faults as will do: each is left out that is not needed."""
    wanted = {violation.invariant for violation in result.violations}
    number = 0
    while number < len(result.plan.faults) and len(result.plan.faults) > 1:
        smaller = run_plan(result.plan.without(number))
        if wanted & {violation.invariant for violation in smaller.violations}:
            result = smaller
        else:
            number += 1
    return result
