"""`sidestep scenarios`: what is told of many runs, and which of them can be told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from localcloud.scenario import CATALOGUE, HELD, MOVED
from sidestepctl.main import cli
from sidestepctl.scenarios import Summary, loaded

NONE: dict[str, int] = {"acknowledged": 0, "at_risk": 0, "repaired": 0, "lost": 0}


def summary(**given: Any) -> Summary:
    """Three runs, in all of which clients had left after a minute."""
    usual: dict[str, Any] = {
        **{"scenario": "mine", "expected": MOVED, "ok": True, "seeds": [1, 2, 3], "mitigated": 3},
        **{"mitigated_s": {"median": 60.0, "p95": 90.0}, "moves": 6, "wrong_moves": 0},
        **{"writes": NONE, "client_errors": 0, "failed": {}},
    }
    return Summary(**usual | given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "mitigated   60.0 s (p95 90.0)  "),
        ({"mitigated_s": {"median": 0.0, "p95": 0.0}}, "mitigated    0.0 s (p95 0.0)"),
        ({"mitigated": 2}, "(p95 90.0), 2 of 3"),
        ({"mitigated": 0, "mitigated_s": {"median": None, "p95": None}}, "never mitigated"),
        (
            {"expected": HELD, "mitigated_s": {"median": None, "p95": None}, "moves": 0},
            "held     ",
        ),
        (
            {"expected": HELD, "mitigated_s": {"median": None, "p95": None}, "moves": 1},
            "did not hold",
        ),
    ],
)
def test_a_line_says_whether_it_moved_in_time_held_or_neither(
    given: dict[str, Any], told: str
) -> None:
    assert told in summary(**given).in_words()


def test_a_run_of_the_users_own_file_is_seen_again_by_its_path() -> None:
    failed = summary(ok=False, failed={2: ["clients went on"]})

    assert "(sidestep drill --scenario 'my own.yaml' --seed 2)" in failed.in_words("my own.yaml")
    assert "(sidestep drill --scenario mine --seed 2)" in failed.in_words()


def test_two_scenarios_of_one_name_are_refused_before_any_run(tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_text((CATALOGUE / "dark.yaml").read_text())

    run = CliRunner(mix_stderr=False).invoke(cli, ["scenarios", "dark", str(copy)])

    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr == (
        f"Error: dark and {copy} are both named 'dark': give one of them another name\n"
    )


def test_a_scenario_that_is_given_twice_is_run_once() -> None:
    assert [*loaded(["dark", "flapping", "dark"])] == ["dark", "flapping"]
