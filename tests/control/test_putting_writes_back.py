"""What is missing somewhere is put back, once, and never over another write."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.errors import Refused
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane


def repair(plane: ControlPlane, claim: dict[str, Any]) -> dict[str, Any]:
    return plane.invoke("repair", claim=claim)


def test_a_missing_write_is_put_back_and_says_so(plane: ControlPlane) -> None:
    lost = plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    plane.drained()

    answer = repair(plane, plane.claim("back", kind="recovery"))

    held = plane.get("data", f"message#{lost.id}", "message", VIRGINIA)
    assert (answer["repaired"], answer["lost"], answer["more"]) == (1, 0, False)
    assert held is not None
    assert (held["text"], held["repaired_at"]) == (lost.text, plane.now)


def test_what_a_third_replica_lacks_is_put_into_it_though_the_acting_region_has_it(
    plane: ControlPlane,
) -> None:
    """London is gone and delivers it to nobody any more, and Virginia passes nothing on that was
    replicated to it."""
    short = plane.write("oregon-lacks-it", ledgers=(VIRGINIA,), replicas=(LONDON, VIRGINIA))
    claim = plane.let_out()
    plane.silent.add(("dynamodb", LONDON))

    answer = repair(plane, claim)

    held = plane.get("data", f"message#{short.id}", "message", OREGON)
    assert (answer["repaired"], answer["lost"], answer["complete"]) == (1, 0, True)
    assert held is not None
    assert (held["text"], held["repaired_at"]) == (short.text, plane.now)


def test_what_several_replicas_lack_is_put_into_one_of_them_here_if_it_may_be(
    plane: ControlPlane,
) -> None:
    """A replica sends on to all others what is put into it."""
    lost = plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    claim = plane.let_out()

    answer = repair(plane, claim)

    assert answer["repaired"] == 1
    assert plane.get("data", f"message#{lost.id}", "message", VIRGINIA) is not None
    assert plane.get("data", f"message#{lost.id}", "message", OREGON) is None


def test_a_return_puts_back_what_the_returning_regions_new_replica_lacks(
    plane: ControlPlane,
) -> None:
    lost = plane.write("one-key", ledgers=(OREGON,), replicas=(VIRGINIA, OREGON))
    plane.drained()

    answer = repair(plane, plane.claim("back", kind="recovery"))

    assert (answer["repaired"], answer["complete"]) == (1, True)
    assert plane.get("data", f"message#{lost.id}", "message", LONDON) is not None


def test_a_return_says_that_the_returning_regions_replica_could_not_be_read(
    plane: ControlPlane,
) -> None:
    lost = plane.write("one-key", ledgers=(OREGON,), replicas=(OREGON,))
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    plane.refusing["BatchGetItem", LONDON] = "AccessDeniedException"

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["unread"], answer["complete"]) == (1, [LONDON], False)
    assert plane.get("data", f"message#{lost.id}", "message", VIRGINIA) is not None


def test_a_replica_that_takes_no_put_is_said_and_the_others_are_repaired(
    plane: ControlPlane,
) -> None:
    plane.write("oregon-lacks-it", ledgers=(VIRGINIA,), replicas=(LONDON, VIRGINIA))
    here = plane.write("virginia-lacks-it", ledgers=(VIRGINIA,), replicas=(LONDON, OREGON))
    claim = plane.let_out()
    plane.refusing["PutItem", OREGON] = "AccessDeniedException"

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["lost"], answer["unread"]) == (1, 1, [OREGON])
    assert not answer["complete"]
    assert plane.get("data", f"message#{here.id}", "message", VIRGINIA) is not None


def test_a_repair_that_begins_anew_after_somebody_was_away_counts_on(plane: ControlPlane) -> None:
    plane.write("virginia-lacks-it", ledgers=(VIRGINIA,), replicas=(LONDON, OREGON))
    plane.write("oregon-lacks-it", ledgers=(VIRGINIA,), replicas=(LONDON, VIRGINIA))
    claim = plane.let_out()
    plane.refusing["PutItem", OREGON] = "AccessDeniedException"
    first = repair(plane, claim)
    plane.refusing.clear()

    second = plane.invoke("repair", claim=claim, so_far=first)

    assert (first["repaired"], first["lost"], first["complete"]) == (1, 1, False)
    assert (second["repaired"], second["lost"], second["complete"]) == (2, 0, True)


def test_repairing_twice_puts_back_once(plane: ControlPlane) -> None:
    plane.write("one-key", ledgers=(OREGON,), replicas=(LONDON, OREGON))
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    repair(plane, claim)

    assert repair(plane, claim)["repaired"] == 0


@pytest.mark.parametrize("later_ms", [-1, 0, 1])
def test_another_body_under_the_same_key_is_left_alone_and_listed(
    plane: ControlPlane, later_ms: int
) -> None:
    """Whichever clock called it the newer one: last writer wins goes by AWS's, not by ours."""
    ours = plane.write("one-key", ledgers=(OREGON,), replicas=(LONDON,))
    another = {
        **ours.to_dict(),
        "text": "another",
        "digest": "x",
        "version": ours.version + later_ms,
    }
    item = {"pk": f"message#{ours.id}", "sk": "message", **another}
    plane.put("data", item, VIRGINIA)
    plane.drained()

    answer = repair(plane, plane.claim("back", kind="recovery"))

    assert (answer["repaired"], answer["conflicts"], answer["lost"]) == (0, [ours.id], 0)
    assert plane.get("data", f"message#{ours.id}", "message", VIRGINIA) == item


