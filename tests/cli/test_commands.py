"""The commands as people type them: what they print, and how they exit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from localcloud.run import Run
from localcloud.scenario import load
from sidestepctl import scenarios
from sidestepctl.main import cli
from sidestepctl.one_line import OneLine
from sidestepctl.report import report_of
from sidestepctl.scenarios import Done
from sidestepctl.workers import WorkerLostError
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


WRONG = [
    (["drill", "--scenario", "none-such"], "no scenario 'none-such' (a file of yours"),
    (["drill", "--scenario", "health-error"], "did you mean 'health-errors'"),
    (["drill", "--scenario", "/none/such.yaml"], "no file /none/such.yaml: give a scenario's file"),
    (["drill", "--seed", "x"], "'x' is not a valid integer (see sidestep drill --help)"),
    (["drill", "--history", "no/such/folder/h.jsonl"], "cannot be written: No such file"),
    (["invoke", "no-such-file.json"], "does not exist"),
    (["invoke", "README.md"], "not JSON"),
    (["up", "--speed", "0"], "--speed 0 must be a number greater than 0"),
    (["up", "--speed", "nan"], "--speed nan must be a number greater than 0"),
    (["up", "--speed", "inf"], "--speed inf must be a number greater than 0"),
    (["up", "--api-port", "-1"], "'--api-port': -1 is not in the range"),
    (["up", "--dns-port", "70000"], "'--dns-port': 70000 is not in the range"),
    (["up", "--aws-port", "70000"], "'--aws-port': 70000 is not in the range"),
    (["simulate", "--faults", ","], "--faults ',' names none: choose of alarms-stuck"),
    (["simulate", "--faults", "rain,sun"], "no fault rain, sun: choose of alarms-stuck"),
    (["policy", "chek"], "No such command 'chek' (see sidestep policy --help)"),
    (["pause"], "Missing option '--for' (see sidestep pause --help)"),
    (["--jump"], "No such option: --jump (see sidestep --help)"),
    (["jump"], "No such command 'jump' (see sidestep --help)"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_bad_input_is_a_clear_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    run = CliRunner(mix_stderr=False).invoke(cli, arguments, prog_name="sidestep")

    assert (run.exit_code, run.stdout) == (2, "")
    assert said in run.stderr
    assert run.stderr.startswith("Error: ")
    assert run.stderr.count("\n") == 1
    assert isinstance(run.exception, SystemExit)  # said on purpose, not a traceback


def test_a_bug_shows_itself_whole() -> None:
    @click.command(cls=OneLine)
    def broken() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(broken).exception, ZeroDivisionError)


def test_the_installed_command_says_it_in_one_line() -> None:
    run = sidestep("drill", "--scenario", "none-such")

    assert run.returncode == 2
    assert "no scenario 'none-such' (a file of yours ends in .yaml): choose one of" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drill"], "interrupted\n"),
        (["scenarios", "thin-traffic", "dark"], "interrupted\n"),
        (["simulate"], ""),  # it tells what it came to so far instead
    ],
)
def test_ctrl_c_ends_it_with_130_and_without_noise(arguments: list[str], said: str) -> None:
    process = begun(*arguments)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: workers hear it too
        told = process.stderr.read()

    assert (process.returncode, told) == (130, said)


@pytest.mark.parametrize("arguments", [["policy", "explain"], ["--help"]])
def test_a_full_disk_is_told_in_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [BIN / "sidestep", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )

    said = "Error: the output cannot be written: No space left on device\n"
    assert (run.returncode, run.stderr) == (1, said)


def test_a_history_file_keeps_what_it_holds_until_there_is_a_new_one(tmp_path: Path) -> None:
    kept = tmp_path / "history.jsonl"
    kept.write_text("of the last drill\n")
    process = begun("drill", "--scenario", "thin-traffic", "--history", str(kept))
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr.read() == "interrupted\n"
    assert (process.returncode, kept.read_text()) == (130, "of the last drill\n")

    done = sidestep("drill", "--scenario", "thin-traffic", "--history", str(kept))

    assert done.returncode == 0
    assert kept.read_text().startswith("{")


def test_a_history_that_cannot_be_written_costs_no_report() -> None:
    done = sidestep("drill", "--scenario", "thin-traffic", "--history", "/dev/full")

    said = "Error: --history /dev/full: cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert "ok: nothing moved" in done.stdout


@pytest.mark.parametrize("arguments", [["drill"], ["policy", "explain"]])
def test_a_reader_that_goes_away_ends_it_as_it_ends_other_tools(arguments: list[str]) -> None:
    process = begun(*arguments)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()

    assert (process.returncode, told) == (141, "")


@pytest.mark.parametrize("lost", [KeyboardInterrupt(), WorkerLostError("a process was ended")])
def test_what_ends_a_command_early_leaves_its_results_so_far(
    monkeypatch: pytest.MonkeyPatch, lost: BaseException
) -> None:
    def one_and_no_more(done: Done, *_: object) -> None:
        done.add("one-observer", report_of(Run(load("one-observer"), 1).carry_out()))
        raise lost

    monkeypatch.setattr(scenarios, "run_all", one_and_no_more)
    asked = ["scenarios", "one-observer", "dark", "--seeds", "2"]

    told = CliRunner(mix_stderr=False).invoke(cli, asked)
    as_json = CliRunner(mix_stderr=False).invoke(cli, [*asked, "--json"])

    assert told.exit_code == as_json.exit_code == (130 if "ended" not in str(lost) else 2)
    assert "held" in told.stdout
    assert "(1 of 2 runs)" in told.stdout
    assert [one["seeds"] for one in json.loads(as_json.stdout)] == [[1]]


@pytest.mark.parametrize("command", ["scenarios", "simulate"])
@pytest.mark.parametrize("option", ["--workers=0", "--workers=5000000000", "--seeds=0"])
def test_numbers_that_make_no_sense_are_refused(command: str, option: str) -> None:
    run = CliRunner(mix_stderr=False).invoke(cli, [command, option])

    assert run.exit_code == 2
    assert run.stderr.startswith(f"Error: Invalid value for '{option.split('=')[0]}'")
    assert run.stderr.count("\n") == 1


def begun(*arguments: str) -> subprocess.Popen[str]:
    """The command, running, with workers and all in a process group of its own."""
    return subprocess.Popen(
        [BIN / "sidestep", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
        # As at a terminal: what runs the tests in the background may have them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
