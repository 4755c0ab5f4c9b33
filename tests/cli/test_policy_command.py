"""`sidestep policy`: a file is judged with its lines, and every number is told."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidestep.core.policy import Policy
from sidestepctl.main import cli
from sidestepctl.policy_file import PolicyFileError, parse
from tests.cli.running import ROOT

EXAMPLE = str(ROOT / "docs" / "policy-example.yaml")


def policy(*arguments: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(cli, ["policy", *arguments])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lease_s: 90\ncool_down_s: 1\n", "p.yaml:2: policy has no 'cool_down_s': did you mean"),
        ("xyz: 1\n", "p.yaml:1: policy has no 'xyz': it has approval, "),
        ("# why\n\nlease_s: long\n", "p.yaml:3: policy lease_s is 'long': it must be a whole"),
        ("lease_s:\n", "p.yaml:1: policy lease_s is nothing: it must be a whole number"),
        ("lease_s: 1.5\n", "p.yaml:1: policy lease_s is 1.5: it must be a whole number"),
        ("lease_s: [1]\n", "p.yaml:1: policy lease_s is [1]: it must be a whole number"),
        ("cooldown_factor: .nan\n", "p.yaml:1: policy cooldown_factor is nan: it may be 1 to 10"),
        ("lease_s: 5\n", "p.yaml:1: policy lease_s is 5: it may be 30 to 600"),
        ("approval: no\n", "p.yaml:1: policy approval is False: it may be never, "),
        ("lease_s: 90\nlease_s: 60\n", "p.yaml:2: lease_s is given twice (first in line 1)"),
        ("lease_s: 90\n  x: 1\n", "p.yaml:2: not YAML: mapping values are not allowed here"),
        ("lease_s: [\n", "p.yaml:2: not YAML: "),
        ("- lease_s\n", "p.yaml:1: a policy is a list of NAME: VALUE"),
        ("just words\n", "p.yaml:1: a policy is a list of NAME: VALUE"),
        ("a: &a [*a]\n", "p.yaml:1: nested too deep"),
        ("a: !!python/object:os.system x\n", "p.yaml:1: cannot be read as a value: 'x'"),
        ("? [a, b]\n: 1\n", "p.yaml:1: must be text"),
    ],
)
def test_a_fault_is_one_clear_line_with_the_files_name_and_line(text: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse(text, "p.yaml")

    (line,) = refused.value.lines
    assert line.startswith(said)


def test_all_faults_are_told_at_once_top_down_and_the_exit_code_is_2(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("lease_s: 5\ncool_down_s: 3\nobserve_only: 3\nlease_s: 90\n")

    run = policy("check", str(file))

    assert run.exit_code == 2
    assert run.stdout == ""
    assert [line.split(": ", 1)[0] for line in run.stderr.splitlines()] == [
        f"{file}:{line}" for line in (2, 3, 4)
    ]


@pytest.mark.parametrize("command", ["check", "explain"])
def test_a_file_that_is_no_text_or_not_there_is_a_clear_line(command: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe\x00")

    binary = policy(command, str(tmp_path / "p.yaml"))
    missing = policy(command, str(tmp_path / "none.yaml"))

    assert (binary.exit_code, missing.exit_code) == (2, 2)
    assert "p.yaml:1: not a text file in UTF-8" in binary.stderr
    assert "does not exist" in missing.stderr


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("# nothing yet\n")

    run = policy("check", str(tmp_path / "p.yaml"))

    assert (run.exit_code, run.stdout) == (
        0,
        f"ok: {tmp_path}/p.yaml: everything as by default\n",
    )


def test_check_says_what_differs_and_what_makes_no_sense_together(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("lease_s: 90\ncooldown_max_s: 60\n")

    lines = policy("check", str(tmp_path / "p.yaml")).stdout.splitlines()

    assert lines[1:] == [
        "  cooldown_max_s  60 (default 3600)",
        "note: cooldown_max_s (60) is below cooldown_s (300): every wait is 60 s",
    ]


def test_check_prints_the_json_that_the_functions_read() -> None:
    run = policy("check", EXAMPLE, "--json")

    given = json.loads(run.stdout)
    assert run.stdout.count("\n") == 1
    assert Policy.parse(given).approval == "always"
    numbers = {k: v for k, v in given.items() if not isinstance(v, list | dict)}
    assert numbers.items() <= vars(Policy.parse(given)).items()
    assert len(Policy.parse(given).maintenance) == 2


WINDOWS = """\
lease_s: 90
maintenance:
  - region: eu-west-2
    weekday: sunday
    from: 02:00
    minutes: 0
  - {region: all, daily: true, from: 12:00, minutes: 5}
  - {region: us-west-9, date: 2026-12-24, from: "18:00", minutes: 5}
  - region: all
    region: eu-west-2
"""


def test_each_fault_of_a_window_is_told_at_its_own_line() -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse(WINDOWS, "p.yaml", ("eu-west-2", "us-west-2"))

    said = [line.removeprefix("p.yaml:").split(": ")[::2] for line in refused.value.lines]
    assert [line for line, *_ in said] == ["4", "6", "8", "9", "9", "9", "10"]
    assert "it may be mon, tue" in refused.value.lines[0]
    assert "us-west-9 is not guarded" in refused.value.lines[2]
    assert "p.yaml:10: region is given twice (first in line 9)" in refused.value.lines


def test_times_and_dates_are_understood_without_quotes_too() -> None:
    given = parse("maintenance: [{region: all, date: 2026-12-24, from: 12:00, minutes: 5}]", "p")

    assert Policy.parse(given).maintenance[0].words == "2026-12-24 12:00 UTC for 5 minutes"


def test_a_policy_too_long_for_a_functions_environment_is_refused() -> None:
    window = "  - {region: all, daily: true, from: '02:00', minutes: 5}\n"

    with pytest.raises(PolicyFileError, match=r"p.yaml:1: \d+ characters as JSON"):
        parse("maintenance:\n" + window * 50, "p.yaml")


def test_explain_tells_every_number_and_how_they_play_together() -> None:
    told = policy("explain").stdout
    own = policy("explain", EXAMPLE).stdout

    for field in fields(Policy):
        assert f"\n{field.name} = " in f"\n{told}"
    assert "cooldown_s = 300  (default; 0 to 86400)\n    After a Region moved, so long" in told
    assert "cooldown_s = 600  (default 300; 0 to 86400)\n" in own
    assert "drained after 3 rounds and no sooner: 20 to 30 s" in own
    assert all(len(line) <= 100 for line in told.splitlines())
