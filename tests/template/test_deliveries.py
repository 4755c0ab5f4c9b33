"""Events, queues and streams: what has been accepted reaches its reader, or a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.template.one_stack import Stack

HERE = "eu-west-2"
STREAM = f"arn:aws:dynamodb:{HERE}:111122223333:table/sidestep-demo-data/stream/2026"
FIVE = ("us-east-1", "us-west-2", "ap-northeast-1", "eu-west-1", "eu-central-1")
FORTNIGHT_S = 14 * 24 * 3600
"""The longest that SQS keeps a message."""


def made(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = Stack(HERE, DataTableStreamArn=STREAM).resources[name][
        "Properties"
    ]
    return properties


def test_the_archive_keeps_every_event_of_the_bus_for_a_month() -> None:
    archive = made("Archive")
    assert (archive["SourceArn"], archive["RetentionDays"]) == ("<Bus.Arn>", 30)
    assert "EventPattern" not in archive


@pytest.mark.parametrize("name", ["Forward1", "Forward2", "Forward3", "Forward4", "Forward5"])
def test_only_accepted_writes_are_forwarded_from_our_bus_by_a_role_of_its_own(name: str) -> None:
    here = "us-west-2" if name == "Forward1" else "us-east-1"
    rule = Stack(here, FIVE).resources[name]["Properties"]
    assert rule["EventBusName"] == "<Bus>"
    assert rule["EventPattern"] == {
        "source": ["sidestep.api"],
        "detail-type": ["MessageWritten"],
        "detail": {"region": [here]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"].endswith(":111122223333:event-bus/sidestep-demo")
    assert target["RoleArn"] == "<ForwardRole.Arn>"
    assert target["DeadLetterConfig"] == {"Arn": "<DeadLetters.Arn>"}


def test_what_other_regions_wrote_reaches_the_ledger_or_the_dead_letters() -> None:
    rule, may = made("LedgerFunctionWritten"), made("LedgerFunctionWrittenPermission")
    (target,) = rule["Targets"]
    assert (rule["EventBusName"], rule["EventPattern"]["detail-type"]) == (
        "<Bus>",
        ["MessageWritten"],
    )
    assert target["Arn"] == "<LedgerFunction.Arn>"
    assert target["DeadLetterConfig"] == {"Arn": "<DeadLetters.Arn>"}
    assert (may["FunctionName"], may["Principal"]) == ("<LedgerFunction>", "events.amazonaws.com")
    assert may["SourceArn"] == "<LedgerFunctionWritten.Arn>"


@pytest.mark.parametrize("queue", ["UnsentEvents", "DeadLetters"])
def test_a_queue_keeps_for_as_long_as_it_can_and_encrypts(queue: str) -> None:
    assert made(queue)["MessageRetentionPeriod"] == FORTNIGHT_S
    assert made(queue)["SqsManagedSseEnabled"] is True


def test_an_unsent_event_is_tried_for_days_and_then_kept_for_people() -> None:
    queue = made("UnsentEvents")
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "<DeadLetters.Arn>"
    # 1000 receives are the most that SQS takes.
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 1000
    assert 1000 * queue["VisibilityTimeout"] > 4 * 24 * 3600
    assert made("ReemitUnsent")["EventSourceArn"] == "<UnsentEvents.Arn>"
    assert made("ReemitUnsent")["FunctionName"] == "<ReemitFunction>"


def test_arrivals_are_read_from_now_on_and_a_batch_given_up_is_told() -> None:
    mapping = made("ReplicatedArrivals")
    assert (mapping["EventSourceArn"], mapping["FunctionName"]) == (STREAM, "<ReplicatedFunction>")
    assert mapping["StartingPosition"] == "LATEST"
    # Lag is measured on arrival: waiting for a fuller batch would add to it.
    assert mapping["MaximumBatchingWindowInSeconds"] <= 1
    assert mapping["MaximumRetryAttempts"] == 3
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "<DeadLetters.Arn>"}}


def test_people_hear_of_alarms_and_workflows_by_one_topic_and_by_email_if_they_like() -> None:
    stack = Stack(HERE, AlertEmail="on-call@example.com")
    assert stack.resources["Alerts"]["Properties"]["TopicName"] == "sidestep-demo-alerts"
    assert stack.resources["AlertsByEmail"]["Properties"] == {
        "TopicArn": "<Alerts>",
        "Protocol": "email",
        "Endpoint": "on-call@example.com",
    }
