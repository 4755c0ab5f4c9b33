"""`sidestep drill`: one run of a scenario in the local cloud, and its report."""

from __future__ import annotations

from localcloud.run import Run
from localcloud.scenario import Scenario
from sidestepctl.live import Live
from sidestepctl.report import Report, report_of


def run(scenario: Scenario, seed: int, live: Live | None) -> tuple[Report, str]:
    """Run it; the report, and the history as JSON lines."""
    outcome = Run(scenario, seed, live).carry_out()
    return report_of(outcome), outcome.transcript
