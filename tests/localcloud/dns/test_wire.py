"""DNS messages: answers, denials, client subnets and refusals, read by a stock library."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import pytest

from localcloud.dns.wire import fitted
from tests.localcloud.dns.zone import (
    IN_LONDON,
    IN_OREGON,
    IN_VIRGINIA,
    Zone,
    asked,
    query,
    records,
)


def test_an_answer_is_authoritative_and_has_the_records_ttl() -> None:
    answer = asked(query("api.example.com"))

    assert answer.flags & dns.flags.AA
    assert not answer.flags & dns.flags.RA
    assert records(answer) == [IN_LONDON]
    assert answer.answer[0].ttl == 60


@pytest.mark.parametrize(
    ("subnet", "address"),
    [
        ("198.18.0.0/24", IN_LONDON),
        ("198.18.1.0/24", IN_VIRGINIA),
        ("198.18.1.7/32", IN_VIRGINIA),
        ("198.18.0.0/16", IN_LONDON),
        ("2001:db8:1::/48", IN_OREGON),
        ("203.0.113.0/24", IN_LONDON),
        ("198.0.0.0/8", IN_LONDON),
    ],
)
def test_a_client_subnet_is_answered_for_the_region_it_is_nearest_to(
    subnet: str, address: str
) -> None:
    assert records(asked(query("api.example.com", subnet=subnet))) == [address]


def test_a_client_subnet_comes_back_with_its_whole_prefix_as_scope() -> None:
    answer = asked(query("api.example.com", subnet="198.18.1.0/24"))

    (option,) = answer.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.address, option.srclen, option.scopelen) == ("198.18.1.0", 24, 24)


@pytest.mark.parametrize(("edns", "level"), [(True, 0), (False, -1)])
def test_edns_is_answered_with_edns_and_nothing_else_is(edns: bool, level: int) -> None:
    assert asked(query("api.example.com", edns=edns)).edns == level


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("api.example.com", "AAAA", dns.rcode.NOERROR),
        ("none.example.com", "A", dns.rcode.NXDOMAIN),
    ],
)
def test_no_such_records_and_no_such_name_are_told_apart(
    name: str, kind: str, rcode: dns.rcode.Rcode
) -> None:
    answer = asked(query(name, kind))

    assert (answer.rcode(), answer.answer) == (rcode, [])
    (soa,) = answer.authority
    assert soa.rdtype == dns.rdatatype.SOA
    # The lesser of the SOA's own TTL and its last field.
    assert soa.ttl == 900


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("NS", ["ns-1.example.net.", "ns-2.example.org."]),
        ("SOA", ["ns-1.example.net. admin.example.net. 1 7200 900 1209600 86400"]),
    ],
)
def test_the_zone_says_who_serves_it(kind: str, values: list[str]) -> None:
    assert records(asked(query("example.com", kind)), kind) == values


def test_text_is_answered_as_text() -> None:
    assert records(asked(query("text.example.com", "TXT")), "TXT") == ['"hello world"']


def test_a_cname_is_followed_within_the_zone() -> None:
    answer = asked(query("www.example.com"))

    assert records(answer, "CNAME") == ["api.example.com."]
    assert records(answer) == [IN_LONDON]


def test_a_cname_that_leads_out_of_the_zone_is_the_resolvers_to_follow() -> None:
    answer = asked(query("out.example.com"))

    assert (answer.rcode(), records(answer, "CNAME"), records(answer)) == (
        dns.rcode.NOERROR,
        ["elsewhere.test."],
        [],
    )


def test_another_zone_is_refused_and_not_with_authority() -> None:
    answer = asked(query("example.org"))

    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA


def test_questions_that_we_do_not_answer_are_refused_each_in_its_way() -> None:
    update = query("api.example.com")
    update.set_opcode(dns.opcode.STATUS)
    chaos = dns.message.make_query("version.bind", "TXT", dns.rdataclass.CH)

    assert asked(update).rcode() == dns.rcode.NOTIMP
    assert asked(query("api.example.com", "ANY")).rcode() == dns.rcode.NOTIMP
    assert asked(chaos).rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x18",
        b"\x00\x01\x40\x00\xc6\x12\x00",
        b"\x00\x01\x18\x00\xc6",
        b"\x00\x09\x08\x00a",
    ],
    ids=["too-short", "prefix-too-long", "address-cut-short", "unknown-family"],
)
def test_a_broken_client_subnet_is_a_format_error(data: bytes) -> None:
    option = dns.edns.GenericOption(dns.edns.OptionType.ECS, data)
    broken = dns.message.make_query("api.example.com", "A", use_edns=0, options=[option])

    assert asked(broken).rcode() == dns.rcode.FORMERR


def test_rubbish_with_a_header_is_a_format_error_under_its_id() -> None:
    answer = dns.message.from_wire(Zone().answer(b"\x12\x34" + b"\xff" * 30))

    assert (answer.id, answer.rcode()) == (0x1234, dns.rcode.FORMERR)


def test_what_is_no_message_at_all_gets_none() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        Zone().answer(b"abc")


@pytest.mark.parametrize(("edns", "whole"), [(False, False), (True, True)])
def test_an_answer_over_udp_is_cut_to_what_the_asker_takes(edns: bool, whole: bool) -> None:
    asking = dns.message.make_query(
        "big.example.com", "TXT", use_edns=0 if edns else False, payload=4096 if edns else None
    ).to_wire()

    sent = fitted(asking, Zone().answer(asking))

    answer = dns.message.from_wire(sent)
    assert bool(answer.flags & dns.flags.TC) is not whole
    assert (len(answer.answer) > 0) is whole
    assert whole or len(sent) <= 512
