"""The DNS server on real sockets, asked by a stock resolver library."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import dns.flags
import dns.query
import dns.resolver
import pytest

from localcloud.dns.server import DnsServer
from localcloud.servers import ListenError, PortInUseError
from tests.localcloud.dns.zone import IN_LONDON, IN_VIRGINIA, Zone, query, records

LOOPBACK = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    made = DnsServer(LOOPBACK, 0, Zone().answer)
    made.start()
    yield made
    made.stop()


def test_a_stock_resolver_finds_the_address(server: DnsServer) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [LOOPBACK], server.port

    assert [item.to_text() for item in resolver.resolve("api.example.com", "A")] == [IN_LONDON]
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("none.example.com", "A")


def test_udp_and_tcp_say_the_same(server: DnsServer) -> None:
    question = query("api.example.com", subnet="198.18.1.0/24")

    answers = [
        dns.query.udp(question, LOOPBACK, port=server.port, timeout=5),
        dns.query.tcp(question, LOOPBACK, port=server.port, timeout=5),
    ]

    assert [records(answer) for answer in answers] == [[IN_VIRGINIA], [IN_VIRGINIA]]


def test_what_is_too_long_for_udp_is_whole_over_tcp(server: DnsServer) -> None:
    question = query("big.example.com", "TXT")

    short = dns.query.udp(
        question, LOOPBACK, port=server.port, timeout=5, raise_on_truncation=False
    )
    long = dns.query.tcp(question, LOOPBACK, port=server.port, timeout=5)

    assert short.flags & dns.flags.TC
    assert len(records(long, "TXT")) == 20


def test_one_tcp_connection_takes_many_questions(server: DnsServer) -> None:
    wire = query("api.example.com").to_wire()
    with socket.create_connection((LOOPBACK, server.port), timeout=5) as connection:
        stream = connection.makefile("rwb")
        lengths = []
        for _ in range(3):
            stream.write(struct.pack("!H", len(wire)) + wire)
            stream.flush()
            (length,) = struct.unpack("!H", stream.read(2))
            lengths.append(len(stream.read(length)))

    assert lengths == [len(Zone().answer(wire))] * 3


def test_rubbish_does_not_end_the_server(server: DnsServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rubbish:
        rubbish.sendto(b"abc", (LOOPBACK, server.port))

    answer = dns.query.udp(query("api.example.com"), LOOPBACK, port=server.port, timeout=5)

    assert records(answer) == [IN_LONDON]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_in_use_names_the_option_that_changes_it(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((LOOPBACK, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=f"{LOOPBACK}:{port} .*--dns-port"):
            DnsServer(LOOPBACK, port, Zone().answer)


def test_what_cannot_be_listened_on_names_the_reason() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): no machine's own.
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:0 cannot be listened on .*--dns-port"):
        DnsServer("192.0.2.1", 0, Zone().answer)


def test_a_stopped_server_has_freed_its_port(server: DnsServer) -> None:
    other = DnsServer(LOOPBACK, 0, Zone().answer)
    other.start()
    other.stop()

    again = DnsServer(LOOPBACK, other.port, Zone().answer)
    again.start()
    again.stop()

    assert again.port == other.port != server.port
