"""`sidestep status` and `history` against a cloud that runs: one incident from drain to return."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from sidestep.aws.items import to_attributes
from sidestep.core.control import DRAINED, RegionState
from sidestepctl.main import cli
from tests.cli.running import Up, until, up
from tests.cli.test_commands import begun
from tests.cli.test_orders import CHECK, NOBODY

LONDON, VIRGINIA = "eu-west-2", "us-east-1"
INCIDENT = f"demo-{LONDON}-1"
FAILOVER = f"arn:aws:states:{VIRGINIA}:123456789012:stateMachine:sidestep-demo-failover"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Up]:
    """One in which a person has drained London, and in which every Region is well."""
    with up() as running:
        until(lambda: all(one["decision"]["action"] == "none" for one in regions(running)))
        before = running.sidestep("history")
        assert before.stdout == "nothing has happened to the application demo\n"
        running.client("stepfunctions", VIRGINIA).start_execution(
            stateMachineArn=FAILOVER, input=json.dumps({"region": LONDON})
        )
        until(lambda: london(running)["state"] == "DRAINED" and not london(running)["holder"])
        yield running


def regions(cloud: Up) -> list[dict[str, Any]]:
    """What `status` tells of each Region; one that does not exist yet while nothing is known."""
    run = cloud.sidestep("status", "--json")
    if run.returncode == 2 and "nothing is known" in run.stderr:
        return [{"decision": {"action": "hold"}}]
    assert (run.returncode, run.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(run.stdout)["regions"]
    return found


def london(cloud: Up) -> dict[str, Any]:
    (one,) = [one for one in regions(cloud) if one["region"] == LONDON]
    return one


def test_status_tells_a_region_that_waits_for_a_person_and_the_commands(cloud: Up) -> None:
    run = cloud.sidestep("status", "--policy", "docs/policy-example.yaml")

    assert (run.returncode, run.stderr) == (0, "")
    assert "  serving   2 of 3 guarded Regions\n  drains    3 of 4 left in 24 hours\n" in run.stdout
    assert f"\n{LONDON}: DRAINED since 20" in run.stdout
    assert f"none: {LONDON} was drained by an operator's order ({INCIDENT}, manual)" in run.stdout
    assert f"{INCIDENT} (failover, manual), open, in nobody's hands\n" in run.stdout


def test_history_tells_the_incident_and_its_steps(cloud: Up) -> None:
    listed = json.loads(cloud.sidestep("history", "--limit", "5", "--json").stdout)
    steps = cloud.sidestep("history", INCIDENT)
    record = json.loads(cloud.sidestep("history", INCIDENT, "--json").stdout)

    assert [(one["incident"], one["mode"], one["status"]) for one in listed] == [
        (INCIDENT, "manual", "drained")
    ]
    assert (listed[0]["at_risk"], listed[0]["lost"], listed[0]["closed_ms"]) == (0, 0, None)
    assert (steps.returncode, steps.stderr) == (0, "")
    assert steps.stdout.splitlines()[0].startswith("incident ")
    told = steps.stdout.splitlines()
    assert " UTC claimed: by arn:" in told[3]
    assert any(line.endswith(" UTC drained: switches set") for line in told)
    assert [step["step"] for step in record["steps"][:4]] == [
        "claimed",
        "gate",
        "toggle",
        "drained",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("history", "demo-x-1"), "no incident demo-x-1 of the application demo is recorded"),
        (("history", "--limit", "0"), "'--limit': 0 is not in the range"),
        (("status", "--coordination", ","), "--coordination names no Region"),
        (("status", "--endpoint-url", "nowhere"), "Invalid endpoint: nowhere"),
        (("status", "--application", "other"), "sidestep-other-coordination"),
        (("history", "--application", "other"), "sidestep-other-coordination"),
        (("status", "--policy", "no-such.yaml"), "'no-such.yaml' does not exist"),
    ],
)
def test_what_cannot_be_told_is_said_in_one_line(
    cloud: Up, arguments: tuple[str, ...], said: str
) -> None:
    run = cloud.sidestep(*arguments)

    assert (run.returncode, run.stdout) == (2, "")
    assert said in run.stderr
    assert run.stderr.startswith("Error: ")
    assert run.stderr.count("\n") == 1


def test_a_policy_that_names_a_region_that_is_not_guarded_is_refused(
    cloud: Up, tmp_path: Any
) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("capacity_percent: {eu-west-9: 60}\n")

    run = cloud.sidestep("status", "--policy", str(file))

    assert (run.returncode, run.stdout) == (2, "")
    assert "eu-west-9 is not guarded" in run.stderr


def test_every_fault_of_a_policy_file_is_told_before_aws_is_asked(tmp_path: Any) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("cooldown_s: -1\nlease_s: 1\n")

    run = CliRunner(mix_stderr=False, env=NOBODY).invoke(cli, ["status", "--policy", str(file)])

    assert (run.exit_code, run.stdout) == (2, "")
    assert [line.split(": ")[0] for line in run.stderr.splitlines()] == [f"{file}:1", f"{file}:2"]


@pytest.mark.parametrize("command", ["status", "history"])
def test_without_credentials_it_is_said_what_to_check(command: str) -> None:
    run = CliRunner(mix_stderr=False, env=NOBODY).invoke(cli, [command])

    assert run.exit_code == 2
    assert run.stderr == (
        "Error: nothing can be told, and automation goes on as it can: no Region of "
        f"sidestep-demo-coordination answers (Unable to locate credentials); {CHECK}\n"
    )


class _Recording(BaseHTTPRequestHandler):
    """A DynamoDB that holds a drained London, and keeps what it is asked to do."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.headers["X-Amz-Target"].split(".")[-1])
        state = asdict(RegionState(state=DRAINED, incident=INCIDENT, epoch=1, mode="automatic"))
        control = {"pk": "app#demo", "sk": "control", "token": 1, "serving": 2, "moves": []}
        item = to_attributes(control | {"regions": {LONDON: state}})
        self._answer({"Items": [item], "Count": 1} if self.asked[-1] == "Query" else {})

    def _answer(self, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


@pytest.mark.parametrize("command", ["status", "history"])
def test_nothing_but_reads_is_asked_of_the_table(command: str) -> None:
    someone = NOBODY | {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    _Recording.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Recording) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        run = CliRunner(mix_stderr=False, env=someone).invoke(
            cli, [command, "--endpoint-url", f"http://127.0.0.1:{server.server_port}"]
        )
        server.shutdown()

    assert (run.exit_code, run.stderr) == (0, "")
    assert _Recording.asked == ["Query", "GetItem"]


@pytest.mark.parametrize("command", ["status", "history"])
def test_ctrl_c_while_nobody_answers_ends_it_with_130(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = begun(command, "--endpoint-url", f"http://127.0.0.1:{port}")
        with process, silent.accept()[0]:  # it has asked, and waits
            os.killpg(process.pid, signal.SIGINT)
            assert process.stderr is not None
            told = process.stderr.read()

    assert (process.returncode, told) == (130, "interrupted\n")


def test_the_command_that_is_told_brings_the_region_back(cloud: Up) -> None:
    # Last: then London serves again.
    back, forced = london(cloud)["by_hand"]

    started = cloud.aws_cli(*shlex.split(back["command"])[1:])

    assert (started.returncode, started.stderr) == (0, "")
    assert '"mode":"forced"' in forced["command"]
    assert until(lambda: london(cloud)["state"] == "SERVING" and not london(cloud)["holder"])
    (one,) = json.loads(cloud.sidestep("history", "--json").stdout)
    assert (one["status"], one["kind"], one["at_risk"], one["lost"]) == ("closed", "recovery", 0, 0)
    assert one["closed_ms"] - one["opened_ms"] == 1000 * one["lasted_s"]
