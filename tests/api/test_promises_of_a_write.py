"""What a 2xx promises, under everything that may go wrong between a client and two Regions.

Acknowledged means durable; every acknowledged write reaches the other Regions' ledgers; no
reader ever sees it twice. Held by the real handlers: write, reemit, ledger and history.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sidestep.aws.clients import client
from sidestep.aws.regional import RegionalTable
from sidestep.core.ledger import place
from sidestep.core.messages import message_id
from tests.api.conftest import a_plane
from tests.api.data_plane import (
    HERE,
    PEER,
    Answer,
    DataPlane,
    Fault,
    Handler,
    Killed,
    answers,
    done_but_silent,
    killed,
    posting,
    sample,
    says,
    silent,
    works,
)
from tests.api.test_unsent_events import queued

TEA = {"author": "ada", "text": "Tea at four?"}
COFFEE = {"author": "ada", "text": "Coffee at five?"}
REGIONAL = "sidestep-demo-regional"

NONE: Mapping[str, Fault] = {}


def done_then_killed(event_name: str, request: Any) -> Any:
    """The service does what it is asked; the environment is stopped before it hears so."""
    works(event_name, request)
    raise Killed


NOT_TAKEN = answers({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
TROUBLES: dict[str, Mapping[str, Fault]] = {
    "none": NONE,
    "the table throttles": {"PutItem": says("ThrottlingException")},
    "the table errs": {"PutItem": says("InternalServerError", 500)},
    "the table does not answer": {"PutItem": silent},
    "the put is done and its answer lost": {"PutItem": done_but_silent},
    "killed before the put": {"PutItem": killed},
    "killed between put and emit": {"PutItem": done_then_killed},
    "put done, the bus is down": {"PutEvents": silent},
    "put done, the bus throttles": {"PutEvents": says("ThrottlingException")},
    "put done, the bus refuses the entry in a 200": {"PutEvents": NOT_TAKEN},
    "emit done and its answer lost": {"PutEvents": done_but_silent},
    "emit done, killed before the caller heard": {"PutEvents": done_then_killed},
    "bus and queue are down": {"PutEvents": silent, "SendMessage": silent},
    "the bus is down, the queue's answer lost": {
        "PutEvents": silent,
        "SendMessage": done_but_silent,
    },
    "the bus is down, killed before the queue": {"PutEvents": silent, "SendMessage": killed},
}
"""What strikes the first request, by SDK call."""


class Pair:
    """A Region that takes writes, and another that keeps their ledger."""

    def __init__(self, plane: DataPlane, table: RegionalTable, ledger: Handler) -> None:
        self.plane, self.table, self.ledger = plane, table, ledger
        self.write, self.history, self.reemit = (
            plane.cold_start(name) for name in ("write", "history", "reemit")
        )

    def deliver(self) -> None:
        """Everything that waits comes to its end, each event twice: at least once is promised."""
        waiting = self.plane.unsent()
        if waiting:
            self.reemit(queued(*waiting))
        for detail in self.plane.heard():
            for _ in range(2):
                self.ledger({**sample("bus-message-written"), "detail": detail})


class Client:
    """One client, who writes under one idempotency key; and what becomes of its message."""

    def __init__(self, pair: Pair, key: str) -> None:
        self.pair, self.key, self.id = pair, key, message_id(key)
        self.acknowledged: list[dict[str, Any]] = []
        self.began_ms = int(time.time() * 1000)

    def send(self, body: dict[str, str], trouble: Mapping[str, Fault] = NONE) -> Answer | None:
        """A request; None: its environment was killed and no answer came."""
        plane = self.pair.plane
        for operation, fault in trouble.items():
            table = "sidestep-demo-data" if operation == "PutItem" else ""
            plane.faults.strike(operation, fault, table)
        try:
            answer = plane.request(self.pair.write, posting(body, key=self.key))
        except Killed:
            self.pair.write = plane.cold_start("write")
            return None
        finally:
            plane.faults.mend()
            plane.clock.shift(3)
        if answer.status in (200, 201):
            self.acknowledged.append(answer.body["message"])
        return answer

    def stored(self) -> list[str]:
        """Its texts in the table."""
        items = self.pair.plane.items("data")
        return [item["text"]["S"] for item in items if item["id"]["S"] == self.id]

    def waiting(self) -> int:
        """How many events the bus has taken or the queue keeps; they are taken out."""
        return len(self.pair.plane.heard()) + len(self.pair.plane.unsent())

    def entered(self) -> list[dict[str, Any]]:
        """Its messages in the other Region's ledger."""
        entries = self.pair.table.entries(HERE, place(self.began_ms))
        return [entry.to_dict() for entry in entries if entry.id == self.id]

    def read(self) -> list[dict[str, Any]]:
        """Its messages as a reader sees them: nothing is newer, and what is older is others'."""
        event = sample("api-history") | {"queryStringParameters": {"limit": "4"}}
        page = self.pair.plane.request(self.pair.history, event).body["items"]
        return [message for message in page if message["id"] == self.id]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Both Regions, for all tests: each writes under a key of its own."""
    keys = {"pk": "HASH", "sk": "RANGE"}
    with pytest.MonkeyPatch.context() as env, a_plane(HERE, env) as plane:
        dynamodb: Any = client("dynamodb", PEER)
        dynamodb.create_table(
            TableName=REGIONAL,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in keys.items()],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in keys],
        )
        with pytest.MonkeyPatch.context() as there:
            there.setenv("AWS_REGION", PEER)
            there.setenv("POWERTOOLS_SERVICE_NAME", "ledger")
            ledger = plane.cold_start("ledger")
        yield Pair(plane, RegionalTable(dynamodb, REGIONAL), ledger)


@pytest.fixture
def ada(pair: Pair, request: pytest.FixtureRequest) -> Client:
    """A client whom nothing has happened to yet."""
    pair.deliver()
    return Client(pair, key=message_id(request.node.name))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_acknowledged_means_durable_and_on_its_way_in_that_moment(
    ada: Client, trouble: str
) -> None:
    answer = ada.send(TEA, TROUBLES[trouble])

    if answer is not None and answer.status in (200, 201):
        assert ada.stored() == [TEA["text"]]
        assert ada.waiting() >= 1
    else:
        assert answer is None or (answer.status == 503 and "Retry-After" in answer.headers)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_write_is_read_once_and_in_the_ledger_once_however_often_it_is_sent(
    ada: Client, trouble: str
) -> None:
    """A client sends until it has heard a 2xx; one that has not heard it sends once more."""
    ada.send(TEA, TROUBLES[trouble])
    while not ada.acknowledged:
        assert ada.send(TEA) is not None
    ada.pair.deliver()
    (message,) = ada.read()
    assert message["text"] == TEA["text"]
    assert ada.entered() == [message]

    ada.send(TEA)
    ada.pair.deliver()

    assert ada.read() == ada.entered() == [message]
    assert all(told == message for told in ada.acknowledged)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_same_key_with_another_body_never_makes_a_second_message(
    ada: Client, trouble: str
) -> None:
    """Whichever was stored first stays; the other is told that the key is taken."""
    ada.send(TEA, TROUBLES[trouble])
    first_is_stored = bool(ada.stored())

    other, again = ada.send(COFFEE), ada.send(TEA)
    ada.pair.deliver()

    assert other is not None
    assert again is not None
    assert (other.status, again.status) == ((409, 200) if first_is_stored else (201, 409))
    (message,) = ada.read()
    assert message["text"] == (TEA if first_is_stored else COFFEE)["text"]
    assert ada.entered() == [message]
