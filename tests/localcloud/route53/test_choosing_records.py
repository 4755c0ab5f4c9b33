"""Which of a name's records is answered: by policy, by health, for whom."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from localcloud.route53.answers import NOERROR, NXDOMAIN, REFUSED, Answers, by_weight
from localcloud.route53.records import Alias, Records
from localcloud.route53.servers import ServedZone
from tests.localcloud.route53.small_world import SmallWorld

NAME = "api.example.com"
SOA = Records(
    "example.com", "SOA", ("ns-1.example.net. admin.example.net. 1 7200 900 1209600 86400",), 900
)


class Zone:
    """The zone example.com with these records; `ill` are the health checks that fail."""

    def __init__(self, *records: Records) -> None:
        self.served = self
        self.ill: set[str] = set()
        self._zone = ServedZone("example.com", (SOA, *records))
        gateways = {"gateway.test": "127.0.1.1"}
        self.answers = Answers(SmallWorld(), self, gateways.get)

    def zone_of(self, name: str) -> ServedZone | None:
        return self._zone if name.rstrip(".").lower().endswith("example.com") else None

    def healthy(self, check_id: str) -> bool:
        return check_id not in self.ill

    def values(self, near: str = "eu-west-2", name: str = NAME) -> tuple[str, ...]:
        return self.answers.answer(name, "A", near).records


def record(value: str, **settings: object) -> Records:
    fields: dict[str, object] = {
        "name": NAME,
        "type": "A",
        "values": (value,),
        "ttl": 60,
        "set_identifier": value if len(settings) else None,
        "health_check_id": f"check-{value}",
        **settings,
    }
    return Records(**fields)  # type: ignore[arg-type]  # a test's own fields


def latency(region: str) -> Records:
    return record(region, region=region)


# -- latency --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("near", "region"),
    [
        ("eu-west-1", "eu-west-2"),
        ("eu-central-1", "eu-west-2"),
        ("us-east-2", "us-east-1"),
        ("sa-east-1", "us-east-1"),
        ("ap-northeast-1", "us-west-2"),
    ],
)
def test_a_client_gets_the_region_that_it_reaches_soonest(near: str, region: str) -> None:
    zone = Zone(latency("us-east-1"), latency("eu-west-2"), latency("us-west-2"))

    assert zone.values(near) == (region,)


def test_a_client_of_an_unhealthy_region_gets_the_next_nearest() -> None:
    zone = Zone(latency("us-east-1"), latency("eu-west-2"), latency("us-west-2"))
    zone.ill = {"check-eu-west-2"}

    answer = zone.answers.answer(NAME, "A", "eu-west-2")

    assert (answer.records, answer.set_identifier, answer.fail_open) == (
        ("us-east-1",),
        "us-east-1",
        False,
    )


def test_when_all_are_unhealthy_all_count_again_and_the_answer_says_so() -> None:
    zone = Zone(latency("us-east-1"), latency("eu-west-2"))
    zone.ill = {"check-us-east-1", "check-eu-west-2"}

    answer = zone.answers.answer(NAME, "A", "eu-west-2")

    assert (answer.records, answer.fail_open) == (("eu-west-2",), True)


def test_a_record_without_a_health_check_is_never_left_out() -> None:
    zone = Zone(record("bare", region="us-east-1", health_check_id=None), latency("eu-west-2"))
    zone.ill = {"check-eu-west-2"}

    assert zone.values("eu-west-2") == ("bare",)


# -- failover and weights -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ill", "answered"),
    [
        (set(), "primary"),
        ({"check-primary"}, "secondary"),
        ({"check-secondary"}, "primary"),
        ({"check-primary", "check-secondary"}, "primary"),
    ],
)
def test_a_secondary_is_answered_only_while_the_primary_alone_is_ill(
    ill: set[str], answered: str
) -> None:
    zone = Zone(record("secondary", failover="SECONDARY"), record("primary", failover="PRIMARY"))
    zone.ill = ill

    assert zone.values() == (answered,)


def test_weights_are_shares() -> None:
    records = [record("three", weight=3), record("one", weight=1)]
    chance = random.Random(1)

    counts = Counter(by_weight(records, chance).values[0] for _ in range(4000))

    assert counts["three"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_weights_that_are_all_zero_are_equal_shares() -> None:
    records = [record("a", weight=0), record("b", weight=0)]
    chance = random.Random(1)

    counts = Counter(by_weight(records, chance).values[0] for _ in range(4000))

    assert counts["a"] / 4000 == pytest.approx(0.5, abs=0.03)


# The table of
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-weighted.html
@pytest.mark.parametrize(
    ("ill", "possible"),
    [
        ({"check-one", "check-other"}, {"zero"}),
        ({"check-one", "check-other", "check-zero"}, {"one", "other"}),
        ({"check-one", "check-zero"}, {"other"}),
        ({"check-zero"}, {"one", "other"}),
        (set(), {"one", "other"}),
    ],
)
def test_a_record_of_weight_zero_is_answered_when_all_others_are_ill_and_it_is_not(
    ill: set[str], possible: set[str]
) -> None:
    zone = Zone(record("one", weight=1), record("other", weight=1), record("zero", weight=0))
    zone.ill = ill

    assert {zone.values()[0] for _ in range(50)} == possible


# -- aliases --------------------------------------------------------------------------------------


def alias(target: str, evaluate: bool = False, **settings: object) -> Records:
    return record("", values=(), ttl=0, alias=Alias(target, evaluate), **settings)


def test_an_alias_of_a_gateway_has_its_address_and_its_ttl() -> None:
    zone = Zone(alias("gateway.test"))

    answer = zone.answers.answer(NAME, "A", "eu-west-2")

    assert (answer.records, answer.ttl) == (("127.0.1.1",), 60)


def test_an_alias_of_nothing_has_no_records() -> None:
    zone = Zone(alias("gone.test"))

    assert zone.values() == ()


def test_an_alias_within_the_zone_has_its_targets_value_and_ttl() -> None:
    target = record("192.0.2.1", name="target.example.com", ttl=30)
    zone = Zone(alias("target.example.com"), target)

    answer = zone.answers.answer(NAME, "A", "eu-west-2")

    assert (answer.records, answer.ttl) == (("192.0.2.1",), 30)


@pytest.mark.parametrize(("evaluate", "answered"), [(True, "spare"), (False, "192.0.2.1")])
def test_an_alias_inherits_its_targets_health_only_when_told_to(
    evaluate: bool, answered: str
) -> None:
    zone = Zone(
        record("192.0.2.1", name="target.example.com"),
        alias("target.example.com", evaluate, failover="PRIMARY", health_check_id=None),
        record("spare", failover="SECONDARY"),
    )
    zone.ill = {"check-192.0.2.1"}

    assert zone.values() == (answered,)


def test_a_gateway_always_reports_itself_healthy() -> None:
    zone = Zone(
        alias("gateway.test", True, failover="PRIMARY", health_check_id=None),
        record("spare", failover="SECONDARY"),
    )

    assert zone.values() == ("127.0.1.1",)


def test_aliases_in_a_circle_come_to_nothing() -> None:
    zone = Zone(alias("other.example.com"), alias(NAME, name="other.example.com"))

    assert zone.values() == ()


# -- denials --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("api.example.com", "AAAA", NOERROR),
        ("none.example.com", "A", NXDOMAIN),
        ("example.com", "A", NOERROR),
        ("b.example.com", "A", NOERROR),
        ("api.example.org", "A", REFUSED),
    ],
)
def test_no_records_no_name_and_not_our_zone_are_told_apart(
    name: str, kind: str, rcode: int
) -> None:
    zone = Zone(record("192.0.2.1"), record("192.0.2.2", name="a.b.example.com"))

    answer = zone.answers.answer(name, kind, "eu-west-2")

    assert (answer.rcode, answer.records) == (rcode, ())


def test_a_denial_is_kept_as_long_as_the_soa_record_says() -> None:
    assert Zone().answers.answer("none.example.com", "A", "eu-west-2").negative_ttl == 900


def test_names_are_compared_without_case_or_final_dot() -> None:
    assert Zone(record("192.0.2.1")).values(name="API.Example.COM.") == ("192.0.2.1",)


def test_a_name_that_is_another_ones_alias_by_cname_is_answered_with_it() -> None:
    zone = Zone(record("elsewhere.test", type="CNAME"))

    answer = zone.answers.answer(NAME, "A", "eu-west-2")

    assert (answer.type, answer.records) == ("CNAME", ("elsewhere.test",))