def test_another_body_that_only_another_region_holds_yet_is_left_alone_and_listed(
    plane: ControlPlane,
) -> None:
    """What is put back here would reach it as the last write and win."""
    older = plane.write("one-key", ledgers=(OREGON,), replicas=(LONDON,))
    newer = {**older.to_dict(), "text": "another", "digest": "x", "version": older.version + 1}
    item = {"pk": f"message#{older.id}", "sk": "message", **newer}
    plane.put("data", item, OREGON)
    plane.drained()

    answer = repair(plane, plane.claim("back", kind="recovery"))

    assert (answer["repaired"], answer["conflicts"], answer["lost"]) == (0, [older.id], 0)
    assert plane.get("data", f"message#{older.id}", "message", VIRGINIA) is None


def test_what_another_region_holds_as_it_was_written_is_put_back_here_all_the_same(
    plane: ControlPlane,
) -> None:
    """Replicas do not pass on what was replicated to them."""
    plane.write("one-key", ledgers=(OREGON,), replicas=(LONDON, OREGON))
    plane.drained()

    answer = repair(plane, plane.claim("back", kind="recovery"))

    assert (answer["repaired"], answer["conflicts"], answer["lost"]) == (1, [], 0)


def test_nothing_is_put_back_while_a_serving_regions_replica_cannot_be_read(
    plane: ControlPlane,
) -> None:
    lost = plane.write("only-in-london", ledgers=(VIRGINIA,), replicas=(LONDON,))
    plane.drained()
    claim = plane.claim("back", kind="recovery")
    plane.silent.add(("dynamodb", OREGON))

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["lost"], answer["complete"]) == (0, 1, False)
    assert plane.get("data", f"message#{lost.id}", "message", VIRGINIA) is None


@pytest.mark.parametrize(("brought_to", "put_back"), [("RESTORING", 0), ("PROBATION", 0), ("", 1)])
def test_so_it_is_while_one_that_is_on_its_way_back_cannot_be_read(
    plane: ControlPlane, brought_to: str, put_back: int
) -> None:
    """Clients write there, too; to one that stays drained they do not."""
    lost = plane.write("only-in-london", ledgers=(VIRGINIA,), replicas=(LONDON,))
    plane.drained(OREGON, name="earlier")
    if brought_to:
        back = plane.claim("oregon-back", kind="recovery", region=OREGON)
        plane.invoke("gate", claim=back, action="restore")
        plane.record(back, "on its way", state=brought_to)
    claim = plane.let_out()
    plane.silent.add(("dynamodb", OREGON))

    answer = repair(plane, claim)

    held = plane.get("data", f"message#{lost.id}", "message", VIRGINIA) is not None
    assert (answer["repaired"], answer["complete"], held) == (put_back, False, put_back == 1)


