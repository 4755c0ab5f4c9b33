"""The observers' canary: what a client's write would get, and nothing that stays."""

from __future__ import annotations

from typing import Any

from tests.api.data_plane import DataPlane, sample, silent

DATA = "sidestep-demo-data"


def test_a_canary_is_one_item_and_heard_of_by_nobody(plane: DataPlane) -> None:
    write = plane.cold_start("write")

    first, again = (plane.request(write, sample("api-canary")) for _ in range(2))

    assert (first.status, again.status) == (200, 200)
    (item,) = plane.items("data")
    assert (item["pk"], item["sk"]) == ({"S": "canary#eu-west-2"}, {"S": "canary"})
    assert plane.heard() == []


def test_a_canary_fails_where_a_clients_write_may(plane: DataPlane) -> None:
    plane.faults.strike("PutItem", silent, DATA)

    answer = plane.request(plane.cold_start("write"), sample("api-canary"))

    assert answer.status == 503
    assert answer.body["error"]["code"] == "unavailable"


def reading() -> dict[str, Any]:
    """The sample's request as a read: `GET /canary`."""
    event = sample("api-canary")
    event["routeKey"] = event["requestContext"]["routeKey"] = "GET /canary"
    event["requestContext"]["http"]["method"] = "GET"
    return event


def test_a_reading_canary_gets_the_newest_message_as_a_client_would(plane: DataPlane) -> None:
    message = plane.request(plane.cold_start("write"), sample("api-write")).body["message"]

    answer = plane.request(plane.cold_start("history"), reading())

    assert (answer.status, answer.body["items"]) == (200, [message])


def test_a_reading_canary_fails_where_a_clients_read_may(plane: DataPlane) -> None:
    plane.faults.strike("Query", silent, DATA)

    assert plane.request(plane.cold_start("history"), reading()).status == 503
