"""Simulated clients: where they go, how long they stay, what they try again and remember."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

import pytest

from localcloud.clients import ARRIVE_S, BACK_OFF_S, LIFETIME_S, TIMEOUT_S, Clients, ClientSample
from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network

DOMAIN = "api.sidestep.test"
TTL_S = 60.0
REGIONS = {"127.0.1.1": "eu-west-2", "127.0.1.2": "us-east-1"}
HOME, OTHER = "127.0.1.1", "127.0.1.2"


class Door:
    """Two Regions that keep each message by its key; `answer_s` and `status` are how they are."""

    def __init__(self, kernel: Kernel, network: Network) -> None:
        self.kernel, self.network = kernel, network
        self.answer_s: dict[str, float] = {}
        self.status: dict[str, int] = {}
        self.keys: list[tuple[float, str]] = []
        self.refuses_used_keys = False
        self.connected: list[bool] = []
        """Of each request, whether it was on a connection that was made for it."""
        self.hosts: set[str] = set()
        self.bodies: list[dict[str, str]] = []
        self.paths: set[tuple[str, str]] = set()

    def request(
        self,
        region: str,
        host: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        source: str | None = None,
        connects: bool = False,
    ) -> Steps[HttpAnswer]:
        self.connected.append(connects)
        self.hosts.add(host)
        self.paths.add((method, path))
        key = (headers or {}).get("Idempotency-Key", "")
        used = any(known == key for _, known in self.keys)
        if key:
            self.keys.append((float(self.kernel.env.now), key))
            self.bodies.append(json.loads(body))
        if not self.network.reachable(source or region, region):
            raise Unreachable(region)
        yield self.kernel.env.timeout(self.answer_s.get(region, 0.05))
        status = self.status.get(region, 201)
        if used and self.refuses_used_keys:
            status = 409
        message = {"id": f"m-{key}", "region": "eu-west-2", "written_at": 1_800_000_000_000}
        answered = {"message": message, "served_by": region}
        return HttpAnswer(status, {}, json.dumps(answered).encode())


class Names:
    """DNS with a resolver that keeps an answer for its TTL."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.address = kernel, HOME

    def move(self, address: str) -> None:
        self.address = address

    def resolver(self, _: str) -> Resolver:
        return Resolver(self)


class Resolver:
    """One client's cache."""

    def __init__(self, names: Names) -> None:
        self._names, self._until, self._kept = names, -1.0, ""

    def resolve(self, name: str) -> str | None:
        now = float(self._names.kernel.env.now)
        if now >= self._until:
            self._until, self._kept = now + TTL_S, self._names.address
        return self._kept if name == DOMAIN else None


class World:
    """Clients near London before two Regions, on simulated time."""

    def __init__(self, seed: int = 1) -> None:
        self.kernel, self.network = Kernel(seed), Network()
        self.door, self.names = Door(self.kernel, self.network), Names(self.kernel)

    def clients(self, **settings: float) -> Clients:
        chosen = {"rate_per_s": 2.0, "write_share": 0.5, "keep_alive_share": 0.0} | settings
        made = Clients(
            self.kernel,
            self.door.request,
            self.names.resolver,
            REGIONS.get,
            DOMAIN,
            {"eu-west-2": 1.0},
            rate_per_s=chosen["rate_per_s"],
            write_share=chosen["write_share"],
            keep_alive_share=chosen["keep_alive_share"],
            population=int(chosen.get("population", 20)),
            reused_share=chosen.get("reused_share", 0.0),
        )
        made.start()
        return made


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.kernel:
        yield made


def sent_to(clients: Clients, region: str, after_s: float) -> list[ClientSample]:
    return [s for s in clients.samples if s.region == region and s.at_s > after_s]


def attempts_by_key(world: World) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for at, key in world.door.keys:
        found.setdefault(key, []).append(at)
    return found


