"""Every kind of fault strikes, ends without a trace, and is told of on its page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud import scenario
from localcloud.cloud import LocalCloud
from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.faults.kinds import KINDS, REGIONLESS
from localcloud.faults.strikes import BEGINS, Strikes
from localcloud.scenario import Fault
from localcloud.yaml_reader import Reader

HERE, THERE, COORDINATION = "eu-west-2", "us-east-1", "eu-west-1"
LASTS_S = 45.0
"""Simulated: looked at after twelve, and an SDK may try again for thirty before it says no."""
PAGE = Path(__file__).resolve().parents[3] / "docs" / "scenarios.md"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A world without checkers and clients: only what a test asks happens."""
    with LocalCloud() as made:
        yield made


def ask(cloud: LocalCloud, path: str = "/health", source: str = f"near {HERE}") -> int | None:
    """The status of a GET at the Region's front door; None for no answer."""
    host = f"{HERE}.{cloud.topology.domain}"
    steps = cloud.door.request(HERE, host, "GET", path, source=source)
    try:
        answer: HttpAnswer = cloud.kernel.finish(steps)
    except Unreachable:
        return None
    return answer.status


def write(cloud: LocalCloud) -> int:
    key = f"key-{cloud.kernel.env.now:.6f}-0000"
    answer: HttpAnswer = cloud.kernel.finish(
        cloud.door.request(
            HERE,
            f"{HERE}.{cloud.topology.domain}",
            "POST",
            "/messages",
            {"Content-Type": "application/json", "Idempotency-Key": key},
            b'{"author": "ada", "text": "hi"}',
        )
    )
    return answer.status


def call(cloud: LocalCloud, service: str, region: str, operation: str, **given: Any) -> str:
    """What an API call of the operator's comes to: its error code, or ok."""

    def make() -> str:
        client = cloud.client(service, region)
        try:
            getattr(client, operation)(**given)
        except client.exceptions.ClientError as error:
            return str(error.response["Error"]["Code"])
        return "ok"

    made: str = cloud.kernel.finish(cloud.kernel.call(make))
    return made


def coordination(cloud: LocalCloud) -> str:
    key = {"pk": {"S": "x"}, "sk": {"S": "y"}}
    table = cloud.table("coordination")
    return call(cloud, "dynamodb", COORDINATION, "get_item", TableName=table, Key=key)


def replicates(cloud: LocalCloud) -> bool:
    """Whether a message is in another Region ten seconds after it was written."""
    table = cloud.services.dynamodb.table(THERE, cloud.table("data"))
    here = cloud.services.dynamodb.table(HERE, cloud.table("data"))
    write(cloud)
    messages = [item for item in here.all_items() if "history_sk" in item.attrs]
    newest = max(messages, key=lambda item: str(item.attrs["history_sk"].value))
    cloud.kernel.run(until=cloud.kernel.env.now + 10)
    return table.find(here.key_of(newest)) is not None


def alarm_states(cloud: LocalCloud) -> set[str]:
    found: set[str] = set()

    def look() -> None:
        alarms = cloud.client("cloudwatch", HERE).describe_alarms()["MetricAlarms"]
        found.update(alarm["StateValue"] for alarm in alarms)

    cloud.kernel.finish(cloud.kernel.call(look))
    return found


def slow(cloud: LocalCloud) -> bool:
    before = cloud.kernel.env.now
    write(cloud)
    return bool(cloud.kernel.env.now - before > 1.5)


def clock(cloud: LocalCloud) -> int:
    """How far the Region's functions are ahead of the world, in whole seconds."""
    write_at = cloud.kernel.now
    host = f"{HERE}.{cloud.topology.domain}"
    answer: HttpAnswer = cloud.kernel.finish(
        cloud.door.request(
            HERE,
            host,
            "POST",
            "/messages",
            {"Content-Type": "application/json", "Idempotency-Key": f"clock-{write_at:.3f}-0000"},
            b'{"author": "ada", "text": "hi"}',
        )
    )
    found = re.search(r'"written_at": (\d+)', answer.text)
    assert found is not None
    return round(int(found[1]) / 1000 - write_at)


ROUTE53 = ("route53", "us-east-1", "list_health_checks")
DATA = ("dynamodb", HERE, "get_item")

