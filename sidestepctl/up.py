"""`sidestep up`: the local cloud in real time, on real sockets, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud
from localcloud.dns import DnsServer
from localcloud.kernel import Steps
from localcloud.realtime import RealTime
from localcloud.run import clients_of
from localcloud.servers import Server, aws_server, has_loopback, region_server
from sidestepctl.live import Live

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 5.0
"""Wall seconds that a DNS query waits for its answer: resolvers' own patience."""
_KEPT = 20_000
"""Events of the history that are kept: nobody prints it, and an evening makes millions."""


@dataclass(frozen=True)
class Ports:
    """Where to listen. 0 lets the system choose."""

    api: int
    dns: int
    aws: int


def serve(
    ports: Ports,
    speed: float,
    seed: int,
    clients: bool,
    say: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM. Raises ListenError before anything has started."""
    cloud = LocalCloud(seed, start=datetime.now(UTC))
    loop = RealTime(cloud.kernel, speed)
    with ExitStack() as stack:
        stack.enter_context(_stopped_by_signals(loop))
        servers = _servers(cloud, loop, ports)
        for server in servers:
            stack.callback(server.stop)
        stack.enter_context(cloud)
        cloud.kernel.keep(_KEPT)
        Chronicle(cloud)
        cloud.kernel.subscribe(Live(say))
        cloud.start()
        if clients:
            clients_of(cloud).start()
        for server in servers:
            server.start()
        say(_greeting(cloud, servers, speed))
        loop.run()
        say("stopping")


def _servers(cloud: LocalCloud, loop: RealTime, ports: Ports) -> list[Any]:
    """Every Region's API, the DNS server, the AWS endpoint: bound, not yet answering."""
    bound: list[Server | DnsServer] = []
    try:
        for number, region in enumerate(cloud.topology.regions):
            own = cloud.topology.address(region)
            alone = has_loopback(own)
            host = f"{region}.{cloud.topology.domain}"
            port = ports.api if alone or not ports.api else ports.api + number
            address = own if alone else LOOPBACK
            bound.append(region_server(loop, cloud.door, region, host, address, port))
        for region, api in zip(cloud.topology.regions, tuple(bound), strict=True):
            own = cloud.topology.own_address(region)  # what DNS gives for the Region's own name
            if api.address != LOOPBACK and has_loopback(own):
                host = f"{region}.{cloud.topology.domain}"
                bound.append(region_server(loop, cloud.door, region, host, own, api.port))
        bound.append(DnsServer(LOOPBACK, ports.dns, _answer(cloud, loop)))
        bound.append(aws_server(loop, cloud.endpoint, LOOPBACK, ports.aws))
    except BaseException:
        for server in bound:
            server.stop()
        raise
    return bound


def _answer(cloud: LocalCloud, loop: RealTime) -> Callable[[bytes], bytes]:
    """Answers queries as Route 53 would: near the home Region unless the query's EDNS client
    subnet says another place."""

    def steps(query: bytes) -> Steps[bytes]:
        yield cloud.kernel.env.timeout(0)
        return cloud.dns_answer(query, cloud.topology.home)

    def answer(query: bytes) -> bytes:
        found: bytes = loop.submit(lambda: steps(query)).result(_PATIENCE_S)
        return found

    return answer


def _greeting(cloud: LocalCloud, servers: list[Any], speed: float) -> str:
    *apis, dns, aws = servers
    topology = cloud.topology
    lines = [f"the local cloud is up, at {speed:g} times real time; Ctrl-C stops it", ""]
    lines += [
        f"  {region:<12} http://{server.address}:{server.port}/health"
        for region, server in zip(topology.regions, apis, strict=False)
    ]
    lines += [
        "",
        f"  DNS          dig @{dns.address} -p {dns.port} {topology.domain} "
        f"+subnet={topology.subnet(topology.regions[-1])}",
        "  AWS          export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local "
        f"AWS_DEFAULT_REGION={topology.home} "
        f"AWS_ENDPOINT_URL=http://{aws.address}:{aws.port}",
        f"               aws stepfunctions start-execution --region {topology.regions[1]} "
        f"--state-machine-arn {cloud.machine(topology.regions[1], 'drill')} "
        f'--input \'{{"region":"{topology.home}"}}\'',
        "",
    ]
    return "\n".join(lines)


@contextmanager
def _stopped_by_signals(loop: RealTime) -> Iterator[None]:
    """Ctrl-C ends the loop between two events: nothing is cut off half-way."""
    before = {
        number: signal.signal(number, lambda *_: loop.stop())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
