"""`sidestep status`: what is told of each Region, from what the coordination table may hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sidestep.aws.ballots import Everything, Registered
from sidestep.core.control import (
    AUTOMATIC,
    CLOCK_SKEW_MS,
    DRAINED,
    DRAINING,
    FAILOVER,
    MANUAL,
    OPEN,
    PROBATION,
    RECOVERY,
    SERVING,
    SHUT,
    Acknowledgement,
    ControlState,
    Pause,
)
from sidestep.core.policy import Policy
from sidestep.core.votes import Ballot
from sidestepctl.status import RegionStatus, Status, status_of
from sidestepctl.status_command import in_words
from tests.core.views import (
    LONDON,
    LONG_AGO,
    NOW,
    OREGON,
    REGIONS,
    VIRGINIA,
    all_say,
    ballot,
    decided,
    drained_once,
    undrained,
    view,
    with_region,
)

INCIDENT = f"demo-{LONDON}-1"
HOLDER = f"arn:aws:states:{OREGON}:123456789012:execution:sidestep-demo-failover:{INCIDENT}"
HALF_DONE: dict[str, Any] = {
    "incident": INCIDENT,
    "epoch": 1,
    "mode": AUTOMATIC,
    "token": 1,
    "since_ms": NOW,
}


def told(
    *ballots: Ballot,
    control: ControlState | None = None,
    policy: Policy | None = None,
    record: Mapping[str, Any] | None = None,
    **more: Any,
) -> Status:
    """The status where the table holds this; every Region's observer has run."""
    registry = {one: Registered(one, "check", "api", "subnet", LONG_AGO) for one in REGIONS}
    cast = {one.observer: one for one in ballots}
    known = Everything(control or ControlState(serving=3), cast, registry)
    return status_of("demo", known, policy or Policy(), NOW, lambda _: record, **more)


def of(status: Status, region: str = LONDON) -> RegionStatus:
    (one,) = [one for one in status.regions if one.region == region]
    return one


def test_each_region_has_the_decision_that_an_observer_would_come_to() -> None:
    ballots = all_say(bad=(LONDON,))

    status = told(*ballots)

    registered = replace(view(*ballots), registered=frozenset(REGIONS))
    assert {one.region: one.decision for one in status.regions} == decided(registered)
    assert of(status).decision.action == FAILOVER


def test_the_diagnosis_and_what_would_change_are_told_where_nothing_is_done() -> None:
    words = in_words(told(*all_say()))

    assert (
        f"{LONDON}: SERVING from the beginning\n"
        "  diagnosis healthy, not impaired\n"
        f"  decision  none: {LONDON} is serving and healthy\n"
        "            would change with: votes calling it impaired\n"
    ) in words
    assert "  serving   3 of 3 guarded Regions\n  drains    6 of 6 left in 24 hours\n" in words


def test_why_nothing_is_done_is_told_of_a_region_that_is_impaired() -> None:
    words = in_words(told(*all_say(bad=(LONDON,)), policy=Policy(observe_only=True)))

    assert "  diagnosis health_failing, impaired\n  decision  hold: observe_only is on" in words
    assert "a person should look at it: people are told" in words


def test_each_observers_verdict_has_its_words_and_its_age() -> None:
    status = told(*all_say(bad=(LONDON,), since_s=65))

    own, virginia, _ = of(status).verdicts
    assert (own.observer, virginia.observer) == (LONDON, VIRGINIA)
    assert (virginia.verdict, virginia.looked_s, virginia.does_not_count) == ("impaired", 5.0, "")
    assert virginia.words == (f"GET /health of {LONDON} from {VIRGINIA} answered 503",)
    assert f"{LONDON} (its own): impaired since 2027-01-15 07:58:55 UTC, looked 5 s ago" in (
        in_words(status)
    )


@pytest.mark.parametrize(
    ("virginias", "why"),
    [
        ((ballot(VIRGINIA, age_s=36),), "its last ballot is too old (limit 35 s)"),
        ((ballot(VIRGINIA, believed=False),), "as it says"),
        ((), "it has never cast a ballot"),
    ],
)
def test_a_word_that_does_not_count_is_told_with_why(
    virginias: tuple[Ballot, ...], why: str
) -> None:
    status = told(ballot(LONDON), *virginias, ballot(OREGON))

    counts = {one.observer: one.does_not_count for one in of(status).verdicts}
    assert counts == {LONDON: "", VIRGINIA: why, OREGON: ""}
    assert f"  does not count: {why}\n" in in_words(status)


def test_a_look_that_is_too_old_is_unknown_and_says_so() -> None:
    status = told(*all_say()[:2], ballot(OREGON, looked_s=300))

    oregon = of(status).verdicts[2]
    assert (oregon.verdict, oregon.looked_s) == ("unknown", 305.0)
    assert oregon.words == (f"{OREGON}'s last look at {LONDON} was 305 s ago (limit 35 s)",)


def test_pauses_windows_and_acknowledgements_are_told_with_who_and_until_when() -> None:
    control = replace(
        with_region(LONDON, incident=INCIDENT, epoch=1, token=7),
        paused=Pause("ada", "a release", NOW + 3_600_000),
        paused_regions={
            LONDON: Pause("bob", "a new certificate", NOW + 60_000),
            OREGON: Pause("bob", "over", NOW - 1),
        },
        acknowledged={LONDON: Acknowledgement(INCIDENT, 7, "eve", NOW - 1000)},
    )
    window = {"region": LONDON, "daily": True, "from": "07:30", "minutes": 60}

    words = in_words(
        told(*all_say(), control=control, policy=Policy.parse({"maintenance": [window]}))
    )

    assert "  paused    everything, by ada until 2027-01-15 09:00 UTC: a release\n" in words
    assert "  paused    by bob until 2027-01-15 08:01 UTC: a new certificate\n" in words
    assert "over" not in words  # as none
    assert f"  window    a maintenance window of {LONDON} is open until 2027-01-15 08:30" in words
    assert "            acknowledged by eve at 2027-01-15 07:59:59 UTC\n" in words


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (drained_once(LONDON, NOW - 10_000), f"{LONDON} moved 10 s ago; cool-down is 300 s"),
        (undrained(LONDON, 2, ago_s=3), "was put down without a drain 3 s ago"),
    ],
)
def test_what_the_next_drain_would_wait_for_is_told_while_all_is_well(
    control: ControlState, said: str
) -> None:
    status = told(*all_say(), control=control)

    held = of(status).held
    assert held is not None
    assert said in held.words
    assert f"  held      no drain by itself: {held.words}\n" in in_words(status)
    assert f"            ends with: {held.change}\n" in in_words(status)
    assert of(status, OREGON).held is None


def test_what_the_next_return_would_wait_for_is_told_while_it_is_not_well_yet() -> None:
    out: dict[str, Any] = {
        **HALF_DONE,
        "state": DRAINED,
        "kind": RECOVERY,
        "attempts": 1,
        "toggle": SHUT,
    }

    status = told(*all_say(bad=(LONDON,)), control=with_region(LONDON, **out))

    assert f"no return by itself: {LONDON}'s return did not succeed 0 s ago" in in_words(status)


def test_drains_of_a_day_are_counted_against_the_policy() -> None:
    status = told(*all_say(), control=drained_once(LONDON, NOW), policy=Policy.parse({}))

    assert (status.drains_left, status.drains_a_day, status.serving) == (5, 6, 3)


def test_a_holder_is_named_with_what_is_left_of_its_lease() -> None:
    state: dict[str, Any] = {"state": DRAINING, "kind": FAILOVER, "holder": HOLDER}
    control = with_region(LONDON, **HALF_DONE, **state, lease_until_ms=NOW + 61_000)

    status = told(*all_say(bad=(LONDON,)), control=control)

    assert (of(status).lease_left_s, of(status).by_hand) == (61.0, ())
    line = f"{INCIDENT} (failover, automatic), in the hands of {HOLDER} for another 61 s\n"
    assert line in in_words(status)


RAN_OUT = {"holder": HOLDER, "lease_until_ms": NOW - CLOCK_SKEW_MS - 1}


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        # Before the drain has begun there is nothing to undo.
        ({"state": SERVING, "kind": FAILOVER, **RAN_OUT}, ["failover manual"]),
        ({"state": DRAINING, "kind": FAILOVER, **RAN_OUT}, ["failover manual", "recovery forced"]),
        (
            {"state": PROBATION, "kind": RECOVERY, **RAN_OUT},
            ["failover manual", "recovery manual", "recovery forced"],
        ),
        ({"state": DRAINED, "kind": FAILOVER}, ["recovery manual", "recovery forced"]),
        ({"state": SERVING, "kind": RECOVERY}, []),
        # Its lease is over, and clocks may differ.
        (
            {"state": DRAINED, "kind": FAILOVER, "holder": HOLDER, "lease_until_ms": NOW - 1000},
            [],
        ),
    ],
)
def test_an_incident_that_nobody_holds_has_the_commands_that_would_be_taken(
    state: dict[str, Any], commands: list[str]
) -> None:
    control = with_region(LONDON, **HALF_DONE, **state)

    status = told(*all_say(), control=control, record={"steps": [{"holder": HOLDER}]})

    given = [one.command for one in of(status).by_hand]
    asked = [json.loads(one.split("--input '")[1].removesuffix("'")) for one in given]
    machines = [one.split("stateMachine:sidestep-demo-")[1].split()[0] for one in given]
    assert [f"{m} {a['mode']}" for m, a in zip(machines, asked, strict=True)] == commands
    assert all(one in in_words(status) for one in given)


def test_they_are_for_another_region_that_serves_and_whose_observer_is_at_work() -> None:
    control = with_region(LONDON, **HALF_DONE, state=DRAINED, kind=FAILOVER)
    control = with_region(VIRGINIA, control, state=DRAINED, mode=MANUAL)
    record = {"steps": [{"holder": HOLDER}]}

    both = told(*all_say(), control=control, record=record)
    alone = told(ballot(LONDON), ballot(VIRGINIA), control=control, record=record)

    assert f" --region {OREGON} --state-machine-arn arn:aws:states:{OREGON}:123456789012:" in (
        of(both).by_hand[0].command
    )
    assert f" --region {VIRGINIA} " in of(alone).by_hand[0].command


def test_a_toggle_that_does_not_stand_as_it_should_is_told() -> None:
    control = with_region(LONDON, **HALF_DONE, state=DRAINED, kind=FAILOVER, toggle=OPEN)

    assert "  toggle    open, and should be shut\n" in in_words(told(*all_say(), control=control))


def test_the_guarded_regions_are_those_that_the_newest_ballot_votes_on() -> None:
    fewer = [
        replace(one, votes={r: v for r, v in one.votes.items() if r != OREGON})
        for one in all_say()[:2]
    ]

    status = told(*fewer, control=with_region(OREGON, state=DRAINED))

    assert [one.region for one in status.regions] == [LONDON, VIRGINIA]
    assert status.not_guarded == (OREGON,)
    assert f"{OREGON}: known from earlier, and in no list of Regions now" in in_words(status)


def test_without_any_ballot_all_that_were_registered_are_told() -> None:
    status = told()

    assert [one.region for one in status.regions] == list(REGIONS)
    assert {one.decision.diagnosis for one in status.regions} == {"observers_blind"}


def test_which_policy_is_assumed_is_said() -> None:
    assumed, given = told(*all_say()), told(*all_say(), policy_file="policy.yaml")

    assert "  policy    the defaults (assumed: the one that was deployed is not read; " in (
        in_words(assumed)
    )
    assert "  policy    policy.yaml\n" in in_words(given)


def test_a_clock_that_is_behind_is_said_once_it_matters() -> None:
    near, far = (told(*all_say(), behind_ms=ms) for ms in (CLOCK_SKEW_MS, CLOCK_SKEW_MS + 1000))

    assert "clock" not in in_words(near)
    assert "this one is 31 s behind the newest ballot's, which is taken" in in_words(far)


def test_json_tells_the_same() -> None:
    status = json.loads(told(*all_say(bad=(LONDON,))).to_json())

    (london,) = [one for one in status["regions"] if one["region"] == LONDON]
    assert london["decision"]["action"] == FAILOVER
    assert [one["looked_s"] for one in london["verdicts"]] == [5.0, 5.0, 5.0]
