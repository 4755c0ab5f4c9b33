"""What the bench writes: table, picture, figures, and a file that can be gone on with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import runs_file, summary, table
from benchmarks.bench_scenarios import main
from benchmarks.peers.designs import DESIGNS
from benchmarks.picture import picture_of
from benchmarks.runs_file import Figures
from tests.cli.running import ROOT

NAMES = {design.key: design.name for design in DESIGNS}
ONE = Figures("b", "down", 1, "code", True, 90.0, 12, 500, 2, 0, 200, 0, 1.0)
EXPECTED = {"down": "moved", "grey": "moved", "blip": "held"}


def results(*runs: Figures) -> dict[str, object]:
    return summary.as_json(summary.rows_of(EXPECTED, runs), NAMES, "code")


def line(page: str, scenario: str) -> list[str]:
    (found,) = [row for row in page.splitlines() if row.startswith(f"| {scenario} |")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_a_cell_tells_median_p95_how_many_and_wrong_moves() -> None:
    page = table.table_of(
        results(
            ONE,
            replace(ONE, seed=2, mitigated_s=110.0),
            replace(ONE, design="e", mitigated_s=70.0),
            replace(ONE, design="e", seed=2, mitigated_s=None, wrong_moves=3),
        )
    )

    assert line(page, "down") == ["", "100 (110)", "", "", "70 (70) *1 of 2* **!3**", ""]
    assert line(page, "moves without need")[4] == "3"
    assert "1 scenarios, 2 seeds each" in page


def test_what_never_happened_is_said_and_holding_is_no_time() -> None:
    page = table.table_of(
        results(
            replace(ONE, scenario="grey", mitigated_s=None),
            replace(ONE, scenario="blip", mitigated_s=None),
            replace(ONE, scenario="blip", design="c", wrong_moves=2, mitigated_s=None),
        )
    )

    assert line(page, "grey")[1] == "–"
    assert line(page, "blip")[1:3] == ["held", "moved **!2**"]


def test_the_ratio_to_the_oracle_is_the_median_over_scenarios_that_both_mitigate() -> None:
    runs = [
        replace(ONE, scenario=scenario, design=design, mitigated_s=seconds)
        for scenario, design, seconds in [
            *[("down", "f", 50.0), ("down", "e", 60.0), ("grey", "f", 50.0), ("grey", "e", 100.0)],
            *[("down", "b", 90.0), ("grey", "b", None)],
        ]
    ]
    rows = summary.rows_of(EXPECTED, runs)

    assert summary.ratio_to_oracle(rows, "e") == 1.6
    assert summary.ratio_to_oracle(rows, "b") == 1.8


def test_the_picture_has_a_mark_for_each_design_and_says_that_it_is_simulated() -> None:
    drawn = picture_of(results(ONE, replace(ONE, design="f"), replace(ONE, design="e")))

    assert "simulated" in drawn
    assert drawn.count("<circle") == 2


def test_a_run_that_was_cut_off_as_it_was_written_is_made_again(tmp_path: Path) -> None:
    kept = tmp_path / "runs.jsonl"
    runs_file.add(ONE, kept)
    runs_file.add(replace(ONE, seed=2, code="older"), kept)
    with kept.open("a") as file:
        file.write('{"design": "b", "scen')

    assert list(runs_file.finished("code", kept)) == [ONE]


def test_the_readme_shows_what_the_figures_say() -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / "scenarios.json").read_text())

    assert table.table_of(figures) in (ROOT / "README.md").read_text()
    drawn = (ROOT / "benchmarks" / "results" / "scenarios.svg").read_text()
    assert picture_of(figures) == drawn


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
