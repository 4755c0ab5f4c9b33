"""/health: whether this Region can take a write and give it back, and nothing about its peers."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.aws.clients import longest_call_s
from tests.api.data_plane import HERE, Answer, DataPlane, answers, metrics_in, sample, says, silent

DATA, REGIONAL = "sidestep-demo-data", "sidestep-demo-regional"
NOW = 1_795_435_202_637
FAULT = {
    "pk": {"S": "fault"},
    "sk": {"S": "health"},
    "until": {"N": str(NOW + 60_000)},
    "incident": {"S": "drill-7"},
}


def asked(plane: DataPlane) -> Answer:
    return plane.request(plane.cold_start("health"), sample("api-health"))


def test_a_region_that_takes_a_write_and_gives_it_back_is_healthy(plane: DataPlane) -> None:
    answer = asked(plane)

    assert answer.status == 200
    assert answer.body["status"] == "healthy"
    assert answer.body["region"] == HERE
    assert answer.body["at"] == NOW
    assert {name: check["ok"] for name, check in answer.body["checks"].items()} == {
        "write": True,
        "read": True,
        "drill": True,
    }
    assert plane.items("data") == [
        {"pk": {"S": f"probe#{HERE}"}, "sk": {"S": "probe"}, "at": {"N": str(NOW)}}
    ]


def test_it_asks_only_its_own_region_and_table(plane: DataPlane) -> None:
    asked(plane)

    assert plane.faults.calls == ["PutItem", "GetItem", "GetItem"]
    assert plane.faults.hosts == {f"dynamodb.{HERE}.amazonaws.com"}


@pytest.mark.parametrize("fault", [silent, says("ThrottlingException"), says("AccessDenied")])
def test_a_region_that_takes_no_write_is_unhealthy_and_says_why(
    plane: DataPlane, fault: Any
) -> None:
    plane.faults.strike("PutItem", fault)

    answer = asked(plane)

    assert answer.status == 503
    assert answer.body["status"] == "unhealthy"
    assert answer.body["checks"]["write"]["ok"] is False
    assert "writing to sidestep-demo-data" in answer.body["checks"]["write"]["why"]


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(silent, id="silent"),
        pytest.param(answers({}), id="nothing-there"),
        pytest.param(answers({"Item": {"at": {"N": str(NOW - 60_000)}}}), id="an-old-value"),
    ],
)
def test_a_write_that_does_not_come_back_is_unhealthy(plane: DataPlane, read: Any) -> None:
    plane.faults.strike("GetItem", read, table=DATA)

    answer = asked(plane)

    assert answer.status == 503
    assert answer.body["checks"]["write"]["ok"] is True
    assert answer.body["checks"]["read"]["ok"] is False


def test_another_environments_newer_write_counts_as_ours(plane: DataPlane) -> None:
    plane.faults.strike("GetItem", answers({"Item": {"at": {"N": str(NOW + 40)}}}), DATA)

    assert asked(plane).body["checks"]["read"]["ok"] is True


def test_a_report_is_kept_for_five_seconds_and_then_made_anew(plane: DataPlane) -> None:
    health = plane.cold_start("health")
    plane.request(health, sample("api-health"))
    plane.faults.strike("PutItem", silent)
    plane.clock.shift(4.9)
    kept = plane.request(health, sample("api-health"))
    plane.clock.shift(0.2)

    anew = plane.request(health, sample("api-health"))

    assert (kept.status, anew.status) == (200, 503)
    assert kept.body["at"] == NOW


def test_an_unhealthy_report_is_kept_for_one_second_so_that_a_blip_looks_no_longer(
    plane: DataPlane,
) -> None:
    health = plane.cold_start("health")
    plane.faults.strike("PutItem", silent)
    plane.request(health, sample("api-health"))
    plane.faults.mend()
    plane.clock.shift(0.9)
    kept = plane.request(health, sample("api-health"))
    plane.clock.shift(0.2)

    anew = plane.request(health, sample("api-health"))

    assert (kept.status, anew.status) == (503, 200)


def test_a_clock_that_was_set_back_does_not_keep_a_report_for_ever(plane: DataPlane) -> None:
    health = plane.cold_start("health")
    plane.request(health, sample("api-health"))
    plane.faults.strike("PutItem", silent)
    plane.clock.shift(-3600)

    assert plane.request(health, sample("api-health")).status == 503


def test_a_drills_fault_makes_it_unhealthy_and_says_that_it_is_a_drill(plane: DataPlane) -> None:
    plane.put("regional", FAULT)

    answer = asked(plane)

    assert answer.status == 503
    assert answer.body["checks"]["write"]["ok"] is True
    assert "drill" in answer.body["checks"]["drill"]["why"]
    assert "drill-7" in answer.body["checks"]["drill"]["why"]


def test_a_drills_fault_ends_by_itself(plane: DataPlane) -> None:
    plane.put("regional", FAULT)
    health = plane.cold_start("health")
    during = plane.request(health, sample("api-health"))
    plane.clock.shift(61)

    after = plane.request(health, sample("api-health"))

    assert (during.status, after.status) == (503, 200)


def test_a_fault_that_cannot_be_read_is_ignored_and_logged(
    plane: DataPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.put("regional", FAULT)
    plane.faults.strike("GetItem", silent, table=REGIONAL)

    answer = asked(plane)

    assert answer.status == 200
    assert "reading from sidestep-demo-regional" in capsys.readouterr().out


def test_the_longest_it_can_take_is_less_than_a_checker_waits(plane: DataPlane) -> None:
    config = plane.module("health").dynamodb.meta.config
    asked(plane)

    longest = longest_call_s(
        config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]
    )

    # Route 53 waits 2 s for a status:
    # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
    assert len(plane.faults.calls) * longest < 2.0


def test_each_reading_is_one_metric_and_a_kept_report_is_none(
    plane: DataPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    health = plane.cold_start("health")
    for _ in range(3):
        plane.request(health, sample("api-health"))

    (document,) = metrics_in(capsys.readouterr().out)
    assert document["Healthy"] == [1.0]