def test_clients_ask_for_the_guarded_name_in_the_shape_of_the_api(world: World) -> None:
    world.clients()

    world.kernel.run(until=60)

    assert world.door.hosts == {DOMAIN}
    assert world.door.paths == {("POST", "/messages"), ("GET", "/history?limit=5")}
    assert all(set(body) == {"author", "text"} for body in world.door.bodies)


def test_all_clients_together_keep_to_the_rate_and_the_share_of_writes(world: World) -> None:
    clients = world.clients(rate_per_s=5, write_share=0.2)

    world.kernel.run(until=660)

    begun = [sample for sample in clients.samples if sample.at_s >= ARRIVE_S]
    writes = sum(sample.kind == "write" for sample in begun)
    assert len(begun) == pytest.approx(3000, rel=0.1)
    assert writes / len(begun) == pytest.approx(0.2, abs=0.03)


def test_every_acknowledged_write_is_remembered_with_what_was_written(world: World) -> None:
    clients = world.clients(write_share=1)

    world.kernel.run(until=30)

    answered = {s.message_id for s in clients.samples}
    assert set(clients.acknowledged) == answered
    kept = clients.acknowledged[str(clients.samples[0].message_id)]
    assert {"author": kept.author, "text": kept.text} == world.door.bodies[0]
    assert kept.region == "eu-west-2"


def test_a_retry_that_is_acknowledged_again_is_remembered_once(world: World) -> None:
    world.door.answer_s["eu-west-2"] = TIMEOUT_S + 1
    clients = world.clients(write_share=1)
    world.kernel.run(until=60)
    world.door.answer_s["eu-west-2"] = 0.05

    world.kernel.run(until=120)

    assert clients.acknowledged
    assert clients.promises == list(clients.acknowledged.values())


def test_a_key_is_used_again_with_another_body_as_often_as_is_said(world: World) -> None:
    clients = world.clients(write_share=1, rate_per_s=10, reused_share=0.25)

    world.kernel.run(until=300)
    clients.stop()
    world.kernel.run(until=301)

    sent = [key for _, key in world.door.keys]
    again = len(sent) - len(set(sent))
    assert again / len(sent) == pytest.approx(0.25, abs=0.03)
    assert len({body["text"] for body in world.door.bodies}) == len(sent)
    assert len(clients.acknowledged) == len(set(sent))
    assert len(clients.promises) == len(sent)


def test_a_body_that_is_refused_under_a_used_key_was_promised_nothing(world: World) -> None:
    world.door.refuses_used_keys = True
    clients = world.clients(write_share=1, rate_per_s=10, reused_share=0.25)

    world.kernel.run(until=300)

    keys = [key for _, key in world.door.keys]
    refused = [sample for sample in clients.samples if sample.status == 409]
    assert len(refused) == len(keys) - len(set(keys)) > 0
    assert clients.acknowledged_beside == []


def test_a_write_that_failed_is_not_remembered_as_acknowledged(world: World) -> None:
    world.door.status["eu-west-2"] = 503
    clients = world.clients(write_share=1)

    world.kernel.run(until=60)

    assert clients.samples
    assert clients.acknowledged == {}


def test_a_failed_write_is_tried_three_times_more_with_the_same_key(world: World) -> None:
    world.door.status["eu-west-2"] = 503
    world.clients(write_share=1)

    world.kernel.run(until=60)

    first = next(iter(attempts_by_key(world).values()))
    waits = [later - earlier for earlier, later in pairwise(first)]
    assert len(waits) == len(BACK_OFF_S)
    for waited, least in zip(waits, BACK_OFF_S, strict=True):
        assert least <= waited <= least * 1.5 + 0.1  # jitter, and the answer's own time


@pytest.mark.parametrize("status", [400, 409])
def test_a_refusal_is_not_tried_again(world: World, status: int) -> None:
    world.door.status["eu-west-2"] = status
    clients = world.clients(write_share=1)

    world.kernel.run(until=60)

    assert {sample.attempt for sample in clients.samples} == {1}


