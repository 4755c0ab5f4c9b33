"""The bench of detection: time, chance and weights are what it says they are."""

from __future__ import annotations

import json
import math
import random

import pytest
from click.testing import CliRunner

from benchmarks.bench_detection import (
    DESIGNS,
    PAGE,
    RESULTS,
    ROUND_S,
    SICK,
    WRITE,
    Luck,
    everywhere,
    false_drains_a_year,
    first_drain,
    main,
    only_sick,
    table,
    text_of,
)

OURS = DESIGNS[0]


def test_a_region_all_of_whose_writes_fail_is_left_after_the_second_look() -> None:
    found = first_drain(OURS, random.Random(1), only_sick(lambda _: 1.0), until_s=60)

    assert found is not None
    assert found[1] == SICK
    assert ROUND_S < found[0] < 3 * ROUND_S


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_all_are_alike_nothing_moves(share: float) -> None:
    assert first_drain(OURS, random.Random(1), everywhere(lambda _: share), until_s=60) is None


def test_what_is_made_likelier_weighs_less() -> None:
    luck = Luck(random.Random(1), everywhere(lambda _: 0.01), tilted=SICK, tilt=0.5)

    failed = sum(luck.fails(SICK, WRITE, 0.0) for _ in range(40))

    expected = failed * math.log(0.01 / 0.5) + (40 - failed) * math.log(0.99 / 0.5)
    assert luck.log_weight == pytest.approx(expected)
    assert 10 < failed < 30


def test_more_blips_are_more_false_drains() -> None:
    few, _ = false_drains_a_year(OURS, random.Random(1), 0.003, trials=30)
    many, _ = false_drains_a_year(OURS, random.Random(1), 0.02, trials=30)

    assert few < many


def test_the_page_tells_the_figures_that_were_measured() -> None:
    told = json.loads(RESULTS.read_text())

    assert text_of(told["trials"], told["designs"]) in PAGE.read_text()


@pytest.mark.parametrize("arguments", [["abc"], ["0"], ["-1"], ["1", "2"]])
def test_what_is_no_number_of_incidents_is_said_in_one_line(arguments: list[str]) -> None:
    run = CliRunner(mix_stderr=False).invoke(main, ["--", *arguments])

    assert run.exit_code == 2
    assert run.stderr.startswith("Error: ")
    assert run.stderr.count("\n") == 1


def test_what_was_not_noticed_in_time_is_a_dash() -> None:
    row = json.loads(RESULTS.read_text())["designs"][0]
    row["noticed"]["5%"]["p95_s"] = None

    assert f"{row['noticed']['5%']['median_s']:.0f} / – |" in table([row])
