"""What is half done and nobody may finish is handed to a person, with commands, now and then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidestep.core.control import FAILOVER, RECOVERY, ControlState, Pause
from sidestep.core.decide import HOLD, OVERDUE_MS, TAKE_OVER, decide
from sidestep.core.findings import View
from sidestep.core.handover import (
    AGAIN_MAX_MS,
    AGAIN_MS,
    STANDS_BACK_MS,
    Handover,
    Told,
    handovers,
)
from sidestep.core.policy import Policy
from tests.core.views import (
    LONDON,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    decided,
    view,
    with_region,
)

HOLDER = f"arn:aws:states:{VIRGINIA}:123456789012:execution:sidestep-demo-failover:one"
INCIDENT = f"demo-{LONDON}-1"
PAUSED = Pause("ada", "a release", NOW + 3_600_000)
ALL_DAY = {"region": LONDON, "daily": True, "from": "00:00", "minutes": 1440}
WATCHING = Policy(observe_only=True)


def half_done(kind: str = FAILOVER, state: str = "DRAINING", ago_s: float = 31) -> ControlState:
    """London's incident, whose lease ran out so long ago."""
    return with_region(
        LONDON,
        state=state,
        incident=INCIDENT,
        epoch=1,
        kind=kind,
        mode="automatic",
        holder=HOLDER,
        token=7,
        lease_until_ms=NOW - int(ago_s * 1000),
    )


def seen(control: ControlState) -> View:
    return view(*all_say(bad=(LONDON,)), control=control)


def told_now(
    control: ControlState,
    policy: Policy | None = None,
    last: Told | None = None,
    observer: str = VIRGINIA,
) -> tuple[Handover, ...]:
    """What an observer tells people, after what was told last."""
    known, told = seen(control), {LONDON: last} if last else {}
    policy = policy or Policy()
    return handovers(known, decide(known, policy, NOW), told, policy, observer, NOW)


@pytest.mark.parametrize("by", ["observe_only", "pause", "pause of the Region", "window"])
def test_a_take_over_that_an_order_withholds_is_told_with_what_why_and_what_would_change(
    by: str,
) -> None:
    control, policy = half_done(), Policy()
    if by == "observe_only":
        policy = WATCHING
    elif by == "pause":
        control = replace(control, paused=PAUSED)
    elif by == "pause of the Region":
        control = replace(control, paused_regions={LONDON: PAUSED})
    else:
        policy = Policy.parse({"maintenance": [ALL_DAY]}, REGIONS)

    (one,) = told_now(control, policy)

    decision = decided(seen(control), policy)[LONDON]
    assert (decision.action, decision.page) == (HOLD, True)
    what, change, *_ = one.message.splitlines()
    assert one.subject == f"Sidestep needs you: {LONDON}"
    assert what.startswith(f"{INCIDENT} ({LONDON}, failover, automatic) is half done")
    assert f"the lease of {HOLDER} on {INCIDENT} ran out at DRAINING" in what
    assert {"observe_only": "observe_only is on", "window": "a maintenance window"}.get(
        by, "paused by ada"
    ) in what
    assert change == "What would change that: that order ending"


@pytest.mark.parametrize(
    ("kind", "state", "given"),
    [
        (FAILOVER, "SERVING", ["failover manual"]),
        (FAILOVER, "DRAINING", ["failover manual", "recovery forced"]),
        (FAILOVER, "DRAINED", ["failover manual", "recovery forced"]),
        (RECOVERY, "DRAINED", ["failover manual", "recovery manual", "recovery forced"]),
        (RECOVERY, "RESTORING", ["failover manual", "recovery manual", "recovery forced"]),
        (RECOVERY, "PROBATION", ["failover manual", "recovery manual", "recovery forced"]),
    ],
)
def test_it_has_the_commands_that_would_be_taken_now_and_no_other(
    kind: str, state: str, given: list[str]
) -> None:
    (one,) = told_now(half_done(kind, state), WATCHING)

    commands = [line for line in one.message.splitlines() if "aws stepfunctions" in line]
    assert [
        f"{line.split('sidestep-demo-')[1].split()[0]} {line.split('mode')[1].split(chr(34))[2]}"
        for line in commands
    ] == given
    assert all(f'"region":"{LONDON}"' in line for line in commands)
    assert not any(f"--region {LONDON}" in line for line in commands)


@pytest.mark.parametrize("ago_s", [-60, 0, 29])
def test_nobody_is_told_while_its_holder_may_still_be_at_it(ago_s: float) -> None:
    """The lease has not run out, or may not have by the holder's clock."""
    assert told_now(half_done(ago_s=ago_s), WATCHING) == ()


def test_nobody_is_told_of_what_an_observer_takes_over() -> None:
    assert decided(seen(half_done()))[LONDON].action == TAKE_OVER
    assert told_now(half_done()) == ()


def test_a_take_over_in_which_nobody_succeeds_is_told_too() -> None:
    (one,) = told_now(half_done(ago_s=OVERDUE_MS / 1000 + 1))

    assert "nobody succeeds in taking it over" in one.message


def test_it_is_told_once_whichever_observer_comes_next() -> None:
    (first,) = told_now(half_done(), WATCHING)

    assert first.told == Told(7, NOW, 1, VIRGINIA)
    assert told_now(half_done(), WATCHING, first.told) == ()
    assert told_now(half_done(), WATCHING, first.told, OREGON) == ()


@pytest.mark.parametrize(
    ("times", "wait_ms"),
    [(1, AGAIN_MS), (2, 2 * AGAIN_MS), (4, 8 * AGAIN_MS), (7, AGAIN_MAX_MS), (99, AGAIN_MAX_MS)],
)
def test_it_is_told_again_after_a_wait_that_doubles_up_to_six_hours(
    times: int, wait_ms: int
) -> None:
    def again(after_ms: int, observer: str) -> list[int]:
        last = Told(7, NOW - after_ms, times, VIRGINIA)
        return [one.told.times for one in told_now(half_done(), WATCHING, last, observer)]

    assert again(wait_ms - 1, OREGON) == []
    assert again(wait_ms, OREGON) == [times + 1]
    # Who told last stands back for a minute: what it told may have come to nobody.
    assert again(wait_ms, VIRGINIA) == []
    assert again(wait_ms + STANDS_BACK_MS, VIRGINIA) == [times + 1]


def test_another_holder_that_dies_is_told_anew() -> None:
    of_the_last_holder = Told(6, NOW - 1, 5, VIRGINIA)

    (one,) = told_now(half_done(), WATCHING, of_the_last_holder)

    assert one.told.times == 1
