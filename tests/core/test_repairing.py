"""What is put back from the ledger and where, what yields to another, and how counts add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.ledger import Repaired, RepairPlan, at_risk, plan_repair
from sidestep.core.messages import Message, message_from, new_message

LONDON, VIRGINIA, OREGON = "eu-west-2", "us-east-1", "us-west-2"
OURS = message_from(new_message("a-key", "ada", "Tea at four?"), LONDON, 1000)
ANOTHER_BODY = message_from(new_message("a-key", "ada", "Coffee at five?"), OREGON, 1000)


def held(*messages: Message) -> dict[str, Message]:
    return {message.id: message for message in messages}


@pytest.mark.parametrize(
    ("virginia", "oregon", "plan"),
    [
        pytest.param(None, None, RepairPlan(((VIRGINIA, OURS),), ()), id="nobody-has-it"),
        pytest.param(OURS, OURS, RepairPlan((), ()), id="it-has-arrived"),
        pytest.param(OURS, None, RepairPlan(((OREGON, OURS),), ()), id="a-third-lacks-it"),
        pytest.param(None, OURS, RepairPlan(((VIRGINIA, OURS),), ()), id="the-first-lacks-it"),
        pytest.param(OURS, ANOTHER_BODY, RepairPlan((), (OURS.id,)), id="another-in-a-third"),
        pytest.param(None, ANOTHER_BODY, RepairPlan((), (OURS.id,)), id="another-and-nothing"),
        pytest.param(
            replace(ANOTHER_BODY, version=999),
            None,
            RepairPlan((), (OURS.id,)),
            id="another-of-a-clock-that-is-behind",
        ),
        pytest.param(
            replace(OURS, region=OREGON, version=999),
            None,
            RepairPlan(((OREGON, OURS),), ()),
            id="the-same-body-accepted-elsewhere-first",
        ),
    ],
)
def test_a_write_is_put_back_where_nothing_is_unless_another_is_anywhere(
    virginia: Message | None, oregon: Message | None, plan: RepairPlan
) -> None:
    replicas = {VIRGINIA: held(*filter(None, [virginia])), OREGON: held(*filter(None, [oregon]))}

    assert plan_repair([OURS], replicas) == plan


def test_another_body_that_the_drained_region_holds_is_not_written_over_either() -> None:
    plan = plan_repair([OURS], {VIRGINIA: {}}, [held(ANOTHER_BODY)])

    assert plan == RepairPlan((), (OURS.id,))


def test_what_any_replica_lacks_is_at_risk_and_counted_once() -> None:
    late = message_from(new_message("late", "ada", "tea"), LONDON, 2000)

    found = at_risk([OURS, late], [held(OURS), held(late), {}])

    assert (found.count, found.keys, found.oldest_ms) == (2, (OURS.id, late.id), 1000)


def test_all_writes_at_risk_are_counted_though_no_more_than_a_hundred_are_named() -> None:
    entries = [message_from(new_message(f"key {n}", "ada", "tea"), LONDON, n) for n in range(250)]

    found = at_risk(entries[:70], [{}]).plus(at_risk(entries[70:], [{}], [VIRGINIA]))

    assert (found.count, len(found.keys), found.oldest_ms) == (250, 100, 0)
    assert found.unread == (VIRGINIA,)


def test_stretches_of_the_ledger_add_up() -> None:
    first = Repaired(2, ("a",), 1, 0, (LONDON,))
    later = Repaired(3, tuple(f"b{n}" for n in range(100)), 120, 4, (OREGON, LONDON))

    both = first.plus(later)

    assert (both.repaired, both.conflicting, both.lost) == (5, 121, 4)
    assert (len(both.conflicts), both.conflicts[0]) == (100, "a")
    assert both.unread == (LONDON, OREGON)


def test_what_a_replica_holds_in_another_version_is_no_more_at_risk_than_it_is_put_back() -> None:
    another = held(replace(ANOTHER_BODY, version=999))

    assert at_risk([OURS], [another]).count == 0
    assert plan_repair([OURS], {VIRGINIA: another}).put == ()
