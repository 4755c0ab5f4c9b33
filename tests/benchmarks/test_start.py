"""How long a failover takes to its switches: the figures are on their page, and tell the gain."""

from __future__ import annotations

import json

from benchmarks.bench_start import BEGIN, END, PAGE, RESULTS, Start, lines_of, measure
from localcloud.compute.lambdas import COLD_START_S
from localcloud.scenario import load

TOLD = json.loads(RESULTS.read_text())
STARTS = [Start(**one) for one in TOLD["starts"]]


def test_the_table_on_the_page_is_that_of_the_figures() -> None:
    between = PAGE.read_text().split(BEGIN)[1].split(END)[0].strip()

    assert between == "\n".join(lines_of(STARTS, TOLD["scenario"]))


def test_who_is_woken_waits_for_none_of_the_four_cold_starts() -> None:
    scenario = load(TOLD["scenario"])
    asleep, woken = measure(scenario, 1, woken=False), measure(scenario, 1, woken=True)

    assert {asleep, woken} <= set(STARTS)
    assert asleep.gate - woken.gate >= 2 * COLD_START_S[0]
    assert asleep.switch - woken.switch >= 3 * COLD_START_S[0]
    assert asleep.switch < asleep.dns
