"""Events that the bus did not take: emitted again from the queue until it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from tests.api.data_plane import DataPlane, answers, posting, sample, silent, works

TEA = {"author": "ada", "text": "Tea at four?"}


def queued(*bodies: str) -> dict[str, Any]:
    """What Lambda receives of the queue when these bodies are in it."""
    (record,) = sample("queue-unsent-event")["Records"]
    return {
        "Records": [
            record | {"messageId": f"message-{n}", "body": body} for n, body in enumerate(bodies)
        ]
    }


def unsent_bodies(plane: DataPlane, count: int) -> list[str]:
    """The queue after as many writes while the bus was down."""
    plane.faults.strike("PutEvents", silent)
    write = plane.cold_start("write")
    for n in range(count):
        plane.request(write, posting(TEA, key=f"key {n}"))
    plane.faults.mend()
    return plane.unsent()


def test_a_sample_event_is_emitted_again(plane: DataPlane) -> None:
    event = sample("queue-unsent-event")

    response = plane.cold_start("reemit")(event)

    assert response == {"batchItemFailures": []}
    assert plane.heard() == [json.loads(event["Records"][0]["body"])]


def test_what_was_written_while_the_bus_was_down_is_told_when_it_is_back(plane: DataPlane) -> None:
    bodies = unsent_bodies(plane, 3)

    plane.cold_start("reemit")(queued(*bodies))

    told = [event["item"]["id"] for event in plane.heard()]
    assert sorted(told) == sorted(item["id"]["S"] for item in plane.items("data"))


def test_only_what_failed_goes_back_to_the_queue(plane: DataPlane) -> None:
    good, other = unsent_bodies(plane, 2)

    response = plane.cold_start("reemit")(queued(good, "not an event", other))

    assert response == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert len(plane.heard()) == 2


def test_an_entry_that_the_bus_refuses_goes_back_to_the_queue(plane: DataPlane) -> None:
    bodies = unsent_bodies(plane, 2)
    refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    refuse_once = iter([answers(refusal)])
    plane.faults.strike("PutEvents", lambda *call: next(refuse_once, works)(*call))

    response = plane.cold_start("reemit")(queued(*bodies))

    assert response == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(plane.heard()) == 1


def test_a_batch_that_fails_whole_is_a_failed_invocation_that_can_be_seen(
    plane: DataPlane,
) -> None:
    bodies = unsent_bodies(plane, 2)
    plane.faults.strike("PutEvents", silent)

    with pytest.raises(BatchProcessingError):
        plane.cold_start("reemit")(queued(*bodies))


def test_a_batch_after_a_failed_one_starts_clean(plane: DataPlane) -> None:
    (body,) = unsent_bodies(plane, 1)
    reemit = plane.cold_start("reemit")
    plane.faults.strike("PutEvents", silent)
    with pytest.raises(BatchProcessingError):
        reemit(queued(body))
    plane.faults.mend()

    assert reemit(queued(body)) == {"batchItemFailures": []}
