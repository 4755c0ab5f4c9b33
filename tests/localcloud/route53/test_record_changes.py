"""Record changes: a batch whole or not at all, in the zone at once, on the name servers later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.route53.limits import RECORDS_TO_DNS_S
from tests.localcloud.route53.facts_world import FactsWorld, refused

LONGEST_S = RECORDS_TO_DNS_S[1]


class ZoneWorld(FactsWorld):
    """An account with the zone example.com."""

    def make_zone(self) -> None:
        made = self.api.create_hosted_zone(Name="example.com", CallerReference="zone")
        self.zone = made["HostedZone"]["Id"]

    def change(self, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """Apply a batch; the change's id and status."""
        answer: dict[str, Any] = self.api.change_resource_record_sets(
            HostedZoneId=self.zone,
            ChangeBatch={
                "Changes": [{"Action": a, "ResourceRecordSet": given} for a, given in changes]
            },
        )
        return dict(answer["ChangeInfo"])

    def values(self, name: str = "api.example.com") -> tuple[str, ...]:
        return self.answers.answer(name, "A", "eu-west-2").records

    def listed(self) -> list[tuple[str, str | None]]:
        """The A records that the API lists: value and set identifier."""
        found = self.api.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return [
            (one["ResourceRecords"][0]["Value"], one.get("SetIdentifier"))
            for one in found
            if one["Type"] == "A"
        ]


@pytest.fixture
def world() -> Iterator[ZoneWorld]:
    made = ZoneWorld()
    with made.kernel:
        made.endpoint.open()
        made.make_zone()
        yield made
        made.endpoint.close()


def simple(value: str, **more: Any) -> dict[str, Any]:
    return {
        "Name": "api.example.com",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": value}],
        **more,
    }


def failover(value: str, role: str, **more: Any) -> dict[str, Any]:
    return simple(value, SetIdentifier=role.lower(), Failover=role, **more)


def test_a_change_is_pending_until_the_name_servers_have_it(world: ZoneWorld) -> None:
    world.change(("CREATE", simple("192.0.2.1")))
    world.start()

    change = world.change(("UPSERT", simple("192.0.2.2")))
    at_once = (change["Status"], world.listed(), world.values())
    world.pass_s(LONGEST_S)
    status = world.api.get_change(Id=change["Id"])["ChangeInfo"]["Status"]

    assert at_once == ("PENDING", [("192.0.2.2", None)], ("192.0.2.1",))
    assert (status, world.values()) == ("INSYNC", ("192.0.2.2",))


def test_a_change_that_is_overtaken_does_not_undo_the_later_one(world: ZoneWorld) -> None:
    world.start()
    for number in range(20):
        world.change(("UPSERT", simple(f"192.0.2.{number}")))

    world.pass_s(LONGEST_S)

    assert world.values() == ("192.0.2.19",)


def test_a_change_reaches_dns_although_the_control_plane_went_down(world: ZoneWorld) -> None:
    world.start()
    world.change(("CREATE", simple("192.0.2.1")))
    world.route53.control_plane_down = True

    world.pass_s(LONGEST_S)

    assert world.values() == ("192.0.2.1",)


def test_a_batch_with_one_bad_change_changes_nothing(world: ZoneWorld) -> None:
    world.change(("CREATE", simple("192.0.2.1")))

    bad = refused(
        lambda: world.change(
            ("UPSERT", simple("192.0.2.2")), ("DELETE", simple("192.0.2.9", Name="b.example.com"))
        )
    )

    assert bad == ("InvalidChangeBatch", 400)
    assert world.values() == ("192.0.2.1",)


def test_a_delete_and_a_create_in_one_batch_replace_a_record(world: ZoneWorld) -> None:
    world.change(("CREATE", simple("192.0.2.1")))

    world.change(("DELETE", simple("192.0.2.1")), ("CREATE", failover("192.0.2.2", "PRIMARY")))

    assert world.listed() == [("192.0.2.2", "primary")]


def test_deleting_one_record_of_a_set_identifier_leaves_other_names_alone(
    world: ZoneWorld,
) -> None:
    other = failover("192.0.2.7", "PRIMARY", Name="other.example.com")
    world.change(("CREATE", failover("192.0.2.1", "PRIMARY")), ("CREATE", other))

    world.change(("DELETE", failover("192.0.2.1", "PRIMARY")))

    assert world.listed() == [("192.0.2.7", "primary")]


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("CREATE", simple("192.0.2.1")),
        ("CREATE", simple("192.0.2.2")),
        ("CREATE", failover("192.0.2.2", "PRIMARY")),
        ("DELETE", simple("192.0.2.2")),
        ("CREATE", simple("192.0.2.1", Name="api.example.org")),
        ("CREATE", {"Name": "b.example.com", "Type": "A"}),
        ("CREATE", simple("192.0.2.1", Name="b.example.com", SetIdentifier="b")),
        ("CREATE", simple("192.0.2.1", Name="b.example.com", Weight=1)),
        (
            "CREATE",
            simple(
                "192.0.2.1", Name="b.example.com", SetIdentifier="b", Weight=1, Region="us-east-1"
            ),
        ),
    ],
    ids=[
        "exists",
        "exists-otherwise",
        "another-policy",
        "other-values",
        "another-zone",
        "no-value",
        "identifier-alone",
        "weight-alone",
        "two-policies",
    ],
)
def test_a_change_that_route_53_would_not_make_is_refused(
    world: ZoneWorld, action: str, given: dict[str, Any]
) -> None:
    world.change(("CREATE", simple("192.0.2.1")))

    assert refused(lambda: world.change((action, given))) == ("InvalidChangeBatch", 400)
    assert world.listed() == [("192.0.2.1", None)]


def test_a_record_cannot_hang_on_a_check_that_is_not_there(world: ZoneWorld) -> None:
    given = failover("192.0.2.1", "PRIMARY", HealthCheckId="none")

    assert refused(lambda: world.change(("CREATE", given))) == ("NoSuchHealthCheck", 404)


def test_what_we_do_not_model_is_refused_by_name(world: ZoneWorld) -> None:
    given = simple("192.0.2.1", SetIdentifier="b", MultiValueAnswer=True)

    assert refused(lambda: world.change(("CREATE", given))) == ("NotImplemented", 501)


def test_an_unknown_zone_or_change_is_404(world: ZoneWorld) -> None:
    assert refused(lambda: world.api.get_change(Id="C1")) == ("NoSuchChange", 404)
    world.zone = "ZNONE"
    assert refused(lambda: world.change(("CREATE", simple("192.0.2.1")))) == (
        "NoSuchHostedZone",
        404,
    )


def test_the_most_specific_zone_answers(world: ZoneWorld) -> None:
    world.change(("CREATE", simple("192.0.2.1", Name="a.sub.example.com")))
    sub = world.api.create_hosted_zone(Name="sub.example.com", CallerReference="sub")

    answered = world.answers.answer("a.sub.example.com", "A", "eu-west-2")
    world.api.delete_hosted_zone(Id=sub["HostedZone"]["Id"])

    assert (answered.rcode, answered.origin) == (3, "sub.example.com")
    assert world.values("a.sub.example.com") == ("192.0.2.1",)
