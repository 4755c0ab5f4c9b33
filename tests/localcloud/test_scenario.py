"""Scenario files: read by name or path, and wrong ones refused with the line."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from localcloud import scenario
from localcloud.cloud import Topology
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
        ("kind: region-down", "kind: region-up", "mine:4: no fault 'region-up': did you mean"),
        ("kind: region-down", "kind: meteor", "mine:4: no fault 'meteor': choose one of"),
        ("at_s: 10", "at_s: soon", "mine:6: at_s must be a number of seconds, not 'soon'"),
        ("at_s: 10", "at_s: -1", "mine:6: at_s must lie between 0 and 86400 seconds"),
        ("for_s: 60", "four_s: 60", "mine:7: a fault has no 'four_s': did you mean 'for_s'"),
        ("for_s: 60", "duration: 60", "mine:7: a fault has no 'duration': it has"),
        ("for_s: 60", "for_s: 0", "mine:7: for_s is 0: a fault that lasts for no time is none"),
        ("for_s: 60", "for_s: 60\n    delay_s: 3", "mine:8: delay_s counts from after_step"),
        ("for_s: 60", "for_s: 60\n    every_s: 90", "mine:8: every_s says how often: give times"),
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
        ("why: to see", "why: \x00", "mine:1: not YAML: unacceptable character"),
        ("region: us-east-1", "region: eu-west-9", "mine:5: no Region 'eu-west-9' here: choose"),
        ("expect:", "regions: [eu-west-2, eu-west-9]\nexpect:", "mine:8: no Region 'eu-west-9'"),
        ("expect:", "regions: [acting]\nexpect:", "mine:8: no Region 'acting' here"),
        ("faults:", "drill: {region: eu-west-9}\nfaults:", "mine:3: no Region 'eu-west-9' here"),
        ("faults:", "drill: {}\nfaults:", "mine:3: region is missing"),
        ("faults:", "drill:\nfaults:", "mine:3: drill must be a mapping of ends, region"),
        (
            "faults:",
            "drill:\n  region: eu-west-2\n  ends: WELL\nfaults:",
            "mine:5: ends is 'WELL': say SUCCEEDED, FAILED, TIMED_OUT or ABORTED",
        ),
        ("at_s: 10", "after_step: Drain by gate", "mine:6: no state 'Drain by gate' in"),
        ("at_s: 10", "after_step: Drain by gate", "did you mean 'Drain by the gate'"),
        (
            "kind: region-down",
            "kind: link-cut\n    peer: us-east-1",
            "mine:5: peer is us-east-1 itself: a link has two ends",
        ),
        ("kind: region-down", "kind: link-cut\n    peer: mars", "mine:5: no Region 'mars' here"),
        (
            "kind: region-down",
            "kind: workflow-crash",
            "mine:5: workflow-crash strikes no single Region: leave region out",
        ),
        (
            "kind: region-down\n    region: us-east-1",
            "kind: write-errors\n    region: eu-west-1",
            "mine:5: no Region 'eu-west-1' here",
        ),
        ("for_s: 60", "for_s: 60\n    times: 1.5", "mine:8: times must be a whole number"),
        ("faults:", "policy: {nosuch: 1}\nfaults:", "mine:3: policy has no 'nosuch'"),
        ("faults:", "policy:\n  lease_s: 90\n  lease_s: 91\nfaults:", "mine:5: lease_s is given"),
        ("faults:", "policy: {lease_s: 1}\nfaults:", "mine:3: policy lease_s"),
        (
            "faults:",
            "policy: {maintenance: [{region: eu-west-9, daily: true, from: 12:00, minutes: 5}]}\n"
            "faults:",
            "mine:3: policy maintenance",
        ),
        (
            "faults:",
            "policy:\n  lease_s: !!python/object:os.system x\nfaults:",
            "mine:4: cannot be read as a value: 'x'",
        ),
        ("faults:", "policy: &a {maintenance: [*a]}\nfaults:", "mine:1: nested too deep"),
        ("faults:", f"policy: {'[' * 5000}\nfaults:", "mine:1: nested too deep"),
        (
            "faults:",
            "must: page\nfaults:",
            "mine:3: must must be a list with at least one of page, take-over, back-out",
        ),
        ("faults:", "must: []\nfaults:", "mine:3: must must be a list with at least one of"),
        (
            "faults:",
            "must:\n  - page\n  - takeover\nfaults:",
            "mine:5: must has no 'takeover': did you mean 'take-over'?",
        ),
        (
            "faults:",
            "must: [luck]\nfaults:",
            "mine:3: must has no 'luck': choose of page, take-over, back-out",
        ),
        ("faults:", "must:\n  - page\n  - page\nfaults:", "mine:5: must has page twice"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario.parse(GOOD.replace(old, new), "mine")

    assert said in str(caught.value)


def test_a_coordination_region_can_be_cut_off_and_a_workflows_own_be_struck() -> None:
    faults = """faults:
  - {kind: region-isolated, region: eu-west-1, at_s: 1, for_s: 5}
  - {kind: link-cut, region: eu-west-2, peer: eu-central-1, at_s: 1, for_s: 5}
  - {kind: region-down, region: acting, after_step: Look at the Region, for_s: 5}
"""
    read = scenario.parse(f"name: n\nwhy: w\nexpect: held\n{faults}", "mine")

    assert [fault.region for fault in read.faults] == ["eu-west-1", "eu-west-2", "acting"]


def test_what_must_come_about_is_read_in_its_order_and_nothing_must_unless_it_is_said() -> None:
    asked = scenario.parse(f"{GOOD}must: [back-out, page]\n", "mine")

    assert asked.must == ("back-out", "page")
    assert scenario.parse(GOOD, "mine").must == ()


def test_a_scenario_may_be_of_another_cloud() -> None:
    elsewhere = Topology(regions=("eu-west-9", "eu-west-2"))

    read = scenario.parse(GOOD.replace("us-east-1", "eu-west-9"), "mine", elsewhere)

    assert read.regions == ("eu-west-9",)


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(GOOD)

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # who tests as root may read every file

    with pytest.raises(ScenarioError, match=r"mine\.yaml:1: cannot be read: Permission denied"):
        scenario.load(str(mine))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match=r"choose one of .*health-errors"):
        scenario.load("nothing-like-it")
