"""One seed, one history: a seed is a bug report that anybody can run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.cloud import Topology
from tests.loop.short_run import transcript, transcript_of_a_loss

pytestmark = pytest.mark.xdist_group("determinism")

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
"""Long enough for a drain: the fault is there after ten."""


@pytest.fixture(scope="module")
def history() -> str:
    return transcript(seed=7, seconds=SECONDS)


def elsewhere(seed: int, hash_seed: str, seconds: float = SECONDS, *more: str) -> str:
    """The same history, made by a process of its own, whose sets have another order."""
    environ = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.loop.short_run", str(seed), str(seconds), *more],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_history_that_is_compared_has_clients_votes_and_a_drain_in_it(history: str) -> None:
    kinds = {json.loads(line)["kind"] for line in history.splitlines()}

    assert {"request", "vote", "decision", "step", "move", "mark", "alarm", "lag"} <= kinds


def test_another_process_with_another_hash_seed_and_time_zone_writes_the_same_bytes(
    history: str,
) -> None:
    other = elsewhere(seed=7, hash_seed="4711")

    pairs = zip(history.splitlines(), other.splitlines(), strict=False)
    assert [pair for pair in pairs if pair[0] != pair[1]][:1] == []
    assert history == other


def test_a_region_that_is_lost_under_load_stops_its_functions_in_the_same_order_again() -> None:
    here = transcript_of_a_loss(seed=7, seconds=25.0)

    stopped = [line for line in here.splitlines() if "the runtime was stopped" in line]
    assert len(stopped) > 3
    assert elsewhere(7, "4711", 25.0, "lost") == here


def test_a_world_after_one_of_other_regions_has_the_history_that_it_has_alone() -> None:
    others = Topology(
        application="other",
        regions=("eu-west-1", "us-east-2"),
        coordination=("us-east-1", "us-east-2", "us-west-2"),
        policy={"cooldown_s": 30},
    )
    alone = elsewhere(seed=9, hash_seed="0", seconds=20.0)

    transcript(seed=8, seconds=15.0, topology=others)
    after = transcript(seed=9, seconds=20.0)

    assert after == alone


def test_another_seed_is_another_history(history: str) -> None:
    other = transcript(seed=8, seconds=20.0)

    same_time = [line for line in history.splitlines() if json.loads(line)["t"] <= 20.0]
    assert other.splitlines() != same_time
