"""`make bench-start`: from the decision to leave a Region until DNS hears of it, woken or not.

The same worlds twice: as they are, and with observers that cannot wake a failover's functions.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from benchmarks import table
from benchmarks.fingerprints import ROOT
from localcloud.chronicle import Chronicle
from localcloud.cloud import TEMPLATE, LocalCloud
from localcloud.faults.strikes import Strikes
from localcloud.scenario import Scenario, load
from localcloud.template.translate import read
from sidestepctl.one_line import OneLine

RESULTS = ROOT / "benchmarks" / "results" / "start.json"
PAGE = ROOT / "docs" / "decisions" / "015-woken-by-suspicion.md"
BEGIN, END = "<!-- bench-start -->", "<!-- /bench-start -->"
STEPS = ("Claim", "Recheck", "Gate", "Toggle")
SCENARIO = "bad-deploy"
"""Its /health answers as ever: no checker of Route 53's takes the Region out before."""
LONGEST_S = 120.0
"""After the fault: a failover that took longer is not what is measured here."""
_AFTER = {"Flip the toggle": "gate", "See whether a switch took": "switch"}
"""The states of a failover that begin when the one before has done its work."""
MOMENTS = {"gate": "wardens told", "switch": "both switches set", "dns": "DNS hears of it"}


@dataclass(frozen=True)
class Start:
    """One failover's: simulated seconds from its decision."""

    seed: int
    woken: bool
    gate: float
    switch: float
    dns: float


def asleep() -> dict[str, Any]:
    """The template with observers whose wake-up calls reach nobody."""
    template = read(TEMPLATE)
    observe = template["Resources"]["ObserveStateMachine"]["Properties"]
    nobody = {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:x"}
    for step in STEPS:
        observe["DefinitionSubstitutions"][f"{step}FunctionArn"] = nobody
    return template


def measure(scenario: Scenario, seed: int, woken: bool) -> Start:
    """One world until DNS has heard. Raises LookupError where nothing was drained in time."""
    with LocalCloud(seed, template=None if woken else asleep()) as cloud:
        Chronicle(cloud)
        cloud.start()
        Strikes(cloud, scenario.faults)
        until = max(fault.at_s for fault in scenario.faults) + LONGEST_S
        while _moments(cloud.kernel.history).keys() != {"decided", *MOMENTS}:
            if cloud.kernel.env.now > until:
                raise LookupError(f"{scenario.name}, seed {seed}: nothing was drained in time")
            cloud.kernel.run(until=float(cloud.kernel.env.now) + 1.0)
        at = _moments(cloud.kernel.history)
    return Start(seed, woken, **{name: round(at[name] - at["decided"], 2) for name in MOMENTS})


def _moments(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """When the first failover was decided on, and what came of it so far."""
    at: dict[str, float] = {}
    left = ""
    for event in history:
        kind = event["kind"]
        if kind == "decision" and event["action"] == "failover" and not at:
            at["decided"], left = event["t"], event["region"]
        elif kind == "step" and event["machine"] == "failover" and event["state"] in _AFTER:
            at.setdefault(_AFTER[event["state"]], event["t"])
        elif kind == "health_check" and event["name"].endswith(f"-{left}-RegionCheck"):
            at.setdefault("dns", event["t"])
    return at


def lines_of(starts: Sequence[Start], scenario: str) -> Iterator[str]:
    """The table of the page, line by line."""
    seeds = len({one.seed for one in starts})
    yield f"Simulated: `{scenario}`, {seeds} seeds; seconds from the decision, median (longest)."
    yield ""
    yield f"| | {' | '.join(MOMENTS.values())} |"
    yield "|---|" + "---|" * len(MOMENTS)
    for woken in (False, True):
        cells = []
        for name in MOMENTS:
            took = [float(getattr(one, name)) for one in starts if one.woken == woken]
            cells.append(f"{statistics.median(took):.1f} ({max(took):.1f})")
        yield f"| {'woken' if woken else 'not woken'} | {' | '.join(cells)} |"


@click.command(cls=OneLine)
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True)
def main(seeds: int) -> None:
    """Make every run, then write the table into decision 015 and the figures beside it."""
    scenario = load(SCENARIO)
    starts = []
    for seed in range(1, seeds + 1):
        for woken in (False, True):
            starts.append(measure(scenario, seed, woken))
            click.echo(str(starts[-1]))
    told = {"scenario": scenario.name, "starts": [asdict(one) for one in starts]}
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    table.put_into(PAGE, "\n".join(lines_of(starts, scenario.name)), BEGIN, END)


if __name__ == "__main__":
    main()
