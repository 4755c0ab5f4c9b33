"""Each right in template.yaml is used, and missed when it is taken away from a running system.

tests/template lists the rights; here the roles' policies are enforced on the real handlers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.calls.wire import AwsError
from localcloud.cloud import LocalCloud
from localcloud.compute.frontdoor import Api, Route
from localcloud.compute.lambdas import Invocation
from localcloud.services.eventbridge import BusFault
from sidestep.aws.regional import RegionalTable
from sidestep.core.messages import message_from, new_message
from tests.loop.rights import REFUSED, statements, without_right
from tests.loop.world import (
    executions,
    go_on,
    set_alarm,
    start,
    world_without,
)

pytestmark = pytest.mark.xdist_group("every right")

EVENTS = Path(__file__).resolve().parents[2] / "events"
HERE, CLAIMED, LEFT = "us-east-1", "us-west-2", "eu-west-2"
"""Where functions are invoked, and the Regions whose incidents they hold: one that serves on,
and one that is drained. HERE is a warden of both."""
REGIONS = (LEFT, HERE, CLAIMED)
BY_LAMBDA_ITSELF = {("ReemitFunction", "UnsentEvents"), ("ReplicatedFunction", "Arrivals")}
"""Rights with which Lambda's pollers read on the function's behalf: tested by what arrives."""
ONLY_WHEN_GIVEN_UP = {("ReplicatedFunction", "GivenUp")}
"""With this one a batch that failed to the end is told of: tests/localcloud/services."""

Given = Callable[["World"], dict[str, Any]]


class World:
    """A local cloud in which every Region has voted and a test holds two incidents."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.claims: dict[str, Any] = {}
        self._keys = iter(range(1000))

    def invoke(self, function: str, given: dict[str, Any]) -> Invocation:
        """Invoke a function from cold."""
        name = self.cloud.stacks[HERE].resources[function].physical_id
        deployed = {f.name: f for f in self.cloud.lambdas.functions(HERE)}[name]
        self.cloud.lambdas.add(deployed)
        return self.cloud.kernel.finish(self.cloud.lambdas.invoke(HERE, name, given))

    def post(self, region: str) -> None:
        """A client's write, answered 201."""
        headers = {"idempotency-key": self.new_key(), "content-type": "application/json"}
        answer = self.cloud.kernel.finish(
            self.cloud.door.request(
                region,
                f"{region}.{self.cloud.topology.domain}",
                "POST",
                "/messages",
                headers,
                b'{"author": "ada", "text": "Tea at four?"}',
            )
        )
        assert answer.status == 201

    def new_key(self) -> str:
        """An idempotency key that nobody has used."""
        return f"a-key-of-a-test-{next(self._keys)}"

    def write(self) -> dict[str, Any]:
        """The sample request with an idempotency key of its own."""
        event = sample("api-write.json")
        event["headers"]["idempotency-key"] = self.new_key()
        return event


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


def claiming(region: str) -> dict[str, Any]:
    return {
        "region": region,
        "kind": "failover",
        "execution": f"arn:aws:states:{HERE}:123456789012:execution:a-failover:a-test-of-{region}",
    }


def with_claim(region: str = CLAIMED, **more: Any) -> Given:
    return lambda world: {"claim": world.claims[region], **more}


def looked_at(region: str, at_ms: int) -> dict[str, Any]:
    """What ProbeFunction says of a healthy Region."""
    seen = {"reached": True, "status": 200, "latency_ms": 20, "error": "", "body": ""}
    return {"region": region, "at_ms": at_ms, **seen}


def with_a_write_missing(world: World) -> dict[str, Any]:
    """For repair: a write that a ledger knows and no replica holds."""
    now = int(world.cloud.kernel.now * 1000)
    message = message_from(new_message(world.new_key(), "ada", "Tea at four?"), CLAIMED, now)
    table = world.cloud.table("regional")
    RegionalTable(world.cloud.client("dynamodb", HERE), table).enter(message, now)
    return with_claim()(world)


def drilling(action: str) -> Given:
    return lambda world: {
        "action": action,
        "drill": {
            "region": CLAIMED,
            "minutes": 1,
            "id": "a-test",
            "started": int(world.cloud.kernel.now * 1000),
        },
    }


GIVEN: dict[str, Given] = {
    "WriteFunction": World.write,
    "HistoryFunction": lambda _: sample("api-history.json"),
    "HealthFunction": lambda _: sample("api-health.json"),
    "DrainedFunction": lambda _: sample("api-drained.json"),
    "LedgerFunction": lambda _: sample("bus-message-written.json"),
    "ReemitFunction": lambda _: sample("queue-unsent-event.json"),
    "ReplicatedFunction": lambda _: sample("stream-records.json"),
    "VoteFunction": lambda world: {
        "trigger": "hand",
        "probes": [looked_at(r, int(world.cloud.kernel.now * 1000)) for r in REGIONS],
    },
    "ClaimFunction": lambda _: claiming(CLAIMED),
    "RecheckFunction": with_claim(),
    "GateFunction": with_claim(LEFT, action="drain"),
    "ToggleFunction": with_claim(LEFT, action="drain"),
    "TrafficFunction": with_claim(expect="back"),
    "ReplicationFunction": with_claim(since=0),
    "AssessFunction": with_claim(),
    "RepairFunction": with_claim(),
    "StabilityFunction": with_claim(window_s=10),
    "RecordFunction": with_claim(step="looked", outcome="as it should be"),
    "DrillFunction": drilling("inject"),
}
FOR_ONE_RIGHT: dict[tuple[str, str], Given] = {
    ("DrillFunction", "Coordination"): drilling("watch"),
    ("RepairFunction", "Messages"): with_a_write_missing,
}
"""What each function is given, such that it has to do all that it may."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with world_without() as cloud:
        made = World(cloud)
        made.cloud.kernel.run(until=14)  # every Region has voted and registered
        for region in (CLAIMED, LEFT):
            held = made.invoke("ClaimFunction", claiming(region))
            made.claims[region] = held.payload["claim"]
        made.post(CLAIMED)  # for the ledgers of the others to hold
        go_on(cloud, 4)
        yield made


def ballot(cloud: LocalCloud) -> str:
    """The newest ballot of HERE, with its evidence in words."""
    answer = cloud.client("dynamodb", cloud.topology.coordination[0]).get_item(
        TableName=cloud.table("coordination"),
        Key={"pk": {"S": "app#demo"}, "sk": {"S": f"vote#{HERE}"}},
    )
    return json.dumps(answer["Item"])


def refusals(world: World, function: str, invocation: Invocation) -> str:
    """What is said of a refusal: in the function's error, answer, log, or in the ballot."""
    said = json.dumps([invocation.error, invocation.payload]) + invocation.output
    if function == "VoteFunction":
        said += ballot(world.cloud)
    return said if REFUSED in said else ""


