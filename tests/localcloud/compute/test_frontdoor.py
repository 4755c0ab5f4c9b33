"""The front door: a client's HTTPS request, API Gateway's ways, and what unreachable means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from localcloud.calls.endpoint import Caller, current_caller
from localcloud.compute.frontdoor import Api, FrontDoor, HttpAnswer, Route, Served, Unreachable
from localcloud.compute.lambdas import COLD_START_S, Function, Lambdas
from localcloud.kernel import Kernel, Steps
from localcloud.network.outbound import IDLE_S, Outbound
from localcloud.network.reach import Network, outside

SOURCE = """
import json, time
def handler(event, context):
    if event["rawPath"] == "/slow":
        time.sleep(20)
    if event["rawPath"] == "/broken":
        raise RuntimeError("broken")
    if event["rawPath"] == "/bare":
        return {"no": "status"}
    return {"statusCode": 201, "headers": {"X-Seen": "yes"}, "body": json.dumps(event)}
"""
HOST = "eu-west-2.api.test"


class Door:
    """One Region's API before one function."""

    def __init__(self, code: Path) -> None:
        self.kernel, self.network = Kernel(), Network()
        lambdas = Lambdas(self.kernel, self.network)
        lambdas.add(
            Function("f", "eu-west-2", "arn:f", "mod.handler", code, "arn:role", {}, timeout_s=25)
        )
        self.door = FrontDoor(self.kernel, self.network, lambdas)
        paths = ["/slow", "/broken", "/bare", "/messages", "/drained/{region}"]
        routes = [Route("GET", path, "f") for path in paths] + [Route("POST", "/messages", "f")]
        self.door.add(Api("eu-west-2", "abc", "$default", routes, {HOST}))

    def get(
        self, path: str, method: str = "GET", body: bytes = b"", host: str = HOST
    ) -> HttpAnswer:
        steps = self.door.request(
            "eu-west-2", host, method, path, {"Idempotency-Key": "k"}, body, outside("eu-west-2")
        )
        answer: HttpAnswer = self.kernel.run(until=self.kernel.process(steps))
        return answer


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    (tmp_path / "mod.py").write_text(SOURCE)
    made = Door(tmp_path)
    with made.kernel:
        yield made


def test_a_route_reaches_its_function_with_a_2_0_payload(door: Door) -> None:
    answer = door.get("/drained/us-east-1?a=1&a=2")
    event = json.loads(answer.text)

    assert (answer.status, answer.headers["x-seen"]) == (201, "yes")
    assert event["routeKey"] == "GET /drained/{region}"
    assert event["pathParameters"] == {"region": "us-east-1"}
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["headers"]["idempotency-key"] == "k"


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/broken", 500), ("/bare", 500), ("/messages/x", 404)]
)
def test_what_api_gateway_answers_by_itself(door: Door, path: str, status: int) -> None:
    assert door.get(path).status == status


def test_a_function_that_does_not_let_the_route_in_is_a_500_and_is_not_run(door: Door) -> None:
    asked = []

    def nobody(function: str, source: str) -> bool:
        asked.append((function, source))
        return False

    door.door.may_invoke = nobody

    assert door.get("/messages", "POST").status == 500
    assert asked == [
        (
            "arn:aws:lambda:eu-west-2:123456789012:function:f",
            "arn:aws:execute-api:eu-west-2:123456789012:abc/$default/POST/messages",
        )
    ]


def test_a_host_that_nobody_mapped_is_forbidden(door: Door) -> None:
    assert door.get("/messages", host="other.test").status == 403


def test_a_binary_body_arrives_in_base64(door: Door) -> None:
    event = json.loads(door.get("/messages", "POST", b"\xff\xfe").text)
    assert (event["isBase64Encoded"], event["body"]) == (True, "//4=")


def test_a_region_that_is_down_does_not_answer(door: Door) -> None:
    door.network.down.add("eu-west-2")
    with pytest.raises(Unreachable):
        door.get("/messages")


def test_a_region_that_dies_under_a_request_does_not_answer_it(door: Door) -> None:
    def fail() -> Steps[None]:
        yield door.kernel.env.timeout(1)
        door.network.down.add("eu-west-2")

    door.kernel.process(fail())
    with pytest.raises(Unreachable):
        door.get("/slow")


