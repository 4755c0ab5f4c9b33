"""What can be read of a metric: late, each series for itself, in parts, and the same each time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localcloud.services.metrics import MetricId
from localcloud.services.visibility import LATEST_S
from tests.localcloud.services.world import LONDON, World

START = datetime(2026, 1, 1, tzinfo=UTC)
FUNCTIONS = [f"function-{number}" for number in range(20)]
Read = Callable[[World, str], float | None]


def asked_a_second(world: World, namespace: str = "AWS/Lambda") -> None:
    """For a minute every function is invoked once a second."""
    for name in FUNCTIONS:
        metric = MetricId(LONDON, namespace, "Invocations", (("FunctionName", name),))
        for second in range(60):
            world.metrics.record(metric, 1.0, START.timestamp() + second)


def named(name: str, namespace: str) -> dict[str, Any]:
    where = [{"Name": "FunctionName", "Value": name}]
    return {"Namespace": namespace, "MetricName": "Invocations", "Dimensions": where}


WINDOW = {"StartTime": START, "EndTime": START + timedelta(minutes=1)}


def by_data(world: World, name: str, namespace: str = "AWS/Lambda") -> float | None:
    stat = {"Metric": named(name, namespace), "Period": 60, "Stat": "Sum"}
    answer = world.client("cloudwatch", LONDON).get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": stat}], **WINDOW
    )
    (found,) = answer["MetricDataResults"]
    assert found["StatusCode"] == "Complete"
    return found["Values"][0] if found["Values"] else None


def by_statistics(world: World, name: str) -> float | None:
    answer = world.client("cloudwatch", LONDON).get_metric_statistics(
        **named(name, "AWS/Lambda"), Period=60, Statistics=["Sum"], **WINDOW
    )
    return answer["Datapoints"][0]["Sum"] if answer["Datapoints"] else None


@pytest.mark.parametrize("read", [by_data, by_statistics])
def test_a_minute_that_has_just_ended_is_there_for_some_series_in_part_and_not_for_others(
    world: World, read: Read
) -> None:
    asked_a_second(world)
    world.run(62)

    seen = [read(world, name) for name in FUNCTIONS]

    assert None in seen
    assert any(found is not None and 0 < found < 60 for found in seen)


@pytest.mark.parametrize("read", [by_data, by_statistics])
def test_every_series_is_whole_in_the_end(world: World, read: Read) -> None:
    asked_a_second(world)
    world.run(60 + LATEST_S)

    assert [read(world, name) for name in FUNCTIONS] == [60.0] * len(FUNCTIONS)


def test_series_become_whole_one_after_another_over_a_minute_and_more(world: World) -> None:
    asked_a_second(world)
    world.run(50)
    whole = []
    for _ in range(12):
        world.run(10)
        whole.append(sum(by_data(world, name) == 60 for name in FUNCTIONS))

    assert whole == sorted(whole)
    assert (whole[0], whole[-1]) == (0, len(FUNCTIONS))
    assert len(set(whole)) > 4


def test_what_was_seen_of_a_minute_never_becomes_less(world: World) -> None:
    asked_a_second(world)
    for name in FUNCTIONS:
        assert by_data(world, name) is None
    seen = dict.fromkeys(FUNCTIONS, 0.0)
    for _ in range(33):
        world.run(5)
        for name in FUNCTIONS:
            found = by_data(world, name) or 0.0
            assert found >= seen[name]
            seen[name] = found


def test_metrics_of_our_own_come_without_a_minutes_wait(world: World) -> None:
    asked_a_second(world, "Sidestep")
    world.run(60 + 45)

    assert [by_data(world, name, "Sidestep") for name in FUNCTIONS] == [60.0] * len(FUNCTIONS)


def test_how_late_a_minute_is_follows_from_the_seed_and_moves_no_other_chance(
    world: World,
) -> None:
    asked_a_second(world)
    before = world.kernel.random.getstate()
    world.run(70)

    seen = [by_data(world, name) for name in FUNCTIONS]

    assert seen == [by_data(world, name) for name in FUNCTIONS]
    assert world.kernel.random.getstate() == before
