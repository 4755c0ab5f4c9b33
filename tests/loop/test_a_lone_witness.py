"""One observer is left, and its link to a Region is cut: a Region that is well is not left."""

from __future__ import annotations

from typing import Any

from localcloud.run import Run
from localcloud.scenario import parse

WITNESS, BEYOND, THIRD = "eu-west-2", "us-east-1", "us-west-2"
SCENARIO = f"""
name: lone-witness
why: >
  The link between two Regions is cut. Meanwhile Step Functions stands still in all Regions but
  one of these two: its observer alone is heard.
expect: held
faults:
  - {{kind: link-cut, region: {WITNESS}, peer: {BEYOND}, at_s: 60, for_s: 130}}
  - {{kind: workflow-slow, region: {BEYOND}, at_s: 60, for_s: 100, extra_s: 90}}
  - {{kind: workflow-slow, region: {THIRD}, at_s: 60, for_s: 100, extra_s: 90}}
"""


def test_silence_tells_nothing_of_a_region_where_observers_of_well_ones_are_silent_too() -> None:
    heard: list[dict[str, Any]] = []

    outcome = Run(parse(SCENARIO, "here"), 1, heard.append).carry_out()

    said = [
        reason
        for event in heard
        if event["kind"] == "decision" and (event["observer"], event["region"]) == (WITNESS, BEYOND)
        for reason in event["reasons"]
    ]
    # It was the only one to be heard, and called the Region beyond the link impaired.
    assert any(
        f"as is that of {THIRD}, which last called it healthy" in reason for reason in said
    ), said
    assert outcome.moves == []
    assert outcome.well
