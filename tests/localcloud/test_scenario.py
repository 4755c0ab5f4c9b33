"""Scenario files: read by name or path, and wrong ones refused with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud import scenario
from localcloud.scenario import ScenarioError

GOOD = """name: mine
why: to see
faults:
  - kind: region-down
    region: us-east-1
    at_s: 10
    for_s: 60
expect: moved
"""


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_of_the_catalogue_can_be_read(name: str) -> None:
    assert scenario.load(name).name == name


def test_a_file_of_the_users_own_is_read_by_its_path(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(GOOD)

    read = scenario.load(str(mine))

    assert (read.regions[0], read.faults[0].at_s, read.faults[0].for_s) == ("us-east-1", 10, 60)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: region-down", "kind: region-up", "mine:4: no fault 'region-up': choose one of"),
        ("at_s: 10", "at_s: soon", "mine:6: at_s must be a number of seconds, not 'soon'"),
        ("at_s: 10", "at_s: -1", "mine:6: at_s must lie between 0 and 86400 seconds"),
        ("for_s: 60", "four_s: 60", "mine:7: a fault has no 'four_s': it has"),
        ("    for_s: 60\n", "", "mine:4: for_s is missing"),
        ("expect: moved", "expect: luck", "mine:8: expect is 'luck': say moved, left or held"),
        ("why: to see", "why: ''", "mine:2: why must be text"),
        ("at_s: 10", "share: 0.5\n    at_s: 10", "mine:6: the fault region-down has no 'share'"),
        ("at_s: 10", "at_s: 1\n    after_step: X", "mine:4: when does it begin? Give at_s or"),
        ("for_s: 60", "for_s: 60\n    times: 2", "mine:4: every_s must be longer than for_s"),
        ("why: to see", "why: x\nwhy: y", "mine:3: why is given twice"),
        ("region: us-east-1", "region: ''", "mine:5: region must be text"),
        (GOOD, "name: x\nwhy: y\nexpect: held\n", "mine:1: nothing happens: give a drill"),
        ("faults:", "policy: 7\nfaults:", "mine:3: policy must be a mapping"),
        ("why: to see", "why: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.parse(GOOD.replace(old, new), "mine")

    assert said in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"choose one of .*health-errors"):
        scenario.load("nothing-like-it")
