"""Real time: the world keeps step with the wall clock and lets other threads in."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud.compute.frontdoor import Api, FrontDoor, Route
from localcloud.compute.lambdas import Function, Lambdas
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.realtime import RealTime
from localcloud.servers import ListenError, PortInUseError, Server, region_server

SOURCE = """
import json
def handler(event, context):
    seen = [event["requestContext"]["domainName"], event.get("body")]
    return {"statusCode": 200, "body": json.dumps(seen)}
"""


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[tuple[RealTime, FrontDoor, Network]]:
    (tmp_path / "mod.py").write_text(SOURCE)
    kernel, network = Kernel(), Network()
    lambdas = Lambdas(kernel, network)
    lambdas.add(Function("f", "eu-west-2", "arn:f", "mod.handler", tmp_path, "arn:role", {}))
    door = FrontDoor(kernel, network, lambdas)
    routes = [Route("POST", "/messages", "f"), Route("GET", "/health", "f")]
    door.add(Api("eu-west-2", "abc", "$default", routes, {"eu-west-2.api.test", "api.test"}))
    with kernel:
        made = RealTime(kernel, speed=50)
        thread = threading.Thread(target=made.run)
        thread.start()
        yield made, door, network
        made.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def server(loop: tuple[RealTime, FrontDoor, Network]) -> Iterator[Server]:
    made = region_server(loop[0], loop[1], "eu-west-2", "eu-west-2.api.test", "127.0.0.1", 0)
    made.start()
    yield made
    made.stop()


def test_work_handed_in_from_another_thread_runs_in_simulated_time(
    loop: tuple[RealTime, FrontDoor, Network],
) -> None:
    kernel = loop[0].kernel

    def steps() -> Steps[float]:
        before = kernel.env.now
        yield kernel.env.timeout(5)
        return float(kernel.env.now - before)

    assert loop[0].submit(steps).result(10) == pytest.approx(5)


def test_an_error_of_the_work_belongs_to_who_asked(
    loop: tuple[RealTime, FrontDoor, Network],
) -> None:
    def steps() -> Steps[None]:
        yield loop[0].kernel.env.timeout(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        loop[0].submit(steps).result(10)


def test_a_regions_api_answers_over_http(server: Server) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/messages", data=b"hello", headers={"Host": "api.test"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == ["api.test", "hello"]


def test_a_bare_address_is_taken_for_the_regional_host_name(server: Server) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health", timeout=10) as answer:
        assert json.load(answer) == ["eu-west-2.api.test", None]


def test_a_region_that_is_down_closes_without_an_answer(
    server: Server, loop: tuple[RealTime, FrontDoor, Network]
) -> None:
    loop[2].down.add("eu-west-2")
    with pytest.raises((ConnectionError, OSError)):
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/health", timeout=10)


def test_a_port_in_use_names_the_option_that_changes_it(
    server: Server, loop: tuple[RealTime, FrontDoor, Network]
) -> None:
    with pytest.raises(
        PortInUseError, match=f"127.0.0.1:{server.port} is already in use.*--api-port"
    ):
        region_server(loop[0], loop[1], "eu-west-2", "h", "127.0.0.1", server.port)


@pytest.mark.parametrize(
    ("address", "port", "why"),
    [
        ("192.0.2.1", 0, r"192\.0\.2\.1:0 cannot be listened on \(Cannot assign .*--api-port"),
        ("127.0.0.1", 65_536, r"127\.0\.0\.1:65536 is no port; choose another .*--api-port PORT"),
    ],
)
def test_what_cannot_be_listened_on_names_the_reason(
    loop: tuple[RealTime, FrontDoor, Network], address: str, port: int, why: str
) -> None:
    with pytest.raises(ListenError, match=why):
        region_server(loop[0], loop[1], "eu-west-2", "h", address, port)


def test_after_the_stop_nothing_is_taken_in(loop: tuple[RealTime, FrontDoor, Network]) -> None:
    loop[0].stop()

    def steps() -> Steps[None]:
        yield loop[0].kernel.env.timeout(1)

    with pytest.raises(ConnectionError, match="stopping"):
        loop[0].submit(steps).result(10)
