"""The write ledger: every acknowledged write of another Region, once, for a week."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.aws.clients import client
from sidestep.aws.regional import RegionalTable
from sidestep.core.errors import InvalidInput, Unreachable
from sidestep.core.ledger import place
from sidestep.core.messages import Message, message_from, new_message
from tests.api.data_plane import (
    FAR,
    HERE,
    PEER,
    DataPlane,
    Handler,
    done_but_silent,
    metrics_in,
    sample,
    silent,
)

NOW_S = 1_795_435_202


@pytest.fixture
def region() -> str:
    """Where the sample event, of a write in eu-west-2, is heard."""
    return PEER


@pytest.fixture
def ledger(plane: DataPlane, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The ledger's handler."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ledger")
    return plane.cold_start("ledger")


def test_a_write_of_another_region_is_entered_as_it_was_written(
    plane: DataPlane, ledger: Handler
) -> None:
    event = sample("bus-message-written")

    entered = ledger(event)

    assert entered == {"entered": True}
    (entry,) = plane.items("regional")
    item = event["detail"]["item"]
    assert entry["pk"] == {"S": f"ledger#{HERE}"}
    assert entry["sk"] == {"S": f"{item['written_at']:013d}#{item['id']}"}
    assert entry["item"]["M"]["digest"] == {"S": item["digest"]}
    assert entry["item"]["M"]["version"] == {"N": str(item["version"])}
    assert entry["expires_at"] == {"N": str(NOW_S + 7 * 86_400)}


def test_an_event_that_comes_twice_is_one_entry_and_stays_as_it_was(
    plane: DataPlane, ledger: Handler
) -> None:
    ledger(sample("bus-message-written"))
    before = plane.items("regional")
    plane.clock.shift(60)

    again = ledger(sample("bus-message-written"))

    assert again == {"entered": False}
    assert plane.items("regional") == before


def test_this_regions_own_events_are_not_entered(plane: DataPlane, ledger: Handler) -> None:
    event = sample("bus-message-written")
    event["detail"]["region"] = event["detail"]["item"]["region"] = PEER

    assert ledger(event) == {"entered": False}
    assert plane.items("regional") == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"application": "another"}, id="another-application"),
        pytest.param({"region": FAR}, id="two-regions-at-once"),
        pytest.param({"item": {"id": "x"}}, id="half-an-item"),
        pytest.param({"item": None}, id="no-item"),
    ],
)
def test_an_event_that_cannot_be_read_fails_and_reaches_the_dead_letter_queue(
    plane: DataPlane, ledger: Handler, wrong: dict[str, Any]
) -> None:
    event = sample("bus-message-written")
    event["detail"] |= wrong

    with pytest.raises(InvalidInput):
        ledger(event)
    assert plane.items("regional") == []


def test_a_ledger_that_cannot_be_written_fails_so_that_lambda_tries_again(
    plane: DataPlane, ledger: Handler
) -> None:
    plane.faults.strike("PutItem", silent)

    with pytest.raises(Unreachable):
        ledger(sample("bus-message-written"))


def test_an_entry_whose_answer_was_lost_is_entered_once_by_the_next_try(
    plane: DataPlane, ledger: Handler
) -> None:
    plane.faults.strike("PutItem", done_but_silent)
    with pytest.raises(Unreachable):
        ledger(sample("bus-message-written"))
    plane.faults.mend()

    ledger(sample("bus-message-written"))

    assert len(plane.items("regional")) == 1


def test_entries_are_counted(ledger: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    ledger(sample("bus-message-written"))

    (document,) = metrics_in(capsys.readouterr().out)
    assert document["LedgerEntries"] == [1.0]
    assert document["service"] == "ledger"


def written(n: int, region: str = HERE) -> Message:
    return message_from(new_message(f"key {n} {region}", "ada", f"message {n}"), region, n)


@pytest.mark.usefixtures("plane")
def test_the_entries_of_a_lost_region_are_read_from_a_moment_on_oldest_first() -> None:
    table = RegionalTable(client("dynamodb", PEER), "sidestep-demo-regional")
    for n in (3000, 1000, 2000, 4000):
        table.enter(written(n), seen_at=n)
    table.enter(written(2500, PEER), seen_at=2500)

    assert [m.written_at for m in table.entries(HERE, place(2000))] == [2000, 3000, 4000]
    assert [m.written_at for m in table.entries(HERE, written(2000).history_sk)] == [3000, 4000]
    assert list(table.entries(PEER, place(0))) == [written(2500, PEER)]
