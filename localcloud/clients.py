"""Simulated clients all over the world: what people see while a Region leaves and comes back.

A client knows the guarded name only. Between it and Route 53 stand its resolver's cache and,
for some, a connection that is kept: DNS moved is not traffic moved.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import simpy

from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import outside

TIMEOUT_S = 5.0
"""How long a client waits for an answer."""
BACK_OFF_S = (1.0, 2.0, 4.0)
"""Before each retry of a write; up to half as much again is added by chance."""
IDLE_S = 60.0
"""A kept connection without a request for so long is closed."""
LIFETIME_S = 120.0
"""No connection is kept for longer, however busy; some are closed after half of it."""
ARRIVE_S = 60.0
"""Clients come one by one over so long: caches that were filled together would expire together."""


class NameResolver(Protocol):
    """What a client asks for addresses: `localcloud.dns.resolver.Resolver`."""

    def resolve(self, name: str) -> str | None:
        """The address of a name, None when there is none."""
        ...


class DoorRequest(Protocol):
    """How a request comes to a Region: `FrontDoor.request`. Raises Unreachable."""

    def __call__(
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
        """The steps to an answer; `connects`: on a connection that is made for it."""
        ...


@dataclass(frozen=True)
class ClientSample:
    """One attempt of one client, as the client saw it. Times in seconds since the start."""

    at_s: float
    """When it was sent."""
    client: int
    near: str
    region: str | None
    """Where it was sent; None when the name had no address."""
    kind: str
    """`write` or `read`."""
    status: int | None
    """The answer's HTTP status; None when there was no answer: then `error` says why."""
    error: str | None
    latency_s: float
    attempt: int
    """1 for the first, 2 for the first retry."""
    message_id: str | None = None


@dataclass(frozen=True)
class AckedWrite:
    """A write that was answered 2xx: what must never be lost. `at_s` is when it was answered."""

    id: str
    author: str
    text: str
    at_s: float
    region: str
    """Which answered."""
    origin: str
    """Which wrote it, by its answer: another one, where an earlier attempt had got that far."""
    written_at: int
    """Epoch milliseconds by that Region's clock, by the same answer."""


@dataclass(frozen=True)
class _Operation:
    """What one request of a client is, the same in every attempt."""

    kind: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    author: str = ""
    text: str = ""


@dataclass
class _Connection:
    """A connection that a client keeps to a Region's address."""

    region: str
    closes: float
    used: float


class _Client:
    """One client: where it is, its resolver, its connection."""

    def __init__(self, number: int, near: str, resolver: NameResolver, keeps: bool) -> None:
        self.number, self.near, self.place = number, near, outside(near)
        self.resolver, self.keeps = resolver, keeps
        self.connection: _Connection | None = None
        self.told = ""
        """The idempotency key of its newest write that was acknowledged."""