EFFECTS: dict[str, tuple[Callable[[LocalCloud], Any], Any, Any]] = {
    "region-down": (ask, 200, None),
    "region-lost": (ask, 200, None),
    "region-isolated": (lambda cloud: ask(cloud, source=THERE), 200, None),
    "region-dark": (ask, 200, None),
    "link-cut": (lambda cloud: ask(cloud, source=THERE), 200, None),
    "health-errors": (ask, 200, 503),
    "write-errors": (write, 201, 503),
    "read-errors": (lambda cloud: ask(cloud, "/history"), 200, 503),
    "table-throttled": (write, 201, 503),
    "slow": (slow, False, True),
    "bad-deploy": (lambda cloud: ask(cloud, "/history"), 200, 500),
    "replication-paused": (replicates, True, False),
    "replication-slow": (replicates, True, False),
    "stepfunctions-down": (
        lambda cloud: call(
            cloud,
            *("stepfunctions", HERE, "list_executions"),
            stateMachineArn=cloud.machine(HERE, "drill"),
        ),
        "ok",
        "ServiceUnavailable",
    ),
    "alarms-stuck": (alarm_states, None, {"INSUFFICIENT_DATA"}),
    "clock-skew": (clock, 0, 30),
    "route53-down": (lambda cloud: call(cloud, *ROUTE53), "ok", "ServiceUnavailable"),
    "coordination-down": (coordination, "ok", "InternalServerError"),
    "coordination-replica-down": (coordination, "ok", "InternalServerError"),
    "regional-table-errors": (
        lambda cloud: call(
            cloud,
            *("dynamodb", HERE, "get_item"),
            TableName=cloud.table("regional"),
            Key={"pk": {"S": "x"}, "sk": {"S": "y"}},
        ),
        *("ok", "InternalServerError"),
    ),
    "lambda-throttled": (ask, 200, 503),
    "duplicates": (lambda cloud: cloud.services.events.delivery.duplicate_share, 0.01, 1.0),
    "bus-down": (
        lambda cloud: _put_event(cloud),
        0,
        1,
    ),
    "api-errors": (write, 201, 503),
    "lambda-lost": (ask, 200, 500),
    "lambda-killed": (write, 201, 500),
    "workflow-crash": (lambda cloud: _outcome_of_a_drill(cloud), None, "ABORTED"),
    "workflow-slow": (lambda cloud: _seconds_of_an_observation(cloud) > 30, False, True),
    "events-late": (lambda cloud: cloud.services.events.delivery.late_s, [], [30.0]),
    "paused-by-operator": (
        lambda cloud: list(cloud.control().get("paused_regions", {})),
        *([], [HERE]),
    ),
    "started-by-hand": (
        lambda cloud: len(cloud.stepfunctions.executions(cloud.machine(THERE, "failover"))),
        0,
        1,
    ),
    "redriven-by-hand": (lambda cloud: _redrives(cloud), 0, 1),
}
"""Kind → what can be seen of it, before (and again after), and while it strikes."""


def _put_event(cloud: LocalCloud) -> int:
    entry = {
        **{"Source": "x", "DetailType": "y", "Detail": "{}"},
        "EventBusName": f"sidestep-{cloud.topology.application}",
    }
    found: list[int] = []

    def put() -> None:
        answer = cloud.client("events", HERE).put_events(Entries=[entry])
        found.append(answer["FailedEntryCount"])

    cloud.kernel.finish(cloud.kernel.call(put))
    return found[0]


def _outcome_of_a_drill(cloud: LocalCloud) -> str:
    """How an execution ends that is started now."""
    execution = cloud.stepfunctions.start(cloud.machine(THERE, "drill"), {"region": HERE})
    cloud.kernel.run(until=cloud.kernel.env.now + 5)
    return str(execution.status)


def _seconds_of_an_observation(cloud: LocalCloud) -> float:
    began = cloud.kernel.env.now
    execution = cloud.stepfunctions.start(cloud.machine(HERE, "observe"), {})
    cloud.kernel.run(until=execution.done)
    return float(cloud.kernel.env.now - began)


def _settings(kind: str) -> dict[str, float | str]:
    words: dict[str, float | str] = {"share": 1.0} if kind == "workflow-crash" else {}
    words |= {"peer": THERE, "workflow": "failover", "service": "dynamodb", "how": "denied"}
    return {
        name: words[name] if name in words else setting.read(Reader("x"), {}, None)
        for name, setting in KINDS[kind].settings.items()
    }


def test_every_kind_has_its_strike_and_its_test() -> None:
    assert set(BEGINS) == set(KINDS) == set(EFFECTS)
    assert set(KINDS) >= REGIONLESS


def _redrives(cloud: LocalCloud) -> int:
    known = cloud.stepfunctions.executions(cloud.machine(THERE, "failover"))
    return sum(execution.redrive_count for execution in known)


DONE_BY_A_PERSON = ("started-by-hand", "redriven-by-hand")
"""What they leave stays: tests/localcloud/faults/test_faults_in_time.py."""


@pytest.mark.parametrize("kind", [k for k in EFFECTS if k not in DONE_BY_A_PERSON])
def test_a_fault_is_seen_while_it_strikes_and_leaves_no_trace(cloud: LocalCloud, kind: str) -> None:
    look, before, meanwhile = EFFECTS[kind]
    if before is not None:
        assert look(cloud) == before

    strikes = Strikes(
        cloud, (Fault(kind, HERE, float(cloud.kernel.env.now), LASTS_S, settings=_settings(kind)),)
    )
    cloud.kernel.run(until=cloud.kernel.env.now + 12)
    assert look(cloud) == meanwhile
    cloud.kernel.run(until=cloud.kernel.env.now + LASTS_S)

    assert strikes.open == 0
    if before is not None:
        assert look(cloud) == before


def test_the_page_tells_every_kind_and_its_settings() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.M)
    told = {kind: (words, settings) for kind, words, settings in rows if kind in KINDS}

    assert set(told) == set(KINDS)
    for name, kind in KINDS.items():
        words, settings = told[name]
        assert words == kind.words
        assert set(re.findall(r"`(\w+)`", settings)) == set(kind.settings)


def test_the_pages_own_example_is_a_scenario() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S)

    assert scenario.parse(example, "scenarios.md").name == "two-troubles"
