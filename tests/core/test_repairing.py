"""What is put back from the ledger, what yields to a newer write, and when repairing ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.ledger import RepairPlan, at_risk, goes_on, newest, plan_repair
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

    found = at_risk(entries, {}, complete=True)

    assert (found.count, len(found.keys), found.oldest_ms) == (250, 100, 0)


@pytest.mark.parametrize(
    ("due", "put", "again"), [(10, 10, False), (11, 10, True), (11, 1, True), (11, 0, False)]
)
def test_repairing_goes_on_while_there_is_more_and_it_comes_forward(
    due: int, put: int, again: bool
) -> None:
    assert goes_on(due, at_once=10, put=put) is again