class Clients:
    """All simulated clients. `samples` is every attempt; `acknowledged` every write kept, by id;
    `acknowledged_beside` those acknowledged under an id that was another body's already.

    `resolver_for` gives a client near a Region a resolver of its own; `address_region` tells
    which Region answers at an address. `locations` are Regions that clients are near, with
    their weights; `rate_per_s` is of all clients together, `population` how many they are.
    `reused_share` of the writes, another message goes under the key of the client's last one.
    """

    def __init__(
        self,
        kernel: Kernel,
        door_request: DoorRequest,
        resolver_for: Callable[[str], NameResolver],
        address_region: Callable[[str], str | None],
        domain: str,
        locations: Mapping[str, float],
        rate_per_s: float,
        *,
        write_share: float = 0.5,
        keep_alive_share: float = 0.3,
        population: int = 20,
        reused_share: float = 0.0,
        stream: str = "clients",
    ) -> None:
        if rate_per_s <= 0 or population < 1 or not locations:
            raise ValueError("clients need a rate above 0, at least one of them, and a location")
        self.samples: list[ClientSample] = []
        self.acknowledged: dict[str, AckedWrite] = {}
        self.acknowledged_beside: list[AckedWrite] = []
        self._kernel, self._env, self._request = kernel, kernel.env, door_request
        self._address_region, self._domain = address_region, domain
        self._write_share, self._pause_s = write_share, population / rate_per_s
        self._chance = kernel.fork(stream)
        self._reused_share, self._slips = reused_share, kernel.fork(f"{stream}' reused keys")
        self._running = False
        self._clients = [
            _Client(
                number, near, resolver_for(near), keeps=self._chance.random() < keep_alive_share
            )
            for number, near in enumerate(_spread(locations, population))
        ]

    def start(self) -> None:
        """Let the clients begin. RuntimeError when they have."""
        if self._running:
            raise RuntimeError("the clients have been started already")
        self._running = True
        for client in self._clients:
            self._kernel.process(self._live(client))

    def stop(self) -> None:
        """Begin no new request; those under way come to their end, without retries."""
        self._running = False

    # -- one client --------------------------------------------------------------------------

    def _live(self, client: _Client) -> Steps[None]:
        """Poisson arrivals: a request is begun whether or not the one before has ended."""
        yield self._env.timeout(self._chance.uniform(0, ARRIVE_S))
        while True:
            yield self._env.timeout(self._chance.expovariate(1 / self._pause_s))
            if not self._running:
                return
            writes = self._chance.random() < self._write_share
            operation = self._write(client) if writes else _READ
            self._kernel.process(self._carry_out(client, operation))

    def _write(self, client: _Client) -> _Operation:
        key = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        author, text = f"client-{client.number}", f"message {key}"
        if self._slips.random() < self._reused_share and client.told:
            key = client.told
        return _Operation(
            "write",
            "POST",
            "/messages",
            {"Idempotency-Key": key, "Content-Type": "application/json"},
            json.dumps({"author": author, "text": text}).encode(),
            author,
            text,
        )

    def _carry_out(self, client: _Client, operation: _Operation) -> Steps[None]:
        """A read is tried once; a write, with the same key, until it is settled."""
        back_offs = BACK_OFF_S if operation.kind == "write" else ()
        for attempt in range(1, len(back_offs) + 2):
            sample = yield from self._attempt(client, operation, attempt)
            self._note(sample)
            if _settled(sample.status) or attempt > len(back_offs) or not self._running:
                return
            wait = back_offs[attempt - 1]
            yield self._env.timeout(wait * (1 + self._chance.random() / 2))

    def _note(self, sample: ClientSample) -> None:
        self.samples.append(sample)
        self._kernel.log(
            "request",
            client=sample.client,
            near=sample.near,
            region=sample.region,
            what=sample.kind,
            status=sample.status,
            error=sample.error,
            ms=round(sample.latency_s * 1000),
        )

    def _attempt(self, client: _Client, operation: _Operation, attempt: int) -> Steps[ClientSample]:
        began = float(self._env.now)
        region, connects = self._region(client)
        status: int | None = None
        error: str | None = "no address"
        message_id: str | None = None
        if region is not None:
            outcome = yield from self._ask(client, region, operation, connects)
            if isinstance(outcome, HttpAnswer):
                status, error = outcome.status, None
                message_id = self._acknowledge(client, operation, region, outcome)
            else:
                error, client.connection = outcome, None
        return ClientSample(
            began,
            client.number,
            client.near,
            region,
            operation.kind,
            status,
            error,
            float(self._env.now) - began,
            attempt,
            message_id,
        )

    def _region(self, client: _Client) -> tuple[str | None, bool]:
        """Where the next request goes, along the kept connection or where DNS says, and whether
        it needs a new connection."""
        now, kept = float(self._env.now), client.connection
        if kept is not None and now < min(kept.used + IDLE_S, kept.closes):
            kept.used = now
            return kept.region, False
        client.connection = None
        address = client.resolver.resolve(self._domain)
        region = self._address_region(address) if address is not None else None
        if region is not None and client.keeps:
            lives = self._chance.uniform(LIFETIME_S / 2, LIFETIME_S)
            client.connection = _Connection(region, now + lives, now)
        return region, True

    def _ask(
        self, client: _Client, region: str, operation: _Operation, connects: bool
    ) -> Steps[HttpAnswer | str]:
        """The answer, or what went wrong. Nobody says no for a dead address: time runs out."""
        patience = self._env.timeout(TIMEOUT_S)
        steps = self._request(
            region,
            self._domain,
            operation.method,
            operation.path,
            operation.headers,
            operation.body,
            client.place,
            connects,
        )
        asked = self._kernel.process(_captured(steps))
        yield asked | patience
        if not asked.triggered:
            asked.interrupt("the client gave up")
            return "timeout"
        if isinstance(asked.value, HttpAnswer):
            return asked.value
        if not patience.processed:
            yield patience
        return "unreachable"

    def _acknowledge(
        self, client: _Client, operation: _Operation, region: str, answer: HttpAnswer
    ) -> str | None:
        if operation.kind != "write" or not 200 <= answer.status < 300:
            return None
        message = json.loads(answer.body)["message"]
        write = AckedWrite(
            str(message["id"]),
            operation.author,
            operation.text,
            float(self._env.now),
            region,
            str(message["region"]),
            int(message["written_at"]),
        )
        # A retry may be answered too; the promise dates from the first answer.
        first = self.acknowledged.setdefault(write.id, write)
        if all(known.text != write.text for known in (first, *self.acknowledged_beside)):
            self.acknowledged_beside.append(write)
        client.told = operation.headers["Idempotency-Key"]
        return write.id

    @property
    def promises(self) -> list[AckedWrite]:
        """Every write that was answered 2xx, once."""
        return [*self.acknowledged.values(), *self.acknowledged_beside]


def _spread(locations: Mapping[str, float], population: int) -> Iterator[str]:
    """Where each client is: as many near each Region as its weight says, to the nearest one."""
    total = sum(locations.values())
    edges = list(itertools.accumulate(weight / total for weight in locations.values()))
    for number in range(population):
        place = (number + 0.5) / population
        yield next(
            near for near, edge in zip(locations, edges, strict=True) if place <= edge + 1e-9
        )


_READ = _Operation("read", "GET", "/history?limit=5", {})


def _settled(status: int | None) -> bool:
    """Whether a retry would change nothing: an answer that is neither 5xx nor 429."""
    return status is not None and status < 500 and status != 429


def _captured(steps: Steps[HttpAnswer]) -> Steps[HttpAnswer | None]:
    """Run the steps; None for no answer, so that the client who asked can wait it out."""
    try:
        return (yield from steps)
    except (Unreachable, simpy.Interrupt):
        return None
