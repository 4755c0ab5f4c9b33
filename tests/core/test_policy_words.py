"""The words of the policy: one place, said of every number, and true of what the core does."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from localcloud.services import schedules
from sidestep.core.policy import Policy
from sidestep.core.policy_words import LATE_S, WORDS, contradictions, failovers_in_a_day, together

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "policy.md").read_text()


def test_every_number_has_words_in_the_policys_order() -> None:
    assert list(WORDS) == [field.name for field in fields(Policy)]


def test_the_page_says_the_same_words() -> None:
    assert dict(re.findall(r"^\| `(\w+)` \| .+? \| .+? \| (.+) \|$", PAGE, re.M)) == WORDS


def test_the_local_clouds_schedules_are_as_late_as_the_words_say() -> None:
    assert LATE_S == schedules.LATE_S


def test_the_page_tells_how_the_defaults_play_together() -> None:
    section = PAGE.split("## How they play together")[1].split("\n## ")[0]

    assert tuple(re.findall(r"^- (.+)$", section, re.M)) == together(Policy())


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(), "drained after 2 rounds and no sooner: 10 to 20 s"),
        (Policy(probe_bad_streak=1), "drained after 1 round and no sooner: 0 to 10 s"),
        (Policy(probe_good_streak=1, stability_window_s=0), "returns no sooner than 0 s"),
        (Policy(stability_window_s=300), "returns no sooner than 320 s"),
        (Policy(cooldown_s=60, cooldown_max_s=200), "each further one for 120, 200, 200, 200, 200"),
        (Policy(max_drains_per_day=1), "after each further one for the day."),
        (Policy(lease_s=30), "taken over from after 60 s"),
    ],
)
def test_what_the_numbers_come_to_is_computed(policy: Policy, said: str) -> None:
    assert said in " ".join(together(policy))


@pytest.mark.parametrize(
    ("policy", "failovers"),
    [
        (Policy(), 6),
        (Policy(max_drains_per_day=25, cooldown_s=600), 25),
        (
            Policy(max_drains_per_day=25, cooldown_max_s=7200),
            16,
        ),  # 9300 s, then one in two hours
        (Policy(max_drains_per_day=25, cooldown_s=86_400, cooldown_max_s=86_400), 1),
        (Policy(max_drains_per_day=9, cooldown_s=0), 9),
    ],
)
def test_a_flapping_regions_failovers_in_a_day_are_bounded(policy: Policy, failovers: int) -> None:
    assert failovers_in_a_day(policy) == failovers


def test_a_failover_that_counts_before_answers_have_run_out_is_told() -> None:
    (_, said) = contradictions(Policy(traffic_deadline_s=74))

    assert "counted while resolvers may still send clients" in said
    assert len(contradictions(Policy(traffic_deadline_s=75))) == 1


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy(cooldown_s=300, cooldown_max_s=60), "every wait is 60 s"),
        (Policy(stability_window_s=1800), "is not brought back"),
        (Policy(traffic_deadline_s=179), "ends as not verified"),
        (Policy(worst_lag_ms=18_000), "(180 s) is not below replication_deadline_s (180)"),
        (Policy(replication_deadline_s=0), "hardly a planned move is made"),
        (
            Policy(worst_lag_ms=60_000, replication_deadline_s=900, stability_deadline_s=600),
            "a return's data is in doubt",
        ),
    ],
)
def test_numbers_that_make_no_sense_together_are_told(policy: Policy, said: str) -> None:
    assert contradictions(Policy()) == ()
    assert said in contradictions(policy)[0]
