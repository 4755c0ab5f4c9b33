"""A drain that does not drain is found out by what clients see, whatever it says of itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.cloud import TEMPLATE
from localcloud.run import Run
from sidestepctl.report import Report, in_words, report_of
from tests.loop.world import health_errors, template_without

ROOT = Path(__file__).resolve().parents[2]
BROKEN = "eu-west-2"
IMPATIENT = {
    "traffic_deadline_s": 30,
    "replication_deadline_s": 10,
    "stability_window_s": 0,
    "probation_s": 0,
    "approval": "never",
}
"""A policy that has the loop over soon: it is not what is tested here."""


STATEMENTS = ("Properties", "Policies", 0, "Statement")


@pytest.fixture(scope="module")
def neither_switch() -> Report:
    """A run in which neither the gate nor the toggle may be set."""
    template = template_without(
        ("Resources", "GateFunction", *STATEMENTS, "Marks"),
        ("Resources", "ToggleFunction", *STATEMENTS, "Toggles"),
    )
    short = health_errors(BROKEN, at_s=15, for_s=35)
    return report_of(Run(short, seed=1, template=template, deadline_s=5).carry_out())


@pytest.mark.xdist_group("a broken drain")
def test_a_failover_that_could_set_neither_switch_says_that_nothing_was_drained(
    neither_switch: Report,
) -> None:
    assert not neither_switch.ok
    assert f"nothing drained {BROKEN}" in neither_switch.why
    assert [move for move in neither_switch.moves if move["what"] == "drain"] == []


@pytest.mark.xdist_group("a broken drain")
def test_it_was_detected_all_the_same_and_told_in_words(neither_switch: Report) -> None:
    assert neither_switch.detected_s is not None
    assert (neither_switch.mitigated_s, neither_switch.recovered_s) == (None, None)
    assert f"NOT OK: nothing drained {BROKEN}" in in_words(neither_switch)


def test_the_command_exits_1_when_the_switches_are_set_and_clients_stay(tmp_path: Path) -> None:
    """The workflows are content here: every switch is set, every execution succeeds. But the
    record that clients follow does not hang on the switches any more (the one that names the Region
    does: only where clients really go gives it away)."""
    template = TEMPLATE.read_text()
    for right, wrong in (
        ("      HealthCheckId: !Ref RegionCheck\n      AliasTarget:", "      AliasTarget:"),
        ("SIDESTEP_POLICY: !Ref Policy", f"SIDESTEP_POLICY: '{json.dumps(IMPATIENT)}'"),
    ):
        assert template.count(right) == 1
        template = template.replace(right, wrong)

    done = drill(checkout(tmp_path, template))
    report = json.loads(done.stdout)

    assert done.returncode == 1, done.stderr
    assert report["ok"] is False
    (why,) = report["why"]
    assert why.startswith(f"clients went on going to {BROKEN}")
    assert [move["what"] for move in report["moves"]] == ["drain", "restore"]
    assert report["mitigated_s"] is None


def checkout(to: Path, template: str) -> Path:
    """A copy of what the drill runs, with another template."""
    for folder in ("functions", "localcloud", "sidestepctl", "statemachines"):
        shutil.copytree(
            ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    (to / "template.yaml").write_text(template)
    return to


def drill(where: Path) -> subprocess.CompletedProcess[str]:
    """`sidestep drill --json` in a checkout."""
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(where), str(where / "functions")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "sidestepctl.main", "drill", "--json"],
        cwd=where,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
