"""The Region that carries out a failover dies as it begins to drain; another finishes it."""

from __future__ import annotations

from typing import Any

from localcloud.run import Run
from localcloud.scenario import load

TOLD = ("claimed", "drained")
LEASE_AND_CLOCKS_S = 60.0 + 30.0
"""How long after the holder's last word its incident may be taken over: `Policy.lease_s`, and what
clocks may differ by (core/control.py, CLOCK_SKEW_MS)."""


def test_what_a_dead_holder_left_half_done_is_taken_over_and_finished() -> None:
    heard: list[dict[str, Any]] = []

    outcome = Run(load("controller-dies"), 1, heard.append).carry_out()

    first, second = (fault for fault in outcome.scenario.faults)
    died = next(e for e in heard if e["kind"] == "fault" and e["what"] == "region-down")
    drains = [move for move in outcome.moves if move["what"] == "drain"]
    (of_the_first,) = [move for move in drains if move["region"] == first.region]
    incident = next(i for i in outcome.incidents if i["sk"] == of_the_first["incident"])
    tokens = {name: [s["token"] for s in incident["steps"] if s["step"] == name] for name in TOLD}
    # Struck is who had begun to drain: its claim is noted; who notes the drain is another, under a
    # newer token, which took over from it.
    assert died["region"] == second.region
    assert of_the_first["by"].split(":")[3] not in (first.region, second.region)
    assert tokens["claimed"][0] == 1 < tokens["claimed"][1] == tokens["drained"][0]
    assert died["t"] + LEASE_AND_CLOCKS_S < of_the_first["t"] < second.at_s + second.for_s
    taken = [e for e in heard if e["kind"] == "decision" and e["action"] == "take-over"]
    assert {e["region"] for e in taken} == {first.region}
    (relieved, *_) = outcome.take_overs
    assert (relieved["region"], relieved["by"]) == (first.region, of_the_first["by"])
    assert relieved["of"].split(":")[3] == died["region"]
    assert outcome.well
