"""Route 53's answers as DNS messages, with the client's subnet taken into account (RFC 7871)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from dnslib import CLASS, EDNS0, OPCODE, QTYPE, RCODE, RR, DNSHeader, DNSRecord, EDNSOption
from dnslib.dns import DNSError

from localcloud.dns.subnets import CLIENT_SUBNET, MalformedError, Subnet, nearest
from localcloud.route53.answers import Answer, Answers

PLAIN_UDP_BYTES = 512
"""Longest UDP answer to a query without EDNS0 (RFC 1035, 4.2.1)."""
OUR_UDP_BYTES = 1232
"""Longest UDP message that we announce to take: DNS Flag Day 2020."""
MAX_CNAMES = 8
_HEADER_BYTES = 12


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
        location = nearest(subnet.network(), subnets) if subnet is not None else None
        _fill(reply, answers, str(request.q.qname), QTYPE.get(request.q.qtype), location or near)
    else:
        reply.header.aa, reply.header.rcode = 0, refusal
    if any(record.rtype == QTYPE.OPT for record in request.ar):
        options = [EDNSOption(CLIENT_SUBNET, subnet.echoed())] if subnet is not None else []
        reply.add_ar(EDNS0(udp_len=OUR_UDP_BYTES, opts=options))
    return bytes(reply.pack())


def fitted(query: bytes, answer: bytes) -> bytes:
    """An answer as it goes over UDP: without its records if the asker takes less than it is long.

    The TC bit then sends the asker to TCP.
    """
    request = DNSRecord.parse(query)
    offered = [record.edns_len for record in request.ar if record.rtype == QTYPE.OPT]
    if len(answer) <= max([PLAIN_UDP_BYTES, *offered]):
        return answer
    whole = DNSRecord.parse(answer)
    whole.header.tc, whole.rr, whole.auth = 1, [], []
    return bytes(whole.pack())


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
                return Subnet.parse(bytes(option.data))
    return None
