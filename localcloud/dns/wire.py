"""Route 53's answers as DNS messages, with the client's subnet taken into account (RFC 7871)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from dnslib import CLASS, EDNS0, OPCODE, QTYPE, RCODE, RR, DNSHeader, DNSRecord, EDNSOption
from dnslib.dns import DNSError

from localcloud.route53.answers import Answer, Answers

CLIENT_SUBNET = 8
"""EDNS0 option code of a client subnet (RFC 7871, 6)."""
PLAIN_UDP_BYTES = 512
"""Longest UDP answer to a query without EDNS0 (RFC 1035, 4.2.1)."""
OUR_UDP_BYTES = 1232
"""Longest UDP message that we announce to take: DNS Flag Day 2020."""
MAX_CNAMES = 8
_HEADER_BYTES = 12
_IPV4, _IPV6 = 1, 2
"""Address families (RFC 7871, 6)."""


class MalformedError(Exception):
    """A query that breaks the protocol: FORMERR."""


@dataclass(frozen=True)
class Subnet:
    """A client's subnet as a resolver sent it: the option's address family, prefix and bytes."""

    family: int
    prefix: int
    address: bytes

    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The subnet as a network."""
        if self.family == _IPV4:
            return ipaddress.IPv4Network((self.address.ljust(4, b"\0"), self.prefix), strict=False)
        return ipaddress.IPv6Network((self.address.ljust(16, b"\0"), self.prefix), strict=False)

    def option(self) -> EDNSOption:
        """The option to answer with: what we said is true of exactly this subnet."""
        head = struct.pack("!HBB", self.family, self.prefix, self.prefix)
        return EDNSOption(CLIENT_SUBNET, head + self.address)


def answer_message(answers: Answers, query: bytes, near: str, subnets: Mapping[str, str]) -> bytes:
    """The answer to a query, as one of Route 53's name servers would give it.

    `subnets` maps CIDR blocks to the Region that clients there are nearest to; a query
    without a subnet that one of them holds is answered for `near`. Raises ValueError for
    what is too short to be a DNS message: silence is the answer to that.
    """
    if len(query) < _HEADER_BYTES:
        raise ValueError(f"{len(query)} bytes are no DNS message")
    try:
        request = DNSRecord.parse(query)
        if len(request.questions) != 1:
            raise MalformedError(f"{len(request.questions)} questions")
        subnet = _subnet_of(request)
    except (DNSError, MalformedError):
        header = DNSHeader(id=struct.unpack("!H", query[:2])[0], qr=1, aa=0, rcode=RCODE.FORMERR)
        return bytes(DNSRecord(header).pack())
    reply = request.reply(ra=0, aa=1)
    refusal = _refusal(request)
    if refusal is None:
        location = _nearest(subnet, subnets) or near
        _fill(reply, answers, str(request.q.qname), QTYPE.get(request.q.qtype), location)
    else:
        reply.header.aa, reply.header.rcode = 0, refusal
    if any(record.rtype == QTYPE.OPT for record in request.ar):
        options = [subnet.option()] if subnet is not None else []
        reply.add_ar(EDNS0(udp_len=OUR_UDP_BYTES, opts=options))
    return bytes(reply.pack())


def fitted(query: bytes, answer: bytes) -> bytes:
    """An answer as it goes over UDP: cut to an empty, truncated one if the asker's limit is less.

    Truncation (the TC bit) sends the asker to TCP.
    """
    request = DNSRecord.parse(query)
    offered = [record.edns_len for record in request.ar if record.rtype == QTYPE.OPT]
    if len(answer) <= max([PLAIN_UDP_BYTES, *offered]):
        return answer
    return bytes(DNSRecord.parse(answer).truncate().pack())


def _refusal(request: DNSRecord) -> int | None:
    """The response code for a question that we do not answer; None when we do."""
    if request.header.opcode != OPCODE.QUERY or request.q.qtype == QTYPE.ANY:
        return int(RCODE.NOTIMP)
    if request.q.qclass != CLASS.IN:
        return int(RCODE.REFUSED)
    return None


def _fill(reply: DNSRecord, answers: Answers, name: str, kind: str, near: str) -> None:
    """Write the answer in: records, after the CNAMEs that lead to them, or a denial."""
    for _ in range(MAX_CNAMES):
        found = answers.answer(name, kind, near)
        for value in found.records:
            reply.add_answer(*RR.fromZone(f"{name} {found.ttl} IN {found.type} {value}"))
        if found.type == kind or not found.records:
            break
        name = found.records[0]
        if answers.answer(name, kind, near).origin is None:
            return  # The way leads out of our zones: the resolver goes on from here.
    reply.header.rcode = found.rcode
    if found.origin is None:
        reply.header.aa = 0
    elif not found.records:
        _deny(reply, answers, found, near)


def _deny(reply: DNSRecord, answers: Answers, found: Answer, near: str) -> None:
    """The zone's SOA record, which says for how long "no" may be kept (RFC 2308, 3)."""
    for value in answers.answer(str(found.origin), "SOA", near).records:
        reply.add_auth(*RR.fromZone(f"{found.origin}. {found.negative_ttl} IN SOA {value}"))


def _subnet_of(request: DNSRecord) -> Subnet | None:
    """The client subnet that came with a query. Raises MalformedError."""
    for record in request.ar:
        if record.rtype != QTYPE.OPT:
            continue
        for option in record.rdata:
            if option.code == CLIENT_SUBNET:
                return _subnet(bytes(option.data))
    return None


def _subnet(data: bytes) -> Subnet:
    if len(data) < 4:
        raise MalformedError("a client subnet of less than four bytes")
    family, prefix, _ = struct.unpack("!HBB", data[:4])
    longest = {_IPV4: 4, _IPV6: 16}.get(family, 0)
    # The address is cut to as many bytes as the prefix needs (RFC 7871, 6).
    if prefix > longest * 8 or len(data) - 4 != (prefix + 7) // 8:
        raise MalformedError("a client subnet whose address does not fit its prefix")
    return Subnet(family, prefix, data[4:])


def _nearest(subnet: Subnet | None, subnets: Mapping[str, str]) -> str | None:
    """The Region of the narrowest block that holds a client's subnet."""
    if subnet is None:
        return None
    client = subnet.network()
    holding = [
        (block.prefixlen, region)
        for block, region in ((ipaddress.ip_network(b), r) for b, r in subnets.items())
        if block.version == client.version
        and client.prefixlen >= block.prefixlen
        and client.network_address in block
    ]
    return max(holding)[1] if holding else None
