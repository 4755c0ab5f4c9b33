"""A Region is gone, a write of it has come to one replica and not to another, no ledger has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sidestep.aws.messages import item_of
from sidestep.aws.replica_history import ReplicaHistory
from sidestep.aws.write_ledger import PAGES, Span, WriteLedger
from sidestep.core.ledger import place
from sidestep.core.messages import MAX_TEXT_BYTES, Message, message_from, new_message
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane

HOUR_S, DAY_S = 3600, 86_400
BEFORE_MIDNIGHT = datetime(2026, 11, 23, 23, 59, 58, tzinfo=UTC)


def holds(plane: ControlPlane, region: str, message: Message) -> bool:
    return plane.get("data", f"message#{message.id}", "message", region) is not None


def put(plane: ControlPlane, region: str, message: Message) -> None:
    plane.dynamodb[region].put_item(TableName="sidestep-demo-data", Item=item_of(message))


@pytest.mark.parametrize(("one", "other"), [(VIRGINIA, OREGON), (OREGON, VIRGINIA)])
def test_what_one_survivor_has_and_another_lacks_is_counted_and_put_back(
    plane: ControlPlane, one: str, other: str
) -> None:
    short = plane.write("in-flight", ledgers=(), replicas=(LONDON, one))
    claim = plane.let_out()
    plane.silent.add(("dynamodb", LONDON))

    counted = plane.invoke("assess", claim=claim)
    answer = plane.invoke("repair", claim=claim)

    assert (counted["keys"], counted["complete"]) == ([short.id], True)
    assert (answer["repaired"], answer["lost"], answer["complete"]) == (1, 0, True)
    assert holds(plane, other, short)


def test_what_a_ledger_has_too_is_counted_and_put_back_once(plane: ControlPlane) -> None:
    plane.write("known", ledgers=(VIRGINIA, OREGON), replicas=(LONDON, VIRGINIA))
    claim = plane.let_out()

    assert plane.invoke("assess", claim=claim)["count"] == 1
    assert plane.invoke("repair", claim=claim)["repaired"] == 1


def test_a_midnight_in_between_makes_no_difference(plane: ControlPlane) -> None:
    """The history index has a partition a day."""
    plane.clock.move_to(BEFORE_MIDNIGHT)
    old = plane.write("yesterday", ledgers=(), replicas=(VIRGINIA,))
    plane.later(4)
    new = plane.write("today", ledgers=(), replicas=(OREGON,))
    claim = plane.let_out()

    counted = plane.invoke("assess", claim=claim)
    answer = plane.invoke("repair", claim=claim)

    assert (counted["keys"], answer["repaired"]) == ([old.id, new.id], 2)
    assert holds(plane, OREGON, old)
    assert holds(plane, VIRGINIA, new)


def test_a_write_by_a_clock_that_is_ahead_is_found_even_so(plane: ControlPlane) -> None:
    plane.later(20)
    plane.write("ahead", ledgers=(), replicas=(VIRGINIA,))
    plane.later(-20)

    assert plane.invoke("assess", claim=plane.let_out())["count"] == 1


def test_another_regions_writes_are_left_alone(plane: ControlPlane) -> None:
    """Oregon serves on, and delivers it by itself."""
    theirs = message_from(new_message("theirs", "ada", "tea"), OREGON, plane.now)
    put(plane, OREGON, theirs)
    claim = plane.let_out()

    counted = plane.invoke("assess", claim=claim)
    answer = plane.invoke("repair", claim=claim)

    assert (counted["count"], answer["repaired"]) == (0, 0)
    assert not holds(plane, VIRGINIA, theirs)


def test_another_body_in_the_other_replica_is_a_conflict_and_stays(plane: ControlPlane) -> None:
    ours = plane.write("one-key", ledgers=(), replicas=(VIRGINIA,))
    put(plane, OREGON, message_from(new_message("one-key", "ada", "another"), OREGON, plane.now))
    claim = plane.let_out()

    counted = plane.invoke("assess", claim=claim)
    answer = plane.invoke("repair", claim=claim)

    assert (counted["count"], answer["repaired"], answer["conflicts"]) == (0, 0, [ours.id])


def test_a_replica_whose_history_cannot_be_read_is_said_and_asked_once(
    plane: ControlPlane,
) -> None:
    plane.write("in-flight", ledgers=(), replicas=(OREGON,))
    for n in range(501):
        plane.write(f"write {n}", ledgers=(VIRGINIA,), replicas=())
        plane.later(0.001)
    claim = plane.let_out()
    plane.refusing["QueryIndex", OREGON] = "AccessDeniedException"
    plane.calls.clear()

    counted = plane.invoke("assess", claim=claim)
    answer = plane.invoke("repair", claim=claim)

    assert (counted["count"], counted["unread"], counted["complete"]) == (501, [OREGON], False)
    assert (answer["repaired"], answer["unread"], answer["complete"]) == (501, [OREGON], False)
    assert plane.calls.count(("QueryIndex", OREGON)) == 2  # by each step once, in many stretches


def test_a_replica_that_did_not_answer_is_not_asked_for_its_history_too(
    plane: ControlPlane,
) -> None:
    claim = plane.let_out()
    plane.silent.add(("dynamodb", OREGON))
    plane.calls.clear()

    counted = plane.invoke("assess", claim=claim)

    assert (counted["unread"], counted["complete"]) == ([OREGON], False)
    assert ("QueryIndex", OREGON) not in plane.calls


@pytest.mark.parametrize(("step", "told"), [("assess", "count"), ("repair", "repaired")])
def test_a_history_of_several_pages_is_gone_through_once(
    plane: ControlPlane, step: str, told: str
) -> None:
    """A page is 1 MB, and has more than a stretch of a repair."""
    for n in range(250):
        text = f"{n}".ljust(MAX_TEXT_BYTES, ".")
        put(plane, OREGON, message_from(new_message(text[:20], "ada", text), LONDON, plane.now))
        plane.later(0.001)
    claim = plane.let_out()
    plane.calls.clear()

    answer = plane.invoke(step, claim=claim)

    assert (answer[told], answer["complete"]) == (250, True)
    assert plane.calls.count(("QueryIndex", OREGON)) == 2


class Pages:
    """A table whose index answers these pages: each with a write, or with none of the Region's."""

    def __init__(self, *pages: Message | None) -> None:
        self._pages = pages
        self.asked = 0

    def query(self, ExclusiveStartKey: Any = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        """The page after a key, which says how far this one goes."""
        at = int(ExclusiveStartKey["history_sk"]["S"]) if ExclusiveStartKey else 0
        self.asked += 1
        written = self._pages[at]
        more = {"LastEvaluatedKey": {"history_sk": {"S": place(at + 1)}}}
        return {
            "Items": [item_of(written)] if written else [],
            **(more if at + 1 < len(self._pages) else {}),
        }


def found_in(table: Pages) -> Iterator[tuple[tuple[Message, ...], str | None]]:
    """The stretches of a replica's history."""
    ledger = WriteLedger({}, {OREGON: ReplicaHistory(table, "data")})
    for part in ledger.stretches(LONDON, Span(place(0), place(1000), (OREGON,)), 100):
        yield part.entries, part.end


def test_a_stretch_ends_after_some_pages_though_they_have_no_write_of_the_region() -> None:
    """The lease is renewed between stretches: none may go on for minutes."""
    last = message_from(new_message("last", "ada", "tea"), LONDON, PAGES + 1)
    table = Pages(*[None] * PAGES, last)

    parts = found_in(table)

    assert next(parts) == ((), place(PAGES))
    assert table.asked == PAGES
    assert list(parts) == [((last,), None)]
    assert table.asked == PAGES + 1


def test_with_two_regions_no_history_is_read(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one survivor has nobody to be compared with."""
    monkeypatch.setenv("SIDESTEP_REGIONS", f"{LONDON},{VIRGINIA}")
    plane.write("in-flight", ledgers=(), replicas=(VIRGINIA,))
    claim = plane.let_out()
    plane.calls.clear()

    counted = plane.invoke("assess", claim=claim)
    answer = plane.invoke("repair", claim=claim)

    assert (counted["count"], answer["repaired"]) == (0, 0)
    assert not [region for name, region in plane.calls if name == "QueryIndex"]


def test_a_return_looks_again_and_does_not_ask_the_returning_regions_history(
    plane: ControlPlane,
) -> None:
    short = plane.write("in-flight", ledgers=(), replicas=(LONDON, VIRGINIA))
    plane.drained()
    plane.later(3 * DAY_S)
    claim = plane.claim("back", kind="recovery")
    plane.calls.clear()

    answer = plane.invoke("repair", claim=claim)

    assert (answer["repaired"], answer["complete"]) == (1, True)
    assert holds(plane, OREGON, short)
    assert {r for name, r in plane.calls if name == "QueryIndex"} == {VIRGINIA, OREGON}


@pytest.mark.parametrize(("later_s", "repaired"), [(HOUR_S - 60, 1), (HOUR_S + 60, 0)])
def test_a_return_reads_histories_up_to_an_hour_after_the_drain(
    plane: ControlPlane, later_s: int, repaired: int
) -> None:
    """They are of all Regions' writes: a Region that is out for days would have days read."""
    plane.drained()
    plane.later(later_s)
    plane.write("by-a-client-that-still-came", ledgers=(), replicas=(VIRGINIA,))
    plane.later(3 * DAY_S)

    answer = plane.invoke("repair", claim=plane.claim("back", kind="recovery"))

    assert answer["repaired"] == repaired


def long_ago(plane: ControlPlane) -> Message:
    """A write of days ago that Oregon lacks."""
    old = plane.write("days-ago", ledgers=(VIRGINIA,), replicas=(LONDON, VIRGINIA))
    plane.later(3 * DAY_S)
    return old


def heard(*replicas: str) -> Callable[[ControlPlane], None]:
    def beat(plane: ControlPlane) -> None:
        for replica in replicas:
            plane.beat(LONDON, replica, plane.now)

    return beat


@pytest.mark.parametrize(
    ("beat", "count"),
    [
        pytest.param(heard(VIRGINIA), 1, id="one-that-never-heard-of-it-has-nothing-of-it"),
        pytest.param(heard(VIRGINIA, OREGON), 0, id="both-have-heard-just-now"),
        pytest.param(heard(), 0, id="its-observer-never-spoke"),
    ],
)
def test_the_count_reaches_back_all_the_way_where_only_one_replica_never_heard_of_the_region(
    plane: ControlPlane, beat: Callable[[ControlPlane], None], count: int
) -> None:
    long_ago(plane)
    beat(plane)

    assert plane.invoke("assess", claim=plane.let_out())["count"] == count