@pytest.mark.parametrize(
    ("function", "sid"),
    [
        right
        for right in statements("AWS::Serverless::Function")
        if right not in BY_LAMBDA_ITSELF | ONLY_WHEN_GIVEN_UP
    ],
)
def test_a_function_uses_each_of_its_rights_and_misses_it(
    world: World, function: str, sid: str
) -> None:
    fault = BusFault(HERE, 1.0) if (function, sid) == ("WriteFunction", "UnsentEvents") else None
    if fault is not None:
        world.cloud.services.events.add_fault(fault)

    given = FOR_ONE_RIGHT.get((function, sid), GIVEN[function])
    with_it = world.invoke(function, given(world))
    refused_with_it = refusals(world, function, with_it)
    with without_right(world.cloud, HERE, f"{function}Role", sid):
        without_it = world.invoke(function, given(world))
        refused_without_it = refusals(world, function, without_it)

    if fault is not None:
        world.cloud.services.events.remove_fault(fault)
    assert with_it.error is None
    assert refused_with_it == ""
    assert refused_without_it != ""


def test_lambda_reads_a_stream_or_queue_by_the_functions_own_right(world: World) -> None:
    """Lambda asks when the mapping is made: without the right the stack would not deploy."""
    stack, services = world.cloud.stacks[HERE], world.cloud.services
    (queue,), (stream,) = stack.queue_sources, stack.stream_sources

    with (
        without_right(world.cloud, HERE, "ReemitFunctionRole", "UnsentEvents"),
        pytest.raises(AwsError, match=REFUSED),
    ):
        services.queue_sources.add(queue)
    with (
        without_right(world.cloud, HERE, "ReplicatedFunctionRole", "Arrivals"),
        pytest.raises(AwsError, match=REFUSED),
    ):
        services.stream_sources.add(stream)


def test_an_api_invokes_a_function_only_where_the_functions_own_policy_names_its_route(
    world: World,
) -> None:
    """The same function, by the API of the template and by one that it does not know."""
    history = world.cloud.stacks[HERE].resources["HistoryFunction"].physical_id
    stranger = Api(HERE, "stranger", "$default", [Route("GET", "/history", history)], {"else.test"})
    world.cloud.door.add(stranger)

    def asked(host: str) -> int:
        return world.cloud.kernel.finish(
            world.cloud.door.request(HERE, host, "GET", "/history")
        ).status

    assert asked(f"{HERE}.{world.cloud.topology.domain}") == 200
    assert asked("else.test") == 500


def test_a_write_reaches_the_other_regions_ledgers_by_the_right_to_forward(world: World) -> None:
    def entries() -> int:
        answer = world.cloud.client("dynamodb", CLAIMED).query(
            TableName=world.cloud.table("regional"),
            KeyConditionExpression="pk = :origin",
            ExpressionAttributeValues={":origin": {"S": f"ledger#{HERE}"}},
        )
        return int(answer["Count"])

    def heard() -> int:
        before = entries()
        world.post(HERE)
        go_on(world.cloud, 3)
        return entries() - before

    assert heard() == 1
    with without_right(world.cloud, HERE, "ForwardRole", "OurBusesElsewhere"):
        assert heard() == 0


def test_an_alarm_starts_an_evaluation_by_the_rules_right_to_start_it(world: World) -> None:
    def looks(what: str) -> int:
        set_alarm(world.cloud, HERE, what)
        go_on(world.cloud, 4)
        started = [json.dumps(look.input) for look in executions(world.cloud, HERE, "observe")]
        return sum(f"{HERE}-{what}" in given and '"a test"' in given for given in started)

    assert looks("dead-letters") == 1
    with without_right(world.cloud, HERE, "ObserveStateMachineAlarmChangedRole"):
        assert looks("replication-lag") == 0


def test_a_workflow_calls_its_functions_by_its_own_right(world: World) -> None:
    with without_right(world.cloud, HERE, "DrillStateMachineRole", "Steps"):
        start(world.cloud, HERE, "drill", {"region": CLAIMED})
        go_on(world.cloud, 2)
        (drill,) = executions(world.cloud, HERE, "drill")

    assert REFUSED in json.dumps(drill.history.events, default=str)
    assert "TaskSucceeded" not in {event["type"] for event in drill.history.events}
