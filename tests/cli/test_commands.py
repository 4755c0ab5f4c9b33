"""The commands as people type them: what they print, and how they exit."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import BIN, ROOT

OPTIONS = ("--scenario", "region-down", "--seed", "7")


def sidestep(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The installed command, as a process of its own."""
    return subprocess.run(
        [BIN / "sidestep", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A drill with a Region down, once: its report and its history."""
    history = tmp_path_factory.mktemp("drill") / "history.jsonl"
    run = sidestep("drill", *OPTIONS, "--json", "--history", history)
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout), history


def test_the_drills_report_is_what_its_page_says(drill: tuple[Any, Path]) -> None:
    page = (ROOT / "docs" / "drill.md").read_text()
    report = drill[0]

    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == list(report)
    for part in ("clients", "writes"):
        described = re.search(rf"^\| `{part}` \| .*$", page, re.M)
        assert described is not None
        assert set(report[part]) <= set(re.findall(r"`(\w+)`", described[0]))


def test_a_drill_that_closed_says_when_and_who_moved(drill: tuple[Any, Path]) -> None:
    report = drill[0]

    assert (report["ok"], report["why"], report["seed"]) == (True, [], 7)
    assert 0 < report["detected_s"] < report["mitigated_s"] < report["recovered_s"]
    assert [(move["what"], move["region"]) for move in report["moves"]] == [
        ("drain", "eu-west-2"),
        ("restore", "eu-west-2"),
    ]
    assert all(":execution:sidestep-demo-" in move["by"] for move in report["moves"])
    assert report["writes"]["acknowledged"] > 100
    assert report["writes"]["lost"] == 0


def test_the_history_is_one_json_object_a_line_in_the_order_of_time(
    drill: tuple[Any, Path],
) -> None:
    events = [json.loads(line) for line in drill[1].read_text().splitlines()]

    assert [e["t"] for e in events] == sorted(e["t"] for e in events)
    assert {"step", "vote", "decision", "move", "request", "health_check", "lag"} <= {
        e["kind"] for e in events
    }


def test_one_event_is_fed_from_the_command_line() -> None:
    run = sidestep("invoke", "events/api-write.json", "--region", "us-west-2")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[0] == "POST /messages in us-west-2 → 201"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drill", "--scenario", "none-such"], "no scenario 'none-such': choose one of"),
        (["drill", "--seed", "x"], "'x' is not a valid integer"),
        (["invoke", "no-such-file.json"], "does not exist"),
        (["invoke", "README.md"], "not JSON"),
        (["up", "--speed", "0"], "--speed 0 must be greater than 0"),
        (["jump"], "No such command 'jump'"),
    ],
)
def test_bad_input_is_a_clear_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    run = sidestep(*arguments)

    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr
