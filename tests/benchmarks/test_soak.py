"""A soak: what was run is kept, in a row and by code, and goes on where it stopped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.soak import BEGIN, END, InOrder, Stretch, in_a_row, keep, kept, table_of
from localcloud.simulation.invariants import Violation
from localcloud.simulation.plan import plan
from localcloud.simulation.simulate import Result

CODE, DAY = "abc", "2026-11-26"


def result(seed: int, *broken: str) -> Result:
    violations = tuple(Violation(name, "it broke") for name in broken)
    return Result(seed, violations, 60.0, Counter({"health-errors": 2}), 1, 10, plan(seed))


def stretch(first: int, seeds: int, code: str = CODE) -> Stretch:
    return Stretch.of(code, [result(seed) for seed in range(first, first + seeds)], DAY)


def test_worlds_that_end_out_of_order_are_kept_in_a_row() -> None:
    order = InOrder(5)

    rows = [[one.seed for one in order.add(result(seed))] for seed in (6, 7, 5, 8)]

    assert rows == [[], [], [5, 6, 7], [8]]


def test_what_follows_on_each_other_is_one_row_and_its_failures_are_told(tmp_path: Path) -> None:
    page, path = tmp_path / "page.md", tmp_path / "soaks.jsonl"
    page.write_text(f"{BEGIN}\n{END}\n")

    keep(Stretch.of(CODE, [result(1), result(2, "fenced")], DAY), path, page)
    keep(stretch(3, 2), path, page)

    (whole,) = kept(path)
    assert (whole.first, whole.seeds, whole.failed, whole.faults) == (1, 4, (2,), 8)
    assert f"| 4 (1 to 4) | 0.1 hours | 8 | 4 | 40 | {whole.failed[0]} |" in page.read_text()


@pytest.mark.parametrize("other", [stretch(12, 1), stretch(11, 1, "other")])
def test_a_gap_and_other_code_begin_a_row_of_their_own(other: Stretch) -> None:
    assert list(in_a_row([stretch(1, 10), other])) == [stretch(1, 10), other]


def test_a_row_without_failures_says_none() -> None:
    assert table_of([stretch(1, 3)]).endswith("| none |")
