"""DNS as it is asked from outside: on the wire, on real sockets, and through a cache."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from functools import partial

import pytest
from dnslib import EDNS0, QTYPE, RCODE, DNSRecord, EDNSOption

from localcloud.dns.resolver import Resolver
from localcloud.dns.server import DnsServer
from localcloud.dns.wire import answer_message
from localcloud.route53.answers import Answer
from localcloud.servers import PortInUseError
from tests.localcloud.route53.facts_world import FactsWorld

LONDON, VIRGINIA = "127.0.1.1", "127.0.1.2"
SUBNETS = {"198.18.0.0/16": "us-east-1", "198.18.7.0/24": "eu-west-2"}
"""London's block lies in Virginia's: the longest prefix wins."""


@pytest.fixture
def world() -> Iterator[FactsWorld]:
    made = FactsWorld()
    with made.kernel:
        made.endpoint.open()
        made.latency_records({})
        yield made
        made.endpoint.close()


def query(name: str = "api.test", kind: str = "A", subnet: str | None = None) -> DNSRecord:
    """A question; `subnet` is the client's, as a /24."""
    asked = DNSRecord.question(name, kind)
    if subnet is not None:
        data = struct.pack("!HBB", 1, 24, 0) + socket.inet_aton(subnet)[:3]
        asked.add_ar(EDNS0(udp_len=1232, opts=[EDNSOption(8, data)]))
    return asked


def asked(world: FactsWorld, question: DNSRecord, near: str = "us-east-1") -> DNSRecord:
    return DNSRecord.parse(answer_message(world.answers, question.pack(), near, SUBNETS))


def addresses(reply: DNSRecord) -> list[str]:
    return [str(record.rdata) for record in reply.rr if record.rtype == QTYPE.A]


# -- on the wire ----------------------------------------------------------------------------------


def test_the_answer_is_authoritative_and_lives_sixty_seconds(world: FactsWorld) -> None:
    reply = asked(world, query())

    assert addresses(reply) == [VIRGINIA]
    assert (reply.header.aa, reply.header.ra, reply.rr[0].ttl) == (1, 0, 60)


@pytest.mark.parametrize(
    ("subnet", "address"),
    [("198.18.7.0", LONDON), ("198.18.8.0", VIRGINIA), ("203.0.113.0", VIRGINIA)],
)
def test_a_client_is_answered_for_the_narrowest_subnet_that_holds_it(
    world: FactsWorld, subnet: str, address: str
) -> None:
    assert addresses(asked(world, query(subnet=subnet))) == [address]


def test_a_client_of_an_unknown_subnet_is_answered_for_where_the_question_came_from(
    world: FactsWorld,
) -> None:
    question = query(subnet="203.0.113.0")

    assert addresses(asked(world, question, near="eu-west-2")) == [LONDON]


@pytest.mark.parametrize("kind", ["NS", "SOA"])
def test_a_zone_names_its_servers_and_its_authority(world: FactsWorld, kind: str) -> None:
    reply = asked(world, query(kind=kind))

    assert {QTYPE.get(record.rtype) for record in reply.rr} == {kind}


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("api.test", "AAAA", RCODE.NOERROR),
        ("none.api.test", "A", RCODE.NXDOMAIN),
        ("api.elsewhere", "A", RCODE.REFUSED),
    ],
)
def test_no_data_no_name_and_not_our_zone_are_three_answers(
    world: FactsWorld, name: str, kind: str, code: int
) -> None:
    reply = asked(world, query(name, kind))

    assert (reply.header.rcode, reply.rr) == (code, [])
    assert [QTYPE.get(r.rtype) for r in reply.auth] == ([] if code == RCODE.REFUSED else ["SOA"])


# -- on real sockets ------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A server that answers every question with one address."""

    def answer(message: bytes) -> bytes:
        if len(message) < 12:
            raise ValueError("no DNS message")
        question = DNSRecord.parse(message)
        reply: bytes = question.replyZone(f"{question.q.qname} 60 A {LONDON}").pack()
        return reply

    made = DnsServer("127.0.0.1", 0, answer)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("tcp", [False, True])
def test_people_can_ask_over_udp_and_tcp(server: DnsServer, tcp: bool) -> None:
    reply = DNSRecord.parse(query().send("127.0.0.1", server.port, tcp=tcp, timeout=5))

    assert addresses(reply) == [LONDON]


def test_rubbish_does_not_stop_the_server(server: DnsServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rubbish:
        rubbish.sendto(b"?", ("127.0.0.1", server.port))

    reply = DNSRecord.parse(query().send("127.0.0.1", server.port, timeout=5))

    assert addresses(reply) == [LONDON]


def test_a_taken_port_is_named_with_the_option_that_changes_it(server: DnsServer) -> None:
    with pytest.raises(PortInUseError, match=rf"127\.0\.0\.1:{server.port}.*--dns-port"):
        DnsServer("127.0.0.1", server.port, lambda message: message)


# -- through a cache ------------------------------------------------------------------------------


class Clock:
    """Seconds, moved by hand, and an authority whose answer is moved by hand."""

    def __init__(self) -> None:
        self.now, self.address = 0.0, LONDON

    def read(self) -> float:
        return self.now

    def answer(self, _name: str, _kind: str, _near: str) -> Answer:
        return Answer(RCODE.NOERROR, "A", (self.address,), 60)


def test_a_resolver_keeps_an_answer_for_its_ttl_and_no_longer() -> None:
    clock = Clock()
    resolve = partial(Resolver(clock.read, clock.answer, "eu-west-2").resolve, "api.test")
    seen = [resolve()]
    clock.address = VIRGINIA

    for clock.now in (59.9, 60.0):
        seen.append(resolve())

    assert seen == [LONDON, LONDON, VIRGINIA]


def test_some_resolvers_stretch_the_ttl() -> None:
    clock = Clock()
    resolver = Resolver(clock.read, clock.answer, "eu-west-2", 300.0)
    resolver.resolve("api.test")
    clock.address, clock.now = VIRGINIA, 299.0

    assert resolver.resolve("api.test") == LONDON
