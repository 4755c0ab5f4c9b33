"""What the bench writes: table, picture, figures, and a file that can be gone on with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import goals, runs_file, summary, table
from benchmarks.bench_scenarios import file_of, main, own_table
from benchmarks.peers.designs import DESIGNS
from benchmarks.picture import picture_of
from benchmarks.runs_file import Figures
from benchmarks.summary import About, Ratio
from localcloud.scenario import load, names
from tests.cli.running import ROOT

NAMES = {design.key: design.name for design in DESIGNS}
ONE = Figures("b", "down", 1, "code", True, 90.0, 12, 500, 2, None, 0, 200, 0, 1.0)
ABOUT = {"down": About("moved"), "grey": About("moved"), "blip": About("held")}
CODES = {("b", "down"): "code"}


def results(*runs: Figures) -> dict[str, object]:
    return summary.as_json(summary.rows_of(ABOUT, runs), NAMES, {"ours": "1", "peers": "2"})


def line(page: str, scenario: str) -> list[str]:
    (found,) = [row for row in page.splitlines() if row.startswith(f"| {scenario} |")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_a_cell_tells_median_p95_failed_requests_wrong_moves_and_writes_lost() -> None:
    page = table.table_of(
        results(
            ONE,
            replace(ONE, seed=2, mitigated_s=110.0, client_errors=13),
            replace(ONE, design="e", mitigated_s=70.0, client_errors=0, lost=1),
            replace(ONE, design="e", seed=2, mitigated_s=80.0, client_errors=1, wrong_moves=3),
            replace(ONE, design="f", client_errors=0),
            replace(ONE, design="f", client_errors=0, seed=2),
        )
    )

    told = ["100 (110)<br>12 failed", "75 (80)<br><1 failed, **3 wrong**, **1 lost**", "90 (90)"]
    assert line(page, "down") == ["", told[0], "", "", told[1], told[2]]
    assert line(page, "moves without need")[4] == "3"
    assert "1 scenarios, 2 seeds each" in page


def test_a_run_that_was_never_mitigated_is_worse_than_any_that_was() -> None:
    times = [70.0, 80.0, None]
    some = [replace(ONE, seed=seed, mitigated_s=time) for seed, time in enumerate(times)]
    most = [replace(ONE, design="c", seed=run.seed, mitigated_s=None) for run in some[1:]]
    page = table.table_of(results(*some, *most, replace(ONE, design="c", seed=0)))

    assert line(page, "down")[1:3] == [
        "80 (–) *2 of 3*<br>12 failed",
        "– (–) *1 of 3*<br>12 failed",
    ]
    assert json.loads(json.dumps(results(*some), allow_nan=False)) == results(*some)


def test_what_never_happened_is_said_and_holding_is_no_time() -> None:
    page = table.table_of(
        results(
            replace(ONE, scenario="grey", mitigated_s=None),
            replace(ONE, scenario="blip", mitigated_s=None),
            replace(ONE, scenario="blip", design="c", wrong_moves=2, mitigated_s=None),
        )
    )

    assert line(page, "grey")[1] == "–<br>12 failed"
    assert line(page, "blip")[1:3] == ["held<br>12 failed", "moved<br>12 failed, **2 wrong**"]


def test_who_misses_a_scenario_gains_nothing_beside_the_oracle() -> None:
    runs = [
        replace(ONE, scenario=scenario, design=design, mitigated_s=seconds)
        for scenario, design, seconds in [
            *[("down", "f", 50.0), ("down", "e", 60.0), ("grey", "f", 50.0), ("grey", "e", 100.0)],
            *[("down", "b", 55.0), ("grey", "b", None), ("down", "c", 90.0)],
            *[("grey", "d", 55.0)],
        ]
    ]
    rows = summary.rows_of(ABOUT, runs)

    assert summary.ratio_to_oracle(rows, "e") == Ratio(1.6, scenarios=2, missed=0)
    assert summary.ratio_to_oracle(rows, "b") == Ratio(None, scenarios=2, missed=1)
    assert summary.ratio_to_oracle(rows, "c") == Ratio(1.8, scenarios=1, missed=0)
    told = line(table.table_of(results(*runs)), "of the oracle's time")
    assert told == ["", "– *1 of 2 missed*", "1.80 ×", "1.10 ×", "1.60 ×", "1.00 ×"]


def test_what_the_oracle_misses_in_some_run_counts_as_long_as_it_has_a_median() -> None:
    def ran(design: str, *times: float | None) -> list[Figures]:
        return [replace(ONE, design=design, seed=i, mitigated_s=t) for i, t in enumerate(times)]

    some = summary.rows_of(ABOUT, [*ran("f", 50.0, 60.0, None), *ran("e", 80.0, 90.0, 100.0)])
    most = summary.rows_of(ABOUT, [*ran("f", 50.0, None, None), *ran("e", 80.0, 90.0, 100.0)])

    assert summary.ratio_to_oracle(some, "e") == Ratio(1.5, scenarios=1, missed=0)
    assert summary.ratio_to_oracle(some, "f") == Ratio(1.0, scenarios=1, missed=1)
    assert summary.ratio_to_oracle(most, "e") == Ratio(None, scenarios=0, missed=0)


def test_the_picture_has_a_mark_for_each_design_and_says_that_it_is_simulated() -> None:
    drawn = picture_of(results(ONE, replace(ONE, design="f"), replace(ONE, design="e")))

    assert "simulated" in drawn
    assert drawn.count("<circle") == 2


def test_a_run_that_was_cut_off_as_it_was_written_is_made_again(tmp_path: Path) -> None:
    kept = tmp_path / "runs.jsonl"
    runs_file.add(ONE, kept)
    runs_file.add(replace(ONE, seed=2, code="older"), kept)
    with kept.open("a") as file:
        file.write('["b","dow')
    runs_file.add(replace(ONE, seed=4), kept)

    assert runs_file.finished(CODES, kept) == [ONE, replace(ONE, seed=4)]


def test_runs_are_kept_in_order_and_give_way_only_to_the_same_run_of_newer_code(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "runs.jsonl"
    for seed, code in [(2, "older"), (1, "older"), (3, "code"), (1, "code")]:
        runs_file.add(replace(ONE, seed=seed, code=code), kept)
    runs_file.tidy(CODES, kept)

    ones = [json.loads(one) for one in kept.read_text().splitlines()[1:]]
    assert [(one[2], one[3]) for one in ones] == [(1, "code"), (2, "older"), (3, "code")]


def test_all_runs_of_twenty_seeds_are_small_enough_to_be_kept(tmp_path: Path) -> None:
    kept, longest = tmp_path / "runs.jsonl", max(names(), key=len)
    big = replace(ONE, scenario=longest, seed=20, code="0" * 14, mitigated_s=1234.5)
    runs_file.add(big, kept)
    head, one = kept.read_text().splitlines()

    assert len(head) + 20 * len(DESIGNS) * len(names()) * (len(one) + 1) < 700_000


def test_the_readme_shows_what_the_figures_say() -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / "scenarios.json").read_text())

    assert table.table_of(figures) in (ROOT / "README.md").read_text()
    drawn = (ROOT / "benchmarks" / "results" / "scenarios.svg").read_text()
    assert picture_of(figures) == drawn
    assert goals.table_of(figures["goals"]) in (ROOT / "docs" / "benchmark.md").read_text()


def test_table_and_picture_can_be_drawn_anew_from_the_kept_figures_without_a_run() -> None:
    pages = ("README.md", "docs/benchmark.md", "benchmarks/results/scenarios.svg")
    before = [(ROOT / page).read_bytes() for page in pages]
    ran = CliRunner().invoke(main, ["--redraw"])

    assert ran.exit_code == 0, ran.output
    assert [(ROOT / page).read_bytes() for page in pages] == before


def test_the_kept_goals_count_every_run_of_ours_that_was_not_as_expected() -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / "scenarios.json").read_text())
    ours = {row["scenario"]: row["cells"]["e"] for row in figures["scenarios"]}
    not_ok = {name: cell["not_ok"] for name, cell in ours.items() if cell["not_ok"]}
    (goal,) = [goal for goal in figures["goals"] if goal["goal"].startswith("does all")]

    runs = sum(cell["seeds"] for cell in ours.values())
    assert goal["found"].startswith(f"{sum(not_ok.values())} in {runs} runs")
    assert all(f"{name} {number}" in goal["found"] for name, number in not_ok.items())
    assert (goal["holds"] is False) == bool(not_ok)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "ax"], "no design x: choose of abcdef"),
        (["none-such"], "no scenario 'none-such'"),
    ],
)
def test_bad_input_is_a_clear_line(arguments: list[str], said: str) -> None:
    ran = CliRunner(mix_stderr=False).invoke(main, arguments)

    assert ran.exit_code == 2
    assert said in ran.stderr


def test_a_scenario_of_the_users_own_is_told_and_not_written_into_the_pages(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text((ROOT / "localcloud" / "scenarios" / "dark.yaml").read_text())
    scenarios = {str(mine): load(str(mine))}
    pages = ("README.md", "docs/benchmark.md", "benchmarks/results/scenarios.json")
    before = [(ROOT / page).read_bytes() for page in pages]

    told = own_table(scenarios, [replace(ONE, scenario=str(mine)), replace(ONE, scenario="dark")])
    run = CliRunner(mix_stderr=False).invoke(main, [str(mine), "--only", ""])  # no run is made

    assert line(told, str(mine)) == ["", "90 (90)<br>12 failed", "", "", "", ""]
    assert "| dark |" not in told
    assert run.stderr == f"Error: no finished run of {mine}: nothing to tell\n"
    assert [(ROOT / page).read_bytes() for page in pages] == before
    assert file_of(str(mine)) == runs_file.OWN
    assert file_of("dark") == runs_file.RUNS
