"""While `sidestep up` runs, stock tools work against it: HTTP, DNS resolvers, AWS CLI, boto3."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import dns.resolver
import pytest

from tests.cli.running import BIN, Up, until, up

DATA, COORDINATION = "sidestep-demo-data", "sidestep-demo-coordination"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Up]:
    with up() as running:
        yield running


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def write(cloud: Up, region: str, key: str) -> Any:
    body = json.dumps({"author": "ada", "text": key}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    url = cloud.health[region].replace("/health", "/messages")
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return json.load(answer)["message"]


def resolver(cloud: Up) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], cloud.dns_port
    return made


def test_each_region_answers_on_an_address_of_its_own(cloud: Up) -> None:
    assert list(cloud.health) == ["eu-west-2", "us-east-1", "us-west-2"]
    assert len({url.rsplit(":", 1)[0] for url in cloud.health.values()}) in (1, 3)
    for region, url in cloud.health.items():
        status, body = until(lambda url=url: (a := get(url))[0] == 200 and a)
        assert (status, body["region"]) == (200, region)


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_stock_resolver_gets_a_healthy_region_with_the_records_ttl(cloud: Up, tcp: bool) -> None:
    answer = resolver(cloud).resolve("api.sidestep.test", "A", tcp=tcp)

    assert answer.rrset is not None
    assert answer.rrset.ttl == 60
    assert answer[0].to_text() in {"127.0.1.1", "127.0.1.2", "127.0.1.3"}


def test_a_write_is_in_another_region_after_its_lag_and_not_before(cloud: Up) -> None:
    there = cloud.client("dynamodb", "us-west-2")

    def key_of(message: Any) -> dict[str, Any]:
        return {"pk": {"S": f"message#{message['id']}"}, "sk": {"S": "message"}}

    def write_and_look_at_once(number: int) -> dict[str, Any] | None:
        """The key of a write that was not there yet. A busy machine may look too late."""
        key = key_of(write(cloud, "eu-west-2", f"replicates-later-{number:04}"))
        seen = there.get_item(TableName=DATA, Key=key).get("Item")
        return None if seen else key

    key = next(key for number in range(20) if (key := write_and_look_at_once(number)))
    item = until(lambda: there.get_item(TableName=DATA, Key=key).get("Item"))
    assert item["region"] == {"S": "eu-west-2"}
    # And by the CLI, as a person would look.
    shown = cloud.aws_cli(
        *("dynamodb", "get-item", "--region", "us-west-2", "--table-name", DATA),
        *("--key", json.dumps(key)),
    )
    assert json.loads(shown.stdout)["Item"]["region"] == {"S": "eu-west-2"}


def test_put_events_reaches_the_targets_of_the_rules(cloud: Up) -> None:
    item = {
        **{"id": "f" * 32, "author": "ada", "text": "by hand", "digest": "0" * 32},
        **{"region": "eu-west-2", "written_at": 1_700_000_000_000, "version": 1_700_000_000_000},
    }
    detail = {"application": "demo", "region": "eu-west-2", "item": item}
    entry = {
        **{"Source": "sidestep.api", "DetailType": "MessageWritten"},
        **{"EventBusName": "sidestep-demo", "Detail": json.dumps(detail)},
    }

    put = cloud.aws_cli(
        *("events", "put-events", "--region", "eu-west-2", "--entries", json.dumps([entry]))
    )

    assert json.loads(put.stdout)["FailedEntryCount"] == 0
    # Forwarded to another Region's bus, and into its ledger.
    ledger = cloud.client("dynamodb", "us-east-1")
    key = {"pk": {"S": "ledger#eu-west-2"}, "sk": {"S": f"1700000000000#{'f' * 32}"}}
    entered = until(
        lambda: ledger.get_item(TableName="sidestep-demo-regional", Key=key).get("Item")
    )
    assert entered["item"]["M"]["text"] == {"S": "by hand"}


def test_a_drill_started_by_hand_fails_over_and_its_history_is_real(cloud: Up) -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:sidestep-demo"
    settled = cloud.client("dynamodb", "eu-west-1")

    def states() -> dict[str, Any]:
        key = {"pk": {"S": "app#demo"}, "sk": {"S": "control"}}
        item = settled.get_item(TableName=COORDINATION, Key=key).get("Item", {})
        found: dict[str, Any] = item.get("regions", {}).get("M", {})
        return {region: state["M"]["state"]["S"] for region, state in found.items()}

    started = cloud.aws_cli(
        *("stepfunctions", "start-execution", "--region", "us-east-1"),
        *("--state-machine-arn", f"{machine}-drill", "--input", '{"region":"eu-west-2"}'),
    )
    drill = json.loads(started.stdout)["executionArn"]
    assert until(lambda: get(cloud.health["eu-west-2"])[0] == 503)
    assert until(lambda: states().get("eu-west-2") == "DRAINED")

    history = json.loads(
        cloud.aws_cli(
            *("stepfunctions", "get-execution-history", "--region", "us-east-1"),
            *("--execution-arn", drill),
        ).stdout
    )
    entered = [
        e["stateEnteredEventDetails"]["name"]
        for e in history["events"]
        if "stateEnteredEventDetails" in e
    ]
    assert entered[:3] == [
        "See whether a drill may run",
        "Inject the fault",
        "Watch the automatic path drain it",
    ]
    answered = until(
        lambda: (
            (a := resolver(cloud).resolve("api.sidestep.test"))[0].to_text() != "127.0.1.1" and a
        )
    )
    assert answered[0].to_text() in {"127.0.1.2", "127.0.1.3"}


def test_route_53_tells_the_truth_about_the_broken_region(cloud: Up) -> None:
    checks = json.loads(cloud.aws_cli("route53", "list-health-checks").stdout)["HealthChecks"]
    (broken,) = [
        check["Id"]
        for check in checks
        if check["HealthCheckConfig"].get("FullyQualifiedDomainName", "").startswith("eu-west-2.")
        and check["HealthCheckConfig"]["ResourcePath"] == "/health"
    ]

    def failing() -> bool:
        said = cloud.aws_cli("route53", "get-health-check-status", "--health-check-id", broken)
        return "503" in said.stdout

    assert until(failing)


def test_an_alarm_set_by_hand_is_evidence_in_the_next_ballot(cloud: Up) -> None:
    """Its data puts it back within a minute, and a later ballot knows nothing of it: on a machine
    with much else to do both may be over before anybody has looked, so it is set again then."""
    table = cloud.client("dynamodb", "eu-west-1")
    key = {"pk": {"S": "app#demo"}, "sk": {"S": "vote#us-west-2"}}
    set_at: list[float] = []

    def told() -> bool:
        if not set_at or time.monotonic() - set_at[-1] > 20.0:
            cloud.aws_cli(
                *("cloudwatch", "set-alarm-state", "--region", "us-west-2"),
                *("--state-value", "ALARM", "--state-reason", "a test"),
                *("--alarm-name", "sidestep-demo-us-west-2-write-latency"),
            )
            set_at.append(time.monotonic())
        ballot = table.get_item(TableName=COORDINATION, Key=key, ConsistentRead=True).get("Item")
        return "alarm write-latency is ALARM" in json.dumps(ballot)

    assert until(told)


def test_a_port_in_use_is_one_line_that_names_the_option() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [BIN / "sidestep", "up", "--api-port", "0", "--dns-port", "0", "--aws-port", port],
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 2
    assert ended.stderr == (
        f"Error: 127.0.0.1:{port} is already in use; choose another port with --aws-port PORT\n"
    )


def test_ctrl_c_stops_it_cleanly() -> None:
    with up() as running:
        process = running.process

    assert process.returncode == 0
