"""`sidestep pause`, `resume`, `acknowledge`: orders to a cloud that runs, and what they change."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from sidestep.aws.incident_lease import control_of
from sidestep.aws.items import from_attributes
from sidestep.core.control import ControlState
from sidestepctl.main import cli
from tests.cli.running import Up, until, up

LONDON, OREGON = "eu-west-2", "us-west-2"
ADA = ("--owner", "ada", "--reason", "a release")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Up]:
    with up() as running:
        until(lambda: running.sidestep("resume", LONDON).returncode == 0)  # it is known
        yield running


def control(cloud: Up) -> ControlState:
    key = {"pk": {"S": "app#demo"}, "sk": {"S": "control"}}
    table = cloud.client("dynamodb", "eu-central-1")
    return control_of(
        from_attributes(
            table.get_item(TableName="sidestep-demo-coordination", Key=key).get("Item", {})
        )
    )


def test_a_region_is_paused_for_a_while_and_resumed(cloud: Up) -> None:
    paused = cloud.sidestep("pause", LONDON, "--for", "2h", *ADA)

    assert (paused.returncode, paused.stderr) == (0, "")
    assert paused.stdout.startswith(f"{LONDON} is paused by ada until 20")
    pause = control(cloud).paused_regions[LONDON]
    assert (pause.owner, pause.reason) == ("ada", "a release")
    assert cloud.sidestep("resume", LONDON).stdout == f"{LONDON} is not paused any more\n"
    assert cloud.sidestep("resume", LONDON).stdout == f"{LONDON} was not paused\n"
    assert not control(cloud).paused_regions


def test_everything_is_paused_by_one_operator_at_a_time(cloud: Up) -> None:
    options = ("--endpoint-url", cloud.aws, "--coordination", "eu-west-2,eu-west-1,eu-central-1")

    first = cloud.sidestep("pause", "--for", "30m", *ADA, *options)
    second = cloud.sidestep("pause", "--for", "1d", "--owner", "bob", "--reason", "x")

    assert first.stdout.startswith("the application demo is paused by ada until ")
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == "Error: everything is paused by ada: a release; resume it first\n"
    assert cloud.sidestep("resume").returncode == 0


def test_an_incident_is_acknowledged_once_it_is_put_down(cloud: Up) -> None:
    early = cloud.sidestep("acknowledge", LONDON, "--owner", "ada")
    # Ordered as an observer would: it finds London well, stands down, and leaves an incident.
    given = {"application": "demo", "region": LONDON, "mode": "automatic"}
    cloud.client("stepfunctions", OREGON).start_execution(
        stateMachineArn=f"arn:aws:states:{OREGON}:123456789012:stateMachine:sidestep-demo-failover",
        input=json.dumps(given | {"incident": f"demo-{LONDON}-1"}),
    )

    def put_down() -> Any:
        region = control(cloud).of(LONDON)
        return region.incident and not region.holder

    until(put_down)
    done = cloud.sidestep("acknowledge", LONDON, "--owner", "ada")

    assert early.returncode == 2
    assert early.stderr == (
        f"Error: nothing has happened to {LONDON}: there is nothing to acknowledge\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"demo-{LONDON}-1 of {LONDON} is acknowledged by ada\n"
    acknowledged = control(cloud).acknowledgement(LONDON)
    assert acknowledged is not None
    assert acknowledged.owner == "ada"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pause", "eu-west-9", "--for", "2h", *ADA), "eu-west-9 is not guarded: choose one of"),
        (("acknowledge", "eu-west-9", "--owner", "ada"), "eu-west-9 is not guarded"),
        (("resume", "eu-west-9"), "eu-west-9 is not guarded"),
        (("pause", "--for", "2 hours", *ADA), "--for 2 hours: say how long, like 90s"),
        (("pause", "--for", "31d", *ADA), "--for 31d: say how long"),
        (("pause", "--for", "0s", *ADA), "--for 0s: say how long"),
        (("pause", LONDON, "--for", "2h", "--owner", "ada"), "Missing option '--reason'"),
        (("resume", "--coordination", ","), "--coordination names no Region"),
        (("resume", "--endpoint-url", "nowhere"), "Invalid endpoint: nowhere"),
        (("resume", "--application", "other"), "sidestep-other-coordination"),
    ],
)
def test_what_cannot_be_ordered_is_said_in_one_line(
    cloud: Up, arguments: tuple[str, ...], said: str
) -> None:
    run = cloud.sidestep(*arguments)

    assert (run.returncode, run.stdout) == (2, "")
    assert said in run.stderr
    assert run.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in run.stderr


NOBODY = {
    **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE")),
    **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull),
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""The environment of somebody without credentials."""
CHECK = "check your AWS credentials (AWS_PROFILE), --application, --coordination and --endpoint-url"


@pytest.mark.parametrize(
    "order", [("pause", "--for", "2h", *ADA), ("resume",), ("acknowledge", LONDON, "--owner", "a")]
)
def test_without_credentials_an_operator_is_told_that_automation_goes_on(
    order: tuple[str, ...],
) -> None:
    run = CliRunner(mix_stderr=False, env=NOBODY).invoke(cli, order)

    assert run.exit_code == 2
    assert run.stderr == (
        "Error: the order was not given, and automation goes on as before: no Region of "
        f"sidestep-demo-coordination answers (Unable to locate credentials); {CHECK}\n"
    )


class _OnlyReads(BaseHTTPRequestHandler):
    """A DynamoDB in which eu-west-2 is registered, and which hangs up when it is to write."""

    def do_POST(self) -> None:
        if not self.headers["X-Amz-Target"].endswith(".Query"):
            return  # no answer: the connection is closed
        told = {"pk": "app#demo", "sk": f"region#{LONDON}", "region": LONDON}
        told |= dict.fromkeys(("check_id", "api_id", "client_subnet"), "x")
        item = {name: {"S": value} for name, value in told.items()} | {"at": {"N": "1"}}
        body = json.dumps({"Items": [item], "Count": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


def test_an_order_whose_answer_is_lost_may_have_been_given() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _OnlyReads) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        someone = NOBODY | {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        run = CliRunner(mix_stderr=False, env=someone).invoke(
            cli, ["resume", LONDON, "--endpoint-url", f"http://127.0.0.1:{server.server_port}"]
        )
        server.shutdown()

    assert run.exit_code == 2
    assert run.stderr.startswith("Error: it is not known whether the order was given; give it")
    assert run.stderr.endswith(f"{CHECK}\n")
