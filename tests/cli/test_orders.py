"""`sidestep pause`, `resume`, `acknowledge`: orders to a cloud that runs, and what they change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sidestep.aws.incident_lease import control_of
from sidestep.aws.items import from_attributes
from sidestep.core.control import ControlState
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
