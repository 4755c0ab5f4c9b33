"""A Region that is cut off, with its replica of the coordination table: its observer goes on."""

from __future__ import annotations

from itertools import pairwise

import pytest

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud
from localcloud.services import modelled

CUT_OFF = "eu-west-2"
FROM_S, UNTIL_S = 60.0, 180.0
LATE_S = 5.0
"""More than a schedule is late, and far less than a look left out."""


def test_it_looks_every_ten_seconds_though_its_replica_keeps_its_votes_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modelled, "MINORITY_HANGS_SHARE", 1.0)
    with LocalCloud(1) as cloud:
        Chronicle(cloud)
        assert CUT_OFF in cloud.topology.coordination
        cloud.start()
        cloud.kernel.run(until=FROM_S)
        cloud.network.isolated.add(CUT_OFF)

        cloud.kernel.run(until=UNTIL_S)

        looks = [
            event["t"]
            for event in cloud.kernel.history
            if event["kind"] == "step"
            and (event["region"], event["state"]) == (CUT_OFF, "Look at every Region")
            and event["t"] > FROM_S
        ]
        failed = [
            event
            for event in cloud.kernel.history
            if event["kind"] == "function_error" and event["region"] == CUT_OFF
        ]
    assert {event["errorType"] for event in failed} == {"CoordinationUnavailable"}
    apart = [later - earlier for earlier, later in pairwise(looks)]
    assert max(apart) <= 10 + LATE_S
    assert looks[-1] >= UNTIL_S - 10 - LATE_S
