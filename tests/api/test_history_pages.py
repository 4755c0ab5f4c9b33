"""Reading history: newest first, every Region's messages, page by page to the end."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.aws.messages import item_of
from sidestep.core.messages import message_from, new_message
from tests.api.data_plane import HERE, PEER, DataPlane, Handler, sample, says, silent

NOW = 1_795_435_202_637
HOUR, DAY = 3_600_000, 86_400_000


def written(plane: DataPlane, text: str, at: int, region: str = HERE) -> None:
    message = message_from(new_message(f"key of {text}", "ada", text), region, at)
    plane.put("data", item_of(message))


def asking(**query: str) -> dict[str, Any]:
    return sample("api-history") | {"queryStringParameters": query}


def walked(plane: DataPlane, history: Handler, limit: int) -> list[list[str]]:
    """The texts of every page until there is no cursor."""
    pages: list[list[str]] = []
    query = {"limit": str(limit)}
    for _ in range(20):
        body = plane.request(history, asking(**query)).body
        pages.append([item["text"] for item in body["items"]])
        if body["cursor"] is None:
            return pages
        query["cursor"] = body["cursor"]
    raise AssertionError("history has no end")


def test_the_newest_comes_first_with_where_it_was_written_and_who_answered(
    plane: DataPlane,
) -> None:
    written(plane, "older", NOW - HOUR, PEER)
    written(plane, "newer", NOW - 1)

    answer = plane.request(plane.cold_start("history"), sample("api-history"))

    assert answer.status == 200
    assert answer.body["served_by"] == HERE
    told = [(item["text"], item["region"]) for item in answer.body["items"]]
    assert told == [("newer", HERE), ("older", PEER)]


def test_what_was_just_written_is_in_history(plane: DataPlane) -> None:
    message = plane.request(plane.cold_start("write"), sample("api-write")).body["message"]

    history = plane.request(plane.cold_start("history"), sample("api-history"))

    assert history.body["items"] == [message]


def test_pages_join_without_gap_or_repetition_across_days(plane: DataPlane) -> None:
    texts = [f"message {n}" for n in range(9)]
    for n, text in enumerate(texts):
        written(plane, text, NOW - n * 9 * HOUR)

    pages = walked(plane, plane.cold_start("history"), limit=2)

    assert [text for page in pages for text in page] == texts
    assert max(len(page) for page in pages) == 2


def test_messages_of_one_millisecond_are_not_lost_between_pages(plane: DataPlane) -> None:
    for n in range(5):
        written(plane, f"message {n}", NOW)

    pages = walked(plane, plane.cold_start("history"), limit=2)

    assert sorted(text for page in pages for text in page) == [f"message {n}" for n in range(5)]


def test_days_without_messages_are_walked_over_a_bounded_number_at_a_time(
    plane: DataPlane,
) -> None:
    written(plane, "of three weeks ago", NOW - 21 * DAY)
    history = plane.cold_start("history")
    plane.faults.calls.clear()

    first = plane.request(history, sample("api-history"))

    assert first.body["items"] == []
    assert first.body["cursor"]
    assert plane.faults.calls == ["Query"] * 7
    assert ["of three weeks ago"] in walked(plane, history, limit=20)


def test_history_ends_after_a_month(plane: DataPlane) -> None:
    written(plane, "of long ago", NOW - 40 * DAY)

    pages = walked(plane, plane.cold_start("history"), limit=20)

    assert [text for page in pages for text in page] == []


@pytest.mark.parametrize("limit", ["0", "101", "1000", "-1", "ten", "1.5", "", "٣", "9" * 5000])
def test_a_limit_out_of_range_is_refused(plane: DataPlane, limit: str) -> None:
    answer = plane.request(plane.cold_start("history"), asking(limit=limit))

    assert answer.status == 400
    assert answer.body["error"]["field"] == "limit"


def test_the_sample_with_a_limit_too_high_is_refused(plane: DataPlane) -> None:
    assert plane.request(plane.cold_start("history"), sample("api-history-bad-limit")).status == 400


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "W10", "é", "[" * 5000, "WyJ4IiwgbnVsbF0"])
def test_a_cursor_that_is_not_ours_is_refused(plane: DataPlane, cursor: str) -> None:
    answer = plane.request(plane.cold_start("history"), asking(cursor=cursor))

    assert answer.status == 400
    assert answer.body["error"]["field"] == "cursor"


def test_without_a_query_the_first_page_is_given(plane: DataPlane) -> None:
    event = sample("api-history")
    del event["queryStringParameters"]

    assert plane.request(plane.cold_start("history"), event).status == 200


@pytest.mark.parametrize("fault", [silent, says("ThrottlingException")])
def test_a_table_that_cannot_be_read_is_503_with_a_time_to_retry(
    plane: DataPlane, fault: Any
) -> None:
    plane.faults.strike("Query", fault)

    answer = plane.request(plane.cold_start("history"), sample("api-history"))

    assert answer.status == 503
    assert "Retry-After" in answer.headers
