"""Settings are tried for each peer, and it gets those that are best for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import sweep
from benchmarks.bench_scenarios import main
from benchmarks.one_run import figures_of
from benchmarks.peers import worlds
from benchmarks.peers.alarms import TEMPLATES_OWN, Setting, chosen
from benchmarks.peers.chosen import CHOSEN
from benchmarks.peers.endpoints import TALKS_OWN, Endpoints
from benchmarks.runs_file import Figures
from localcloud.cloud import TEMPLATE
from localcloud.scenario import load, names
from localcloud.template.translate import read
from tests.cli.running import ROOT

EAGER, SLOW = Setting(2, 1, 1, 5), Setting(20, 2, 3, 20)
GREY, HOLD = "slow-leak", "one-observer"
WORLDS = {name: load(name) for name in (HOLD, GREY)}
ONE = Figures("c", GREY, 1, "code", True, 90.0, 12, 500, 2, None, 0, 200, 0, 1.0)


def alarm(template: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One alarm's properties."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def formula(template: Mapping[str, Any], name: str) -> str:
    (found,) = [q["Expression"] for q in alarm(template, name)["Metrics"] if "Expression" in q]
    return str(found)


def swept(*tried: tuple[Setting, str, float | None, int]) -> dict[str, Any]:
    """What settings came to, told by scenario, time to mitigate and moves without need."""
    runs = [
        replace(ONE, design=f"c:{setting}", scenario=where, mitigated_s=took, wrong_moves=wrong)
        for setting, where, took, wrong in tried
    ]
    tasks = [(run.design, run.scenario, run.seed) for run in runs]
    return sweep.results_of(runs, tasks, WORLDS)


def test_without_a_sweep_an_alarm_has_the_templates_threshold_on_a_single_minute() -> None:
    ours, theirs = read(TEMPLATE), worlds.switched(TEMPLATES_OWN, TALKS_OWN)

    for name in ("ApiErrorsAlarm", "WriteErrorsAlarm", "WriteLatencyAlarm", "ThrottlesAlarm"):
        once = {"EvaluationPeriods": 1, "DatapointsToAlarm": 1}
        assert alarm(theirs, name) == alarm(ours, name) | once


def test_a_setting_is_what_the_alarms_have() -> None:
    template = worlds.routed(Setting(5, 2, 3, 10), TALKS_OWN)

    for name, least in [("ApiErrorsAlarm", 10), ("WriteErrorsAlarm", 5)]:
        properties = alarm(template, name)
        assert (properties["DatapointsToAlarm"], properties["EvaluationPeriods"]) == (2, 3)
        assert properties["Threshold"] == 0.05
        assert f">= {least}," in formula(template, name)


def test_who_moves_in_vain_loses_however_quick_it_is() -> None:
    found = swept(
        (EAGER, HOLD, None, 1),
        (EAGER, GREY, 60.0, 0),
        (SLOW, HOLD, None, 0),
        (SLOW, GREY, 300.0, 0),
    )

    assert found["designs"]["c"]["best"] == str(SLOW)


def test_of_those_that_hold_the_quickest_is_best_and_never_is_slower_than_any() -> None:
    quick, never = (EAGER, GREY, 60.0, 0), (SLOW, GREY, None, 0)

    assert swept(never, quick)["designs"]["c"]["best"] == str(EAGER)
    assert swept(never, (TEMPLATES_OWN, GREY, 500.0, 0))["designs"]["c"]["best"] == "10%-1of1-20"


def test_of_equals_the_one_named_first_is_best_and_that_is_the_templates() -> None:
    same = [(setting, GREY, 100.0, 0) for setting in sweep.ALARMS]

    assert swept(*same)["designs"]["c"]["best"] == str(TEMPLATES_OWN)


def test_what_a_sweep_finds_holds_from_then_on_for_the_design_it_tried(tmp_path: Path) -> None:
    page, kept = tmp_path / "page.md", tmp_path / "sweep.json"
    page.write_text(f"{sweep.BEGIN}\n{sweep.table_of(None)}\n{sweep.END}\n")
    assert chosen("c", kept) == TEMPLATES_OWN

    sweep.write(swept((SLOW, GREY, 100.0, 0), (EAGER, GREY, 90.0, 0)), page, kept)

    assert chosen("c", kept) == EAGER
    assert chosen("d", kept) == TEMPLATES_OWN
    assert f"| `{EAGER}` **best** | 0 of 0 | 0 of 1 | 0 | 0 of 1 | 90 (90) |" in page.read_text()


def test_a_sweep_of_real_runs() -> None:
    tasks = sweep.tasks_of("c", [str(SLOW), str(EAGER)], ["bad-deploy"], seeds=1)
    scenarios = {"bad-deploy": load("bad-deploy")}
    codes = sweep.codes_of(tasks, scenarios)
    runs = [figures_of(*task, codes[task[:2]]) for task in tasks]
    slow, eager = sweep.results_of(runs, tasks, scenarios)["designs"]["c"]["tried"]

    assert len(set(codes.values())) == 2
    assert eager["missed"] == slow["missed"] == 0
    assert eager["median_s"] < slow["median_s"]


def test_alarms_are_tried_where_they_may_err_and_not_where_a_region_is_plainly_down() -> None:
    catalogue = {name: load(name) for name in names()}
    scenarios = sweep.scenarios_of("d", catalogue)

    assert {"slow-leak", "bad-deploy", "thin-traffic", "one-observer"} <= set(scenarios)
    assert not {"region-down", "dark"} & set(scenarios)
    assert sweep.scenarios_of("b", catalogue) == catalogue


def test_checks_are_tried_with_other_thresholds_and_on_the_clients_own_functions() -> None:
    tried = sweep.settings_of("b", [])

    assert {"x3-health", "x2-health", "x1-health", "x1-canary", "x1-both"} <= set(tried)
    for text in tried:
        endpoints = Endpoints.parse(text)
        template = worlds.endpoint_checked(10, endpoints)
        asked = [
            template["Resources"][child]["Properties"]["HealthCheckConfig"]
            for child in worlds.children_of(template)
        ]
        assert str(endpoints) == text
        assert tuple(check["ResourcePath"] for check in asked) == endpoints.paths
        assert {check["FailureThreshold"] for check in asked} == {endpoints.threshold}
        assert {check["RequestInterval"] for check in asked} == {10}


def test_who_waits_for_alarms_may_ask_that_another_regions_are_quiet() -> None:
    assert any(Setting.parse(text).other_green for text in sweep.settings_of("d", []))
    assert str(Setting.parse("5%-1of1-20-green")) == "5%-1of1-20-green"


def test_a_setting_is_tried_with_the_designs_that_it_is_one_of() -> None:
    asked = ["x2-both", "5%-2of3-20"]

    assert sweep.settings_of("a", asked) == ["x2-both"]
    assert sweep.settings_of("d", asked) == ["5%-2of3-20"]


def test_the_page_shows_what_was_found_or_that_nothing_was_tried() -> None:
    found = json.loads(CHOSEN.read_text()) if CHOSEN.exists() else None

    assert sweep.table_of(found) in (ROOT / "docs" / "benchmark.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--setting", "10 percent"], "no setting '10 percent': write it as x3-health for (a)"),
        (["--setting", "x0-health"], "no setting 'x0-health'"),
        (["--setting", "x1-health", "--only", "cd"], "no setting 'x1-health'"),
        (["--setting", "5%-4of3-20"], "no setting '5%-4of3-20'"),
        (["--sweep-peers", "--only", "ef"], "a sweep is of (a) to (d)"),
    ],
)
def test_bad_input_is_a_clear_line(arguments: list[str], said: str) -> None:
    ran = CliRunner(mix_stderr=False).invoke(main, arguments)

    assert ran.exit_code == 2
    assert said in ran.stderr
