"""Which moves a run's report calls wrong: those of Regions that should have stayed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localcloud.scenario import HELD, MOVED, Fault
from sidestepctl.report import _wrong_moves
from tests.simulation.histories import HERE, THERE, outcome

DOWN = Fault("region-down", HERE, at_s=50.0, for_s=60.0)


@pytest.mark.parametrize(
    ("fault", "expect", "drained_at_s", "wrong"),
    [
        (DOWN, MOVED, 100.0, False),
        (DOWN, MOVED, 165.0, False),  # decided while it was down
        (DOWN, MOVED, 175.0, True),
        (DOWN, MOVED, 40.0, True),  # before
        (DOWN, HELD, 100.0, True),
        (replace(DOWN, region=THERE), MOVED, 100.0, True),
        (replace(DOWN, kind="slow"), MOVED, 100.0, True),
    ],
)
def test_a_region_that_a_scenario_is_not_about_may_go_out_where_it_is_down(
    fault: Fault, expect: str, drained_at_s: float, wrong: bool
) -> None:
    run = outcome()
    run.scenario = replace(run.scenario, expect=expect, regions=(THERE,), faults=(fault,))
    run.moves[0]["t"] = drained_at_s

    told = [move["what"] for move in _wrong_moves(run)]

    assert told == (["drain", "restore"] if wrong else [])