def test_a_read_is_not_tried_again(world: World) -> None:
    world.door.status["eu-west-2"] = 503
    clients = world.clients(write_share=0)

    world.kernel.run(until=60)

    assert {sample.attempt for sample in clients.samples} == {1}


def test_a_dead_region_costs_a_client_its_whole_time_out(world: World) -> None:
    world.network.down.add("eu-west-2")
    clients = world.clients(write_share=0)

    world.kernel.run(until=60)

    assert {sample.error for sample in clients.samples} == {"unreachable"}
    assert all(s.latency_s == pytest.approx(TIMEOUT_S) for s in clients.samples)


def test_a_slow_answer_is_not_waited_for(world: World) -> None:
    world.door.answer_s["eu-west-2"] = TIMEOUT_S + 1
    clients = world.clients()

    world.kernel.run(until=60)

    assert {sample.error for sample in clients.samples} == {"timeout"}
    assert clients.acknowledged == {}


def test_a_name_without_an_address_is_an_error_of_its_own(world: World) -> None:
    world.names.address = "192.0.2.1"
    clients = world.clients()

    world.kernel.run(until=30)

    assert {(s.region, s.error) for s in clients.samples} == {(None, "no address")}


def test_clients_without_kept_connections_follow_dns_within_the_ttl(world: World) -> None:
    clients = world.clients(keep_alive_share=0, rate_per_s=20)
    world.kernel.run(until=200)
    world.names.move(OTHER)

    world.kernel.run(until=500)

    late = [s.at_s - 200 for s in sent_to(clients, "eu-west-2", 200)]
    assert 0 < max(late) <= TTL_S


def test_kept_connections_outlive_the_ttl_by_no_more_than_their_lifetime(world: World) -> None:
    clients = world.clients(keep_alive_share=1, rate_per_s=20)
    world.kernel.run(until=200)
    world.names.move(OTHER)

    world.kernel.run(until=600)

    late = [s.at_s - 200 for s in sent_to(clients, "eu-west-2", 200)]
    assert TTL_S < max(late) <= TTL_S + LIFETIME_S


@pytest.mark.parametrize(("share", "least", "most"), [(0, 1.0, 1.0), (1, 0.01, 0.2)])
def test_a_client_connects_anew_where_it_keeps_no_connection(
    world: World, share: float, least: float, most: float
) -> None:
    world.clients(keep_alive_share=share, rate_per_s=20)

    world.kernel.run(until=300)

    connected = world.door.connected
    assert least <= sum(connected) / len(connected) <= most


def test_a_connection_that_failed_is_not_used_again(world: World) -> None:
    clients = world.clients(keep_alive_share=1, rate_per_s=20)
    world.kernel.run(until=200)
    world.names.move(OTHER)
    world.network.down.add("eu-west-2")

    world.kernel.run(until=600)

    late = [s.at_s - 200 for s in sent_to(clients, "eu-west-2", 200)]
    assert max(late) <= TTL_S + TIMEOUT_S


def test_stopped_clients_begin_nothing_new(world: World) -> None:
    clients = world.clients()
    world.kernel.run(until=60)
    clients.stop()

    world.kernel.run(until=300)

    assert all(sample.at_s <= 60 for sample in clients.samples)


def test_clients_cannot_be_started_twice(world: World) -> None:
    clients = world.clients()

    with pytest.raises(RuntimeError, match="started already"):
        clients.start()


def test_the_same_seed_gives_the_same_samples() -> None:
    def played(seed: int) -> list[ClientSample]:
        world = World(seed)
        with world.kernel:
            clients = world.clients(keep_alive_share=0.3)
            world.kernel.run(until=120)
            return clients.samples

    assert played(7) == played(7)
    assert played(7) != played(8)


def no_clients(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="clients need"):
        make()


def test_no_rate_is_refused(world: World) -> None:
    no_clients(lambda: world.clients(rate_per_s=0))


def test_no_population_is_refused(world: World) -> None:
    no_clients(lambda: world.clients(population=0))
