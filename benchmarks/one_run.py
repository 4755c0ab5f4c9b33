"""One run of one design, carried out and judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.peers.designs import Design, named
from benchmarks.peers.run import carry_out
from benchmarks.runs_file import Figures
from localcloud.faults.kinds import KINDS
from localcloud.run import Event, Outcome
from localcloud.scenario import HELD, load
from sidestepctl.report import report_of


def figures_of(design: str, scenario: str, seed: int, code: str) -> Figures:
    """Run it and judge it: some seconds of one core."""
    began = time.process_time()
    of = named(design)
    outcome = carry_out(of, load(scenario), seed)
    report = report_of(outcome)
    return Figures(
        design=design,
        scenario=scenario,
        seed=seed,
        code=code,
        ok=report.ok,
        mitigated_s=report.mitigated_s,
        client_errors=report.clients.errors,
        requests=report.clients.requests,
        moves=len(report.moves),
        drains_apart_s=_drains_apart_s(outcome.moves),
        wrong_moves=_wrong_moves(outcome, of),
        acknowledged=report.writes.acknowledged,
        lost=report.writes.lost,
        cpu_s=round(time.process_time() - began, 1),
    )


def _drains_apart_s(moves: Sequence[Event]) -> float | None:
    """The shortest time between two drains of one Region; None where none had two."""
    drains = [(move["region"], move["t"]) for move in moves if move["what"] == "drain"]
    apart = [t - s for (r, s), (q, t) in pairwise(sorted(drains)) if r == q]
    return round(min(apart), 1) if apart else None


def _wrong_moves(outcome: Outcome, design: Design) -> int:
    """Moves without need. Of a peer: none of a Region that something struck is, unless the right
    move was to hold. It cannot know which of two ill Regions a scenario is about."""
    if design.template is None or outcome.scenario.expect == HELD:
        return report_of(outcome).wrong_moves
    struck = {f.region for f in outcome.scenario.faults if not KINDS[f.kind].aside}
    return sum(move["region"] not in struck for move in outcome.moves)