def test_a_new_connection_costs_a_round_trip_for_tcp_and_one_for_tls(door: Door) -> None:
    sydney = outside("ap-southeast-2")
    seconds = {}
    for connects in (True, False):
        steps = door.door.request(
            "eu-west-2", "other.test", "GET", "/", source=sydney, connects=connects
        )
        began = float(door.kernel.env.now)
        door.kernel.run(until=door.kernel.process(steps))
        seconds[connects] = float(door.kernel.env.now) - began

    round_trip_s = door.network.round_trip_s(sydney, "eu-west-2")
    assert seconds[False] == pytest.approx(round_trip_s)
    assert seconds[True] == pytest.approx(3 * round_trip_s)


def test_a_region_that_dies_while_a_connection_is_made_does_not_get_the_request(door: Door) -> None:
    def fail() -> Steps[None]:
        yield door.kernel.env.timeout(0.1)
        door.network.down.add("eu-west-2")

    served: list[Served] = []
    door.door.on_served.append(served.append)
    sydney = outside("ap-southeast-2")
    steps = door.door.request("eu-west-2", HOST, "GET", "/broken", source=sydney, connects=True)
    door.kernel.process(fail())

    with pytest.raises(Unreachable):
        door.kernel.run(until=door.kernel.process(steps))
    door.kernel.run(until=10)

    assert served == []


def test_every_answer_is_told_for_metrics(door: Door) -> None:
    served = []
    door.door.on_served.append(lambda one: served.append((one.route, one.status)))
    door.get("/messages")
    door.get("/broken")
    assert served == [("GET /messages", 201), ("GET /broken", 500)]


class TestOutbound:
    """Shipped code's own HTTPS goes through the same front door."""

    @pytest.fixture
    def connected(self) -> list[bool]:
        """Of each request, whether it was on a connection that was made for it."""
        return []

    @pytest.fixture
    def ask(self, door: Door, connected: list[bool]) -> Iterator[Any]:
        def port(
            host: str,
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            source: str,
            connects: bool,
        ) -> Steps[HttpAnswer]:
            connected.append(connects)
            if host != HOST:
                raise LookupError(host)
            return (
                yield from door.door.request(
                    "eu-west-2", host, method, path, headers, body, source, connects
                )
            )

        outbound = Outbound(door.kernel, port, lambda *_: None)
        outbound.open()
        pool = urllib3.PoolManager()

        def ask(url: str, total: float = 2.0) -> Any:
            def work() -> Any:
                current_caller.set(Caller("us-east-1", "arn:role", "probe"))
                try:
                    answer = pool.request(
                        "GET", url, timeout=urllib3.Timeout(total=total), retries=False
                    )
                except urllib3.exceptions.HTTPError as error:
                    return type(error).__name__
                return answer.status

            before = door.kernel.env.now
            result = door.kernel.run(until=door.kernel.process(door.kernel.call(work)))
            return result, round(float(door.kernel.env.now - before), 1)

        yield ask
        outbound.close()

    def test_an_answer_comes_back_through_urllib3(self, ask: Any) -> None:
        assert ask(f"https://{HOST}/messages", total=COLD_START_S[1] + 1)[0] == 201

    def test_a_slow_answer_is_a_read_time_out_after_the_clients_patience(self, ask: Any) -> None:
        assert ask(f"https://{HOST}/slow") == ("ReadTimeoutError", 2.0)

    def test_a_dead_region_is_a_connect_time_out(self, ask: Any, door: Door) -> None:
        door.network.down.add("eu-west-2")
        assert ask(f"https://{HOST}/messages") == ("ConnectTimeoutError", 2.0)

    def test_an_unknown_host_is_not_resolved(self, ask: Any) -> None:
        assert ask("https://nowhere.test/")[0] == "NewConnectionError"

    def test_a_pool_keeps_its_connection_until_it_was_idle_for_long_or_failed(
        self, ask: Any, door: Door, connected: list[bool]
    ) -> None:
        url, idle = f"https://{HOST}/nowhere", door.kernel.env.timeout
        ask(url)
        ask(url)
        assert connected == [True, False]

        door.kernel.run(until=idle(IDLE_S + 1))
        ask(url)
        ask(url)
        assert connected[2:] == [True, False]

        assert ask(f"https://{HOST}/slow")[0] == "ReadTimeoutError"
        ask(url)
        assert connected[4:] == [False, True]
