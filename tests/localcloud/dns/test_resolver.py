"""A client's resolver: how long it goes on saying what is no longer so."""

from __future__ import annotations

import random

import pytest

from localcloud.dns.resolver import STRETCHED_TO_S, STRETCHING_SHARE, Resolver, some_resolver
from localcloud.route53.answers import NXDOMAIN, Answer

NAME = "api.example.com"


class Dns:
    """Answers that a test sets, at a time that it sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.names = {NAME: Answer(0, "A", ("one",), 60)}
        self.asked: list[tuple[str, str]] = []

    def ask(self, name: str, _kind: str, near: str) -> Answer:
        self.asked.append((name, near))
        return self.names.get(name, Answer(NXDOMAIN, "A", negative_ttl=900))

    def resolver(self, at_least_s: float = 0.0) -> Resolver:
        return Resolver(lambda: self.now, self.ask, "eu-west-2", at_least_s)


@pytest.fixture
def dns() -> Dns:
    return Dns()


@pytest.mark.parametrize(("later", "address"), [(59.9, "one"), (60.0, "two")])
def test_an_answer_is_kept_for_its_ttl_and_no_longer(dns: Dns, later: float, address: str) -> None:
    resolver = dns.resolver()
    resolver.resolve(NAME)
    dns.names[NAME] = Answer(0, "A", ("two",), 60)

    dns.now = later

    assert resolver.resolve(NAME) == address


def test_a_resolver_asks_from_where_its_clients_are(dns: Dns) -> None:
    dns.resolver().resolve(NAME)

    assert dns.asked == [(NAME, "eu-west-2")]


@pytest.mark.parametrize(("later", "address"), [(899.0, None), (900.0, "one")])
def test_a_denial_is_kept_as_long_as_it_says(dns: Dns, later: float, address: str | None) -> None:
    resolver = dns.resolver()
    known = dns.names.pop(NAME)
    resolver.resolve(NAME)
    dns.names[NAME] = known

    dns.now = later

    assert resolver.resolve(NAME) == address


@pytest.mark.parametrize(("later", "address"), [(299.0, "one"), (300.0, "two")])
def test_a_resolver_that_stretches_ttls_keeps_an_answer_longer(
    dns: Dns, later: float, address: str
) -> None:
    resolver = dns.resolver(at_least_s=300)
    resolver.resolve(NAME)
    dns.names[NAME] = Answer(0, "A", ("two",), 60)

    dns.now = later

    assert resolver.resolve(NAME) == address


def test_a_cname_is_followed_and_the_shortest_ttl_on_the_way_holds(dns: Dns) -> None:
    dns.names["www.example.com"] = Answer(0, "CNAME", (NAME,), 10)
    resolver = dns.resolver()
    first = resolver.resolve("www.example.com")
    dns.names[NAME] = Answer(0, "A", ("two",), 60)

    dns.now = 10

    assert (first, resolver.resolve("www.example.com")) == ("one", "two")


def test_cnames_in_a_circle_come_to_nothing(dns: Dns) -> None:
    dns.names = {
        "a.example.com": Answer(0, "CNAME", ("b.example.com",), 10),
        "b.example.com": Answer(0, "CNAME", ("a.example.com",), 10),
    }

    assert dns.resolver().resolve("a.example.com") is None


def test_a_small_share_of_resolvers_stretches(dns: Dns) -> None:
    chance = random.Random(1)
    resolvers = [some_resolver(lambda: dns.now, dns.ask, "eu-west-2", chance) for _ in range(2000)]
    for resolver in resolvers:
        resolver.resolve(NAME)
    dns.names[NAME] = Answer(0, "A", ("two",), 60)

    dns.now = STRETCHED_TO_S - 1

    stale = sum(resolver.resolve(NAME) == "one" for resolver in resolvers)
    assert stale / 2000 == pytest.approx(STRETCHING_SHARE, abs=0.015)
