"""The zone example.com before these tests, and DNS messages as dnspython makes and reads them."""

from __future__ import annotations

import dns.edns
import dns.message
import dns.rdatatype

from localcloud.dns.wire import answer_message
from localcloud.route53.answers import Answers
from localcloud.route53.records import Records
from localcloud.route53.servers import ServedZone
from tests.localcloud.route53.small_world import SmallWorld

SOA = "ns-1.example.net. admin.example.net. 1 7200 900 1209600 86400"
SUBNETS = {"198.18.0.0/16": "eu-west-2", "198.18.1.0/24": "us-east-1", "2001:db8::/32": "us-west-2"}
IN_LONDON, IN_VIRGINIA, IN_OREGON = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def _latency(region: str, address: str) -> Records:
    return Records("api.example.com", "A", (address,), 60, set_identifier=region, region=region)


RECORDS = (
    Records("example.com", "SOA", (SOA,), 900),
    Records("example.com", "NS", ("ns-1.example.net.", "ns-2.example.org."), 172_800),
    _latency("eu-west-2", IN_LONDON),
    _latency("us-east-1", IN_VIRGINIA),
    _latency("us-west-2", IN_OREGON),
    Records("www.example.com", "CNAME", ("api.example.com.",), 300),
    Records("out.example.com", "CNAME", ("elsewhere.test.",), 300),
    Records("text.example.com", "TXT", ('"hello world"',), 30),
    Records("big.example.com", "TXT", tuple(f'"{n:02d}{"x" * 100}"' for n in range(20)), 30),
)


class Zone:
    """example.com, all healthy."""

    def __init__(self) -> None:
        self.served = self
        self.zone = ServedZone("example.com", RECORDS)
        self.answers = Answers(SmallWorld(), self, lambda _: None)

    def zone_of(self, name: str) -> ServedZone | None:
        return self.zone if name.rstrip(".").lower().endswith("example.com") else None

    def healthy(self, _check_id: str) -> bool:
        return True

    def answer(self, query: bytes) -> bytes:
        """The answer on the wire, for who asks from near London."""
        return answer_message(self.answers, query, "eu-west-2", SUBNETS)


def query(
    name: str, kind: str = "A", subnet: str | None = None, edns: bool = False
) -> dns.message.QueryMessage:
    """A question as a resolver would send it; `subnet` in CIDR notation."""
    if subnet is None:
        return dns.message.make_query(name, kind, use_edns=0 if edns else False)
    address, _, prefix = subnet.partition("/")
    option = dns.edns.ECSOption(address, int(prefix))
    return dns.message.make_query(name, kind, use_edns=0, options=[option])


def asked(message: dns.message.Message) -> dns.message.Message:
    """What the zone answers to a message."""
    return dns.message.from_wire(Zone().answer(message.to_wire()))


def records(answer: dns.message.Message, kind: str = "A") -> list[str]:
    """The values of a type in the answer section, sorted."""
    wanted = dns.rdatatype.from_text(kind)
    return sorted(
        item.to_text() for rrset in answer.answer if rrset.rdtype == wanted for item in rrset
    )
