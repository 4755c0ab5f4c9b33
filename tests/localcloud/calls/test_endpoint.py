"""The way of an AWS call: reachability, faults, permissions, hooks, in simulated time."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from moto.dynamodb import dynamodb_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Caller, Endpoint, current_caller
from localcloud.calls.wire import AwsError
from localcloud.faults.on_calls import CallFault
from localcloud.kernel import Kernel
from localcloud.network.reach import Network

QUICK = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})


class World:
    """A kernel, a network and an endpoint, with one table in eu-west-2."""

    def __init__(self) -> None:
        self.kernel, self.network = Kernel(), Network()
        self.endpoint = Endpoint(self.kernel, self.network)

    def as_handler(self, region: str, work: Callable[[], Any]) -> Any:
        """Run `work` as a handler in a Region would: in a fiber, as a role."""

        def called() -> Any:
            current_caller.set(Caller(region, "arn:aws:iam::123456789012:role/handler", "handler"))
            return work()

        return self.kernel.run(until=self.kernel.process(self.kernel.call(called)))


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.kernel:
        made.endpoint.open()
        boto3.client("dynamodb", region_name="eu-west-2").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made
        made.endpoint.close()


def put(config: Config = QUICK) -> Mapping[str, Any]:
    client = boto3.client("dynamodb", region_name="eu-west-2", config=config)
    answer: Mapping[str, Any] = client.put_item(TableName="t", Item={"pk": {"S": "a"}})
    return answer


def stored() -> bool:
    client = boto3.client("dynamodb", region_name="eu-west-2")
    return "Item" in client.get_item(TableName="t", Key={"pk": {"S": "a"}})


def test_a_call_to_another_region_takes_the_round_trip(world: World) -> None:
    def timed() -> float:
        before = time.time()
        put()
        return time.time() - before

    near = world.as_handler("eu-west-2", timed)
    far = world.as_handler("us-west-2", timed)

    assert near < 0.02 < 0.1 < far


def test_an_unreachable_region_costs_the_clients_own_time_out(world: World) -> None:
    world.network.isolated.add("eu-west-2")

    def timed() -> float:
        before = time.time()
        with pytest.raises(ConnectTimeoutError):
            put()
        return time.time() - before

    assert world.as_handler("us-east-1", timed) == pytest.approx(1.0)
    assert not stored()


def test_a_lost_answer_leaves_the_write_done(world: World) -> None:
    world.endpoint.faults.add(CallFault("dynamodb", "PutItem", lose_response=True))

    def ask() -> None:
        with pytest.raises(ReadTimeoutError):
            put()

    world.as_handler("eu-west-2", ask)

    assert stored()


def test_a_late_request_is_done_after_its_caller_gave_up_and_as_that_caller(world: World) -> None:
    asked: list[Caller] = []
    world.endpoint.authorize = lambda call: asked.append(call.caller)
    world.endpoint.faults.add(CallFault("dynamodb", "PutItem", late_up_to_s=60.0))

    def ask() -> bool:
        with pytest.raises(ReadTimeoutError):
            put()
        return stored()

    assert not world.as_handler("eu-west-2", ask)
    assert world.kernel.env.now == pytest.approx(2.0, abs=0.1)
    asked.clear()
    world.kernel.run(until=62.5)

    assert stored()
    assert [caller.name for caller in asked if caller.region] == ["handler"]
    (arrived,) = [event for event in world.kernel.history if event["kind"] == "arrived_late"]
    assert 2.0 < arrived["t"] <= 62.0


def test_who_is_stopped_while_it_waits_for_a_late_request_has_sent_it_all_the_same(
    world: World,
) -> None:
    world.endpoint.faults.add(CallFault("dynamodb", "PutItem", late_up_to_s=1.0))

    def called() -> None:
        current_caller.set(Caller("eu-west-2", "arn:aws:iam::123456789012:role/handler", "h"))
        put(Config(read_timeout=600))

    waiting = world.kernel.process(world.kernel.call(called))
    waiting.callbacks.append(lambda ended: setattr(ended, "defused", True))
    world.kernel.run(until=1)
    waiting.interrupt("time-out")
    world.kernel.run(until=2.5)

    assert stored()


def test_a_late_request_finds_nobody_where_its_region_is_lost_meanwhile(world: World) -> None:
    world.endpoint.faults.add(CallFault("dynamodb", "PutItem", late_up_to_s=60.0))

    def ask() -> None:
        with pytest.raises(ReadTimeoutError):
            put()

    world.as_handler("eu-west-2", ask)
    world.network.down.add("eu-west-2")
    world.kernel.run(until=70)

    assert not stored()


def test_a_throttle_is_retried_by_the_sdk_until_it_ends(world: World) -> None:
    fault = world.endpoint.faults.add(
        CallFault("dynamodb", "PutItem", error=AwsError("ThrottlingException", "slow down"))
    )

    def ask() -> None:
        with pytest.raises(ClientError) as caught:
            put(Config(retries={"total_max_attempts": 3, "mode": "standard"}))
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"

    world.as_handler("eu-west-2", ask)

    assert fault.struck == 3
    assert not stored()


def test_what_the_authorizer_refuses_is_not_done(world: World) -> None:
    def refuse(call: ApiCall) -> None:
        if call.caller.role_arn:
            raise AwsError("AccessDeniedException", f"no {call.operation} for you", 400)

    world.endpoint.authorize = refuse

    def ask() -> None:
        with pytest.raises(ClientError, match="no PutItem for you"):
            put()

    world.as_handler("eu-west-2", ask)
    assert not stored()


def test_an_own_answer_replaces_motos_in_the_services_own_protocol(world: World) -> None:
    @world.endpoint.answers("route53", "GetHealthCheckStatus")
    def status(call: ApiCall) -> Mapping[str, Any]:
        return {
            "HealthCheckObservations": [
                {"Region": "us-east-1", "StatusReport": {"Status": call.params["HealthCheckId"]}}
            ]
        }

    answer = boto3.client("route53").get_health_check_status(HealthCheckId="abc")

    assert answer["HealthCheckObservations"][0]["StatusReport"]["Status"] == "abc"


@pytest.mark.parametrize("service", ["route53", "stepfunctions", "cloudwatch", "sns", "lambda"])
def test_an_own_error_reaches_the_caller_by_its_code(world: World, service: str) -> None:
    calls: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "route53": ("ListHostedZones", lambda c: c.list_hosted_zones()),
        "stepfunctions": ("ListStateMachines", lambda c: c.list_state_machines()),
        "cloudwatch": ("ListMetrics", lambda c: c.list_metrics()),
        "sns": ("ListTopics", lambda c: c.list_topics()),
        "lambda": ("ListFunctions", lambda c: c.list_functions()),
    }
    operation, ask = calls[service]

    @world.endpoint.answers(service, operation)
    def refuse(_: ApiCall) -> Mapping[str, Any]:
        raise AwsError("SomethingWrong", "it is broken", 400)

    with pytest.raises(ClientError) as caught:
        ask(boto3.client(service, region_name="eu-west-2", config=QUICK))

    assert caught.value.response["Error"]["Code"] == "SomethingWrong"
    assert caught.value.response["Error"]["Message"] == "it is broken"


def test_hooks_run_before_and_after_motos_answer(world: World) -> None:
    order: list[str] = []
    world.endpoint.before("dynamodb", "PutItem")(lambda _: order.append("before"))
    world.endpoint.after("dynamodb", "PutItem")(lambda _, __: order.append("after"))

    put()

    assert order == ["before", "after"]


def test_the_operator_outside_takes_no_simulated_time(world: World) -> None:
    put()
    assert world.kernel.env.now == 0


def test_what_is_stored_in_a_world_is_not_kept_beyond_it(world: World) -> None:
    boto3.client("dynamodb", "eu-west-2").put_item(TableName="t", Item={"pk": {"S": "a"}})
    stored = weakref.ref(dynamodb_backends[ACCOUNT]["eu-west-2"].tables["t"])

    world.endpoint.close()
    world.endpoint.open()
    gc.collect()

    assert stored() is None
