"""Writing a message: what is acknowledged is stored and told, whatever fails on the way."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sidestep.aws.messages import item_of
from sidestep.core.messages import message_from, new_message
from tests.api.data_plane import (
    HERE,
    PEER,
    DataPlane,
    Killed,
    answers,
    done_but_silent,
    killed,
    metrics_in,
    posting,
    sample,
    says,
    silent,
    works,
)

TEA = {"author": "ada", "text": "Tea at four?"}


def stored(plane: DataPlane) -> list[str]:
    return [item["text"]["S"] for item in plane.items("data")]


def test_a_new_message_is_stored_told_and_answered_201(plane: DataPlane) -> None:
    write = plane.cold_start("write")

    answer = plane.request(write, sample("api-write"))

    assert answer.status == 201
    assert answer.body["served_by"] == HERE
    assert answer.body["message"]["region"] == HERE
    assert stored(plane) == ["Tea at four?"]
    (event,) = plane.heard()
    assert event == {"application": "demo", "region": HERE, "item": answer.body["message"]}
    assert plane.unsent() == []


def test_the_stored_item_has_every_attribute_of_the_contract(plane: DataPlane) -> None:
    plane.request(plane.cold_start("write"), posting(TEA, key="a-key"))

    (item,) = plane.items("data")

    assert set(item) == {
        *("pk", "sk", "id", "author", "text", "digest", "region", "written_at", "version"),
        *("history_pk", "history_sk"),
    }
    identity = hashlib.sha256(b"a-key").hexdigest()[:32]
    assert item["pk"] == {"S": f"message#{identity}"}
    assert item["history_pk"] == {"S": "history#2026-11-23"}
    assert item["history_sk"] == {"S": f"1795435202637#{identity}"}
    assert item["version"] == item["written_at"] == {"N": "1795435202637"}


def test_a_body_that_came_as_base64_is_stored_as_it_was_meant(plane: DataPlane) -> None:
    answer = plane.request(plane.cold_start("write"), sample("api-write-base64"))

    assert answer.status == 201
    assert stored(plane) == ["Thé à quatre heures ? ☕"]


def test_the_same_request_again_gives_the_same_message_with_200(plane: DataPlane) -> None:
    write = plane.cold_start("write")
    first = plane.request(write, sample("api-write"))
    plane.clock.shift(30)

    again = plane.request(write, sample("api-write"))

    assert again.status == 200
    assert again.body["message"] == first.body["message"]
    assert stored(plane) == ["Tea at four?"]


def test_a_retry_is_told_again_because_nobody_knows_whether_it_was(plane: DataPlane) -> None:
    write = plane.cold_start("write")
    plane.request(write, sample("api-write"))
    first = plane.heard()
    plane.clock.shift(30)

    plane.request(write, sample("api-write"))

    assert plane.heard() == first


def test_a_retry_of_a_message_that_replication_brought_is_told_as_its_own_regions(
    plane: DataPlane,
) -> None:
    theirs = message_from(new_message("a-key", "ada", "Tea at four?"), PEER, 1_795_435_200_000)
    plane.put("data", item_of(theirs))

    answer = plane.request(plane.cold_start("write"), posting(TEA, key="a-key"))

    assert answer.status == 200
    assert answer.body["message"]["region"] == PEER
    assert [event["region"] for event in plane.heard()] == [PEER]


def test_the_same_key_with_another_body_is_409_and_changes_nothing(plane: DataPlane) -> None:
    write = plane.cold_start("write")
    plane.request(write, sample("api-write"))
    plane.heard()

    answer = plane.request(write, sample("api-write-other-body"))

    assert answer.status == 409
    assert answer.body["error"]["code"] == "key_reused"
    assert answer.body["error"]["field"] == "Idempotency-Key"
    assert stored(plane) == ["Tea at four?"]
    assert plane.heard() == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(says("ProvisionedThroughputExceededException"), id="throttled"),
        pytest.param(says("ThrottlingException"), id="throttled-on-demand"),
        pytest.param(says("InternalServerError", 500), id="erring"),
        pytest.param(says("ReplicatedWriteConflictException"), id="in-conflict"),
        pytest.param(says("AccessDeniedException"), id="denied"),
        pytest.param(says("ResourceNotFoundException"), id="gone"),
        pytest.param(silent, id="unreachable"),
    ],
)
def test_a_table_that_takes_no_write_is_503_with_a_time_to_retry(
    plane: DataPlane, fault: Any
) -> None:
    plane.faults.strike("PutItem", fault)

    answer = plane.request(plane.cold_start("write"), sample("api-write"))

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.body["error"]["code"] == "unavailable"
    assert stored(plane) == []
    assert plane.heard() == []


def test_a_throttle_that_passes_is_not_seen_by_the_client(plane: DataPlane) -> None:
    fail_once = iter([says("ThrottlingException")])
    plane.faults.strike("PutItem", lambda name, request: next(fail_once, works)(name, request))

    answer = plane.request(plane.cold_start("write"), sample("api-write"))

    assert answer.status == 201


def test_a_put_whose_answer_was_lost_once_is_a_plain_201(plane: DataPlane) -> None:
    lose_once = iter([done_but_silent])
    plane.faults.strike("PutItem", lambda name, request: next(lose_once, works)(name, request))

    answer = plane.request(plane.cold_start("write"), sample("api-write"))

    assert answer.status == 201
    assert len(plane.heard()) == 1


def test_a_put_that_timed_out_after_it_was_applied_is_503_then_200_to_the_retry(
    plane: DataPlane,
) -> None:
    plane.faults.strike("PutItem", done_but_silent)
    write = plane.cold_start("write")
    unsure = plane.request(write, sample("api-write"))
    plane.faults.mend()
    plane.clock.shift(2)

    retried = plane.request(write, sample("api-write"))

    assert (unsure.status, retried.status) == (503, 200)
    assert stored(plane) == ["Tea at four?"]
    assert len(plane.heard()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(silent, id="unreachable"),
        pytest.param(says("ThrottlingException"), id="throttled"),
        pytest.param(says("InternalFailure", 500), id="erring"),
        pytest.param(
            answers(
                {
                    "FailedEntryCount": 1,
                    "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "no"}],
                }
            ),
            id="200-with-the-entry-failed",
        ),
    ],
)
def test_an_event_that_the_bus_does_not_take_is_queued_and_the_write_acknowledged(
    plane: DataPlane, fault: Any
) -> None:
    plane.faults.strike("PutEvents", fault)

    answer = plane.request(plane.cold_start("write"), sample("api-write"))

    assert answer.status == 201
    assert plane.heard() == []
    assert len(plane.unsent()) == 1


def test_an_event_that_neither_bus_nor_queue_takes_leaves_the_write_unacknowledged(
    plane: DataPlane,
) -> None:
    plane.faults.strike("PutEvents", silent)
    plane.faults.strike("SendMessage", silent)
    write = plane.cold_start("write")
    refused = plane.request(write, sample("api-write"))
    plane.faults.mend()

    retried = plane.request(write, sample("api-write"))

    assert refused.status == 503
    assert "Retry-After" in refused.headers
    assert retried.status in (200, 201)
    assert len(plane.heard()) == 1


def test_an_event_that_was_taken_though_its_answer_was_lost_is_told_twice_not_never(
    plane: DataPlane,
) -> None:
    plane.faults.strike("PutEvents", done_but_silent)

    answer = plane.request(plane.cold_start("write"), sample("api-write"))

    assert answer.status == 201
    assert len(plane.heard()) == 1
    assert len(plane.unsent()) == 1


def test_a_lambda_killed_between_put_and_emit_is_made_good_by_the_retry(plane: DataPlane) -> None:
    plane.faults.strike("PutEvents", killed)
    with pytest.raises(Killed):
        plane.cold_start("write")(sample("api-write"))
    assert stored(plane) == ["Tea at four?"]
    assert plane.heard() == []
    plane.faults.mend()
    plane.clock.shift(5)

    retried = plane.request(plane.cold_start("write"), sample("api-write"))

    assert retried.status == 200
    assert [event["item"]["text"] for event in plane.heard()] == ["Tea at four?"]


def test_a_request_that_the_table_calls_malformed_is_a_bug_and_not_a_503(plane: DataPlane) -> None:
    plane.faults.strike("PutItem", says("ValidationException"))

    with pytest.raises(Exception, match="ValidationException"):
        plane.cold_start("write")(sample("api-write"))


@pytest.mark.parametrize(
    ("operation", "fault", "counted"),
    [
        (None, None, {"Writes": 1, "WriteErrors": 0, "WriteThrottles": 0, "EventsUnsent": 0}),
        ("PutItem", silent, {"Writes": 0, "WriteErrors": 1, "WriteThrottles": 0}),
        ("PutItem", says("ThrottlingException"), {"WriteErrors": 1, "WriteThrottles": 1}),
        ("PutEvents", silent, {"Writes": 1, "WriteErrors": 0, "EventsUnsent": 1}),
    ],
)
def test_every_request_is_counted_for_what_it_was(
    plane: DataPlane,
    capsys: pytest.CaptureFixture[str],
    operation: str | None,
    fault: Any,
    counted: dict[str, int],
) -> None:
    if operation:
        plane.faults.strike(operation, fault)

    plane.cold_start("write")(sample("api-write"))

    (document,) = metrics_in(capsys.readouterr().out)
    assert {name: document[name][0] for name in counted} == counted
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert document["service"] == "write"
    assert len(document["WriteLatency"]) == 1


def test_two_environments_in_one_process_do_not_mix_their_metrics(
    plane: DataPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = plane.cold_start("write"), plane.cold_start("write")
    plane.faults.strike("PutEvents", killed)
    with pytest.raises(Killed):
        one(sample("api-write"))
    plane.faults.mend()
    capsys.readouterr()

    other(posting(TEA, key="another-key"))

    (document,) = metrics_in(capsys.readouterr().out)
    assert document["Writes"] == [1.0]


def test_two_environments_that_overlap_in_one_process_do_not_mix_their_requests(
    plane: DataPlane,
) -> None:
    one, other = plane.cold_start("write"), plane.cold_start("write")
    meanwhile: list[Any] = []

    def other_runs_first(event_name: str, request: Any) -> Any:
        plane.faults.mend()
        meanwhile.append(plane.request(other, posting({**TEA, "author": "grace"}, key="hers")))
        return works(event_name, request)

    plane.faults.strike("PutItem", other_runs_first)

    answer = plane.request(one, posting(TEA, key="his"))

    assert answer.body["message"]["author"] == "ada"
    assert meanwhile[0].body["message"]["author"] == "grace"
    assert (answer.status, meanwhile[0].status) == (201, 201)
