"""`sidestep scenarios`: many runs of many scenarios, side by side, and what they come to."""

from __future__ import annotations

import json
import shlex
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, field

from localcloud.run import Run
from localcloud.scenario import HELD, Scenario, ScenarioError, load
from sidestepctl.report import Report, report_of
from sidestepctl.workers import give_up, lost_ones_told, pool_of


@dataclass(frozen=True)
class Summary:
    """What the runs of one scenario come to. `mitigated`: in how many of them that happened;
    `mitigated_s`: median and p95 of those, None of none; simulated seconds from the fault."""

    scenario: str
    expected: str
    ok: bool
    seeds: Sequence[int]
    mitigated: int
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

    def in_words(self, given: str | None = None) -> str:
        """One line, and one for each run that was not as expected. `given`: how the user named
        the scenario, the path of a file of their own perhaps."""
        lines = [
            f"{'ok' if self.ok else 'NOT OK':<7}{self.scenario:<28}{self._took():<32}"
            f"{self.moves} moves, {self.wrong_moves} wrong, {self.writes['lost']} writes lost"
        ]
        for seed, why in self.failed.items():
            named = shlex.quote(given or self.scenario)
            again = f"sidestep drill --scenario {named} --seed {seed}"
            lines.append(f"         seed {seed}: {'; '.join(why)} ({again})")
        return "\n".join(lines)

    def _took(self) -> str:
        median, p95 = self.mitigated_s["median"], self.mitigated_s["p95"]
        if self.expected == HELD:
            return "did not hold" if self.moves else "held"
        if median is None or p95 is None:
            return "never mitigated"
        some = "" if self.mitigated == self.runs else f", {self.mitigated} of {self.runs}"
        return f"mitigated {median:6.1f} s (p95 {p95:.1f}){some}"

    @property
    def runs(self) -> int:
        """How many there were."""
        return len(self.seeds)


def loaded(names: Iterable[str]) -> dict[str, Scenario]:
    """Scenarios by how the user named them, each once: results are told by their own names.

    Raises ScenarioError, also where two have one name.
    """
    scenarios = {given: load(given) for given in dict.fromkeys(names)}
    named: dict[str, str] = {}
    for given, scenario in scenarios.items():
        if scenario.name in named:
            raise ScenarioError(
                f"{named[scenario.name]} and {given} are both named {scenario.name!r}: "
                "give one of them another name"
            )
        named[scenario.name] = given
    return scenarios


@dataclass
class Done:
    """What has been run so far. `reports`: how the user named the scenario → seed → its report."""

    scenarios: Mapping[str, Scenario]
    reports: dict[str, dict[int, Report]] = field(default_factory=dict)

    def add(self, given: str, report: Report) -> int:
        """One run more; how many of that scenario there are."""
        self.reports.setdefault(given, {})[report.seed] = report
        return len(self.reports[given])

    def summary(self, given: str) -> Summary:
        """What a scenario's runs come to so far."""
        return summary_of(self.scenarios[given], self.reports[given])

    def summaries(self) -> list[Summary]:
        """Of every scenario that has been run, in their order."""
        return [self.summary(given) for given in self.scenarios if given in self.reports]

    def parts(self, seeds: int) -> list[str]:
        """Those of which some runs are there and some are lacking."""
        return [given for given in self.scenarios if 0 < len(self.reports.get(given, {})) < seeds]


def run_all(
    done: Done, seeds: Sequence[int], workers: int | None, tell: Callable[[str], None] | None
) -> None:
    """Run every scenario with every seed, in processes of their own, and add each run to `done`;
    tell each scenario as it is whole.

    Raises WorkerLostError; KeyboardInterrupt at Ctrl-C, with what was done so far in `done`.
    """
    with pool_of(workers) as pool:
        try:
            with lost_ones_told("run it again with fewer --workers"):
                pending = {
                    pool.submit(_report, scenario, seed): given
                    for given, scenario in done.scenarios.items()
                    for seed in seeds
                }
                for one in as_completed(pending):
                    given = pending[one]
                    if done.add(given, one.result()) == len(seeds) and tell is not None:
                        tell(done.summary(given).in_words(given))
        except BaseException:
            give_up(pool)
            raise


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
        mitigated=len(taken),
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
