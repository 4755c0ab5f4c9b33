"""Two Regions, and the one that serves goes down before the drained one has returned."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.cloud import Topology
from localcloud.run import Run
from localcloud.scenario import parse

FIRST, SECOND = "eu-west-2", "us-west-2"
SECOND_FOR_S = 600.0
TEXT = f"""
name: in-turn
why: >
  The first Region fails for two minutes and is drained. The second goes down for ten, before the
  first has come back.
expect: moved
regions: [{FIRST}, {SECOND}]
faults:
  - kind: region-down
    region: {FIRST}
    at_s: 60
    for_s: 120
  - kind: region-down
    region: {SECOND}
    at_s: AT_S
    for_s: {SECOND_FOR_S}
"""


@pytest.mark.parametrize(
    "at_s",
    [
        # The second holds the first one's failover: DNS is waited for.
        pytest.param(110.0, id="its failover not put down"),
        # The first one's failover is put down, and its return has not begun.
        pytest.param(255.0, id="not begun"),
        pytest.param(285.0, id="held by the other"),
    ],
)
def test_a_drained_region_comes_back_when_the_only_other_one_goes_down(at_s: float) -> None:
    heard: list[dict[str, Any]] = []
    scenario = parse(TEXT.replace("AT_S", str(at_s)), "here")
    run = Run(scenario, 1, heard.append, Topology(regions=(FIRST, SECOND)))

    outcome = run.carry_out()

    moves = {(m["region"], m["what"]): m["t"] for m in outcome.moves}
    back_at_s = moves[FIRST, "restore"]
    assert list(moves) == [
        *((FIRST, "drain"), (FIRST, "restore")),
        *((SECOND, "drain"), (SECOND, "restore")),
    ]
    # A lost vote is void after 35 s; a lost holder's lease, and 30 s for clocks, after 120 s.
    assert at_s < back_at_s < at_s + 200
    alone = [e for e in heard if e["kind"] == "decision" and e["region"] == FIRST]
    assert any("nothing else serves" in reason for e in alone for reason in e["reasons"])
    assert outcome.well
    # Clients are answered long before the second Region is back.
    clients = outcome.clients
    assert clients is not None
    late = [w for w in clients.promises if back_at_s + 90 < w.at_s < at_s + SECOND_FOR_S]
    assert {write.region for write in late} == {FIRST}
    assert outcome.audit is not None
    assert not outcome.audit.lost
