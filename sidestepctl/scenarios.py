"""`sidestep scenarios`: many runs of many scenarios, side by side, and what they come to."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass

from localcloud.run import Run
from localcloud.scenario import Scenario
from sidestepctl.report import Report, report_of
from sidestepctl.workers import give_up, pool_of


@dataclass(frozen=True)
class Summary:
    """What the runs of one scenario come to. `mitigated_s`: median and p95 of the runs in which
    it happened, None where it did not; simulated seconds from the fault."""

    scenario: str
    expected: str
    ok: bool
    seeds: Sequence[int]
    mitigated_s: Mapping[str, float | None]
    moves: int
    wrong_moves: int
    writes: Mapping[str, int]
    client_errors: int
    failed: Mapping[int, Sequence[str]]
    """Seed → why that run was not as expected."""

    @staticmethod
    def all_to_json(summaries: Iterable[Summary]) -> str:
        """A JSON array."""
        return json.dumps([asdict(summary) for summary in summaries], indent=2)

    def in_words(self) -> str:
        """One line, and one for each run that was not as expected."""
        median, p95 = self.mitigated_s["median"], self.mitigated_s["p95"]
        took = f"mitigated {median:6.1f} s (p95 {p95:.1f})" if median and p95 else "held"
        lines = [
            f"{'ok' if self.ok else 'NOT OK':<7}{self.scenario:<28}{took:<32}"
            f"{self.moves} moves, {self.wrong_moves} wrong, {self.writes['lost']} writes lost"
        ]
        for seed, why in self.failed.items():
            again = f"sidestep drill --scenario {self.scenario} --seed {seed}"
            lines.append(f"         seed {seed}: {'; '.join(why)} ({again})")
        return "\n".join(lines)


def run_all(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    workers: int | None,
    tell: Callable[[str], None] | None,
) -> list[Summary]:
    """Run every scenario with every seed, in processes of their own; tell each as it is whole."""
    reports: dict[str, dict[int, Report]] = {scenario.name: {} for scenario in scenarios}
    summaries: dict[str, Summary] = {}
    with pool_of(workers) as pool:
        pending = {
            pool.submit(_report, scenario, seed): (scenario, seed)
            for scenario in scenarios
            for seed in seeds
        }
        try:
            for done in as_completed(pending):
                scenario, seed = pending[done]
                reports[scenario.name][seed] = done.result()
                if len(reports[scenario.name]) == len(seeds):
                    summary = summary_of(scenario, reports[scenario.name])
                    summaries[scenario.name] = summary
                    if tell is not None:
                        tell(summary.in_words())
        except BaseException:
            give_up(pool)
            raise
    return [summaries[scenario.name] for scenario in scenarios]


def _report(scenario: Scenario, seed: int) -> Report:
    return report_of(Run(scenario, seed).carry_out())


def summary_of(scenario: Scenario, reports: Mapping[int, Report]) -> Summary:
    """The runs of one scenario as one."""
    runs = [reports[seed] for seed in sorted(reports)]
    taken = [run.mitigated_s for run in runs if run.mitigated_s is not None]
    return Summary(
        scenario=scenario.name,
        expected=scenario.expect,
        ok=all(run.ok for run in runs),
        seeds=sorted(reports),
        mitigated_s={"median": median(taken), "p95": percentile_95(taken)},
        moves=sum(len(run.moves) for run in runs),
        wrong_moves=sum(run.wrong_moves for run in runs),
        writes={
            name: sum(getattr(run.writes, name) for run in runs)
            for name in ("acknowledged", "at_risk", "repaired", "lost")
        },
        client_errors=sum(run.clients.errors for run in runs),
        failed={run.seed: run.why for run in runs if not run.ok},
    )


def median(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return round(statistics.median(values), 1) if values else None


def percentile_95(values: Sequence[float]) -> float | None:
    """The smallest value that at least 95 % of them do not exceed; None of nothing."""
    if not values:
        return None
    rank = -(-95 * len(values) // 100)
    return round(sorted(values)[rank - 1], 1)