def many(plane: ControlPlane, number: int) -> None:
    """Writes that only the drained Region holds, a millisecond apart."""
    for n in range(number):
        plane.write(f"write {n}", ledgers=(OREGON,), replicas=())
        plane.later(0.001)


def test_a_long_ledger_is_counted_and_repaired_a_stretch_at_a_time(plane: ControlPlane) -> None:
    many(plane, 1101)
    claim = plane.let_out()
    plane.calls.clear()

    counted = plane.invoke("assess", claim=claim)
    renewals = sum(name == "UpdateItem" for name, _ in plane.calls)
    answer = repair(plane, claim)

    assert (counted["count"], len(counted["keys"]), counted["more"]) == (1101, 100, False)
    assert renewals == 1 + 3  # from when on it counts, and one a stretch
    assert (answer["repaired"], answer["lost"], answer["complete"]) == (1101, 0, True)


@pytest.mark.parametrize(
    ("step", "told", "stretch"), [("assess", "count", 500), ("repair", "repaired", 100)]
)
def test_what_one_invocation_has_no_time_for_is_left_to_the_next(
    plane: ControlPlane, step: str, told: str, stretch: int
) -> None:
    many(plane, stretch + 1)
    claim = plane.let_out()
    plane.before["Query"] = lambda: plane.later(61)

    first = plane.invoke(step, claim=claim)
    second = plane.invoke(step, claim=claim, so_far=first)

    assert (first[told], first["more"], first["complete"]) == (stretch, True, False)
    assert (second[told], second["more"], second["complete"]) == (stretch + 1, False, True)
    assert second["began"] == first["began"] < plane.now


def test_a_ledger_that_was_unread_once_is_not_forgotten(plane: ControlPlane) -> None:
    many(plane, 501)
    claim = plane.let_out()
    plane.silent.add(("dynamodb", VIRGINIA))
    plane.before["Query"] = lambda: plane.later(61)
    first = plane.invoke("repair", OREGON, claim=claim)
    plane.silent.clear()

    second = plane.invoke("repair", OREGON, claim=claim, so_far=first)

    assert first["more"]
    assert (second["unread"], second["complete"]) == ([VIRGINIA], False)


def test_a_region_that_does_not_answer_is_asked_once_in_an_invocation(plane: ControlPlane) -> None:
    many(plane, 1001)
    claim = plane.let_out()
    plane.silent.add(("dynamodb", LONDON))  # lost for good
    plane.calls.clear()

    answer = repair(plane, claim)

    assert (answer["repaired"], answer["complete"]) == (1001, True)
    assert plane.calls.count(("BatchGetItem", LONDON)) == 2  # the SDK's two attempts


def test_the_drained_regions_replica_is_read_only_for_what_is_missing(plane: ControlPlane) -> None:
    plane.write("arrived", ledgers=(OREGON,), replicas=(LONDON, VIRGINIA, OREGON))
    claim = plane.let_out()
    plane.calls.clear()

    answer = repair(plane, claim)

    assert answer["complete"]
    assert {r for name, r in plane.calls if name == "BatchGetItem"} == {VIRGINIA, OREGON}


def test_a_failover_from_within_the_drained_region_puts_nothing_back_into_it(
    plane: ControlPlane,
) -> None:
    plane.write("only-in-london", ledgers=(OREGON,), replicas=(LONDON,))
    claim = plane.claim(here=LONDON)

    with pytest.raises(Refused, match="no place"):
        plane.invoke("repair", LONDON, claim=claim)
