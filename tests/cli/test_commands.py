"""The commands as people type them: what they print, and how they exit."""

from __future__ import annotations

import subprocess

import pytest
from click.testing import CliRunner

from sidestepctl.main import cli
from tests.cli.running import BIN, ROOT


def sidestep(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, as a process of its own."""
    return subprocess.run(
        [BIN / "sidestep", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )


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
    run = CliRunner(mix_stderr=False).invoke(cli, arguments)

    assert run.exit_code == 2
    assert said in run.stderr
    assert isinstance(run.exception, SystemExit)  # said on purpose, not a traceback


def test_the_installed_command_says_it_in_one_line() -> None:
    run = sidestep("drill", "--scenario", "none-such")

    assert run.returncode == 2
    assert "no scenario 'none-such': choose one of" in run.stderr
    assert "Traceback" not in run.stderr
