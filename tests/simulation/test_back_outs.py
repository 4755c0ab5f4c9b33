"""A return is not backed out of the only Region that is well."""

from __future__ import annotations

import pytest

from localcloud.simulation.invariants import Watch
from tests.simulation.histories import HERE, REGIONS, THERE, state, strike

BACK = [
    state(name, at_s)
    for name, at_s in (("DRAINED", 100.0), ("RESTORING", 200.0), ("PROBATION", 210.0))
]


@pytest.mark.parametrize(
    ("kind", "there_since_s", "here_too", "breaks"),
    [
        ("region-down", 400.0, False, True),
        ("region-down", 450.0, False, False),  # not all who look may have seen it yet
        ("region-down", 400.0, True, False),  # it is bad itself
        ("stepfunctions-down", 400.0, False, False),  # the other serves
    ],
)
def test_the_only_region_that_is_well_is_not_drained_again(
    kind: str, there_since_s: float, here_too: bool, breaks: bool
) -> None:
    watch = Watch(REGIONS)
    harms = strike(kind, THERE, there_since_s, 900.0)[:1]
    harms += strike("health-errors", HERE, 480.0, 900.0)[:1] if here_too else []
    for event in [*BACK, *harms, state("DRAINING", 500.0)]:
        watch.hear(event)

    assert [v.invariant for v in watch.violations] == (["never-the-last"] if breaks else [])
