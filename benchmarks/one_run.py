"""One run of one design, carried out and judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

from benchmarks import dns_moves
from benchmarks.peers.designs import Design, named
from benchmarks.peers.run import PeerRun
from benchmarks.runs_file import Figures
from localcloud.faults.kinds import KINDS
from localcloud.run import Event, Outcome, Run
from localcloud.scenario import HELD, Scenario, load
from sidestepctl.report import report_of


def figures_of(design: str, scenario: str, seed: int, code: str) -> Figures:
    """Run it and judge it: some seconds of one core."""
    began = time.process_time()
    of = named(design)
    outcome, heard = carry_out(of, load(scenario), seed)
    report = report_of(outcome)
    needless = _needless(outcome, heard)
    if of.template is None:  # its workflows may move what is out of DNS already
        needless = max(needless, report.wrong_moves)
    return Figures(
        design=design,
        scenario=scenario,
        seed=seed,
        code=code,
        ok=report.ok,
        mitigated_s=report.mitigated_s,
        client_errors=report.clients.errors,
        requests=report.clients.requests,
        moves=max(len(report.moves), len(heard)),
        drains_apart_s=min(
            filter(None, map(_drains_apart_s, (outcome.moves, heard))), default=None
        ),
        wrong_moves=needless,
        acknowledged=report.writes.acknowledged,
        lost=report.writes.lost,
        cpu_s=round(time.process_time() - began, 1),
    )


def carry_out(design: Design, scenario: Scenario, seed: int) -> tuple[Outcome, Sequence[Event]]:
    """Run it to its end; with it, which moves DNS heard of."""
    if design.template is not None:
        outcome = PeerRun(design, scenario, seed).carry_out()
        return outcome, outcome.moves
    run = OwnRun(scenario, seed)
    return run.carry_out(), run.heard


class OwnRun(Run):
    """A run of Sidestep's of which it is known what DNS heard: `outcome.moves` are those of its
    workflows, and Route 53's own checkers take a Region out, too."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        super().__init__(scenario, seed)
        self.heard: list[Event] = []

    def _begin(self) -> None:
        dns_moves.follow(self._cloud, self.heard.append)
        super()._begin()


def _drains_apart_s(moves: Sequence[Event]) -> float | None:
    """The shortest time between two drains of one Region; None where none had two."""
    drains = [(move["region"], move["t"]) for move in moves if move["what"] == "drain"]
    apart = [t - s for (r, s), (q, t) in pairwise(sorted(drains)) if r == q]
    return round(min(apart), 1) if apart else None


def _needless(outcome: Outcome, heard: Sequence[Event]) -> int:
    """How often DNS heard of a move that nobody needed: none of a Region that something struck
    is, unless the right move was to hold. A design cannot know which of two ill Regions a scenario
    is about."""
    scenario = outcome.scenario
    if scenario.expect == HELD:
        return len(heard)
    struck = {f.region for f in scenario.faults if not KINDS[f.kind].aside}
    return sum(move["region"] not in {*struck, scenario.drill_region} for move in heard)
