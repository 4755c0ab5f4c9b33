"""What is put back from the ledger, what yields to a newer write, and how counts add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.ledger import Repaired, RepairPlan, at_risk, newest, plan_repair
from sidestep.core.messages import Message, message_from, new_message

LONDON, OREGON = "eu-west-2", "us-west-2"
OURS = message_from(new_message("a-key", "ada", "Tea at four?"), LONDON, 1000)
ANOTHER_BODY = message_from(new_message("a-key", "ada", "Coffee at five?"), OREGON, 1000)


def held(*messages: Message) -> dict[str, Message]:
    return {message.id: message for message in messages}


@pytest.mark.parametrize(
    ("here", "elsewhere", "plan"),
    [
        pytest.param(None, None, RepairPlan((OURS,), ()), id="nobody-has-it"),
        pytest.param(OURS, None, RepairPlan((), ()), id="it-has-arrived"),
        pytest.param(
            replace(ANOTHER_BODY, version=999), None, RepairPlan((OURS,), ()), id="older-here"
        ),
        pytest.param(
            replace(ANOTHER_BODY, version=1001), None, RepairPlan((), (OURS.id,)), id="newer-here"
        ),
        pytest.param(None, OURS, RepairPlan((OURS,), ()), id="the-same-elsewhere"),
        pytest.param(
            None,
            replace(ANOTHER_BODY, version=999),
            RepairPlan((OURS,), ()),
            id="older-elsewhere",
        ),
        pytest.param(
            None, ANOTHER_BODY, RepairPlan((), (OURS.id,)), id="another-elsewhere-at-the-same-ms"
        ),
        pytest.param(
            None,
            replace(ANOTHER_BODY, version=1001),
            RepairPlan((), (OURS.id,)),
            id="newer-elsewhere",
        ),
        pytest.param(
            replace(ANOTHER_BODY, version=999),
            replace(ANOTHER_BODY, version=1001),
            RepairPlan((), (OURS.id,)),
            id="older-here-newer-elsewhere",
        ),
    ],
)
def test_a_write_is_put_back_unless_another_as_new_is_anywhere(
    here: Message | None, elsewhere: Message | None, plan: RepairPlan
) -> None:
    found = plan_repair([OURS], held(*filter(None, [here])), held(*filter(None, [elsewhere])))

    assert found == plan


def test_the_newest_of_several_replicas_is_what_counts() -> None:
    newer = replace(ANOTHER_BODY, version=1001)

    assert newest([held(OURS), held(newer), {}]) == held(newer)


def test_all_writes_at_risk_are_counted_though_no_more_than_a_hundred_are_named() -> None:
    entries = [message_from(new_message(f"key {n}", "ada", "tea"), LONDON, n) for n in range(250)]

    found = at_risk(entries[:70], {}).plus(at_risk(entries[70:], {}, ["us-east-1"]))

    assert (found.count, len(found.keys), found.oldest_ms) == (250, 100, 0)
    assert found.unread == ("us-east-1",)


def test_stretches_of_the_ledger_add_up() -> None:
    first = Repaired(2, ("a",), 1, 0, (LONDON,))
    later = Repaired(3, tuple(f"b{n}" for n in range(100)), 120, 4, (OREGON, LONDON))

    both = first.plus(later)

    assert (both.repaired, both.conflicting, both.lost) == (5, 121, 4)
    assert (len(both.conflicts), both.conflicts[0]) == (100, "a")
    assert both.unread == (LONDON, OREGON)
