"""What both paths lose together: the figures are on their page, and say what was measured."""

from __future__ import annotations

import json

import pytest

from benchmarks.bench_loss import BEGIN, END, PAGE, RESULTS, TROUBLE_S, Loss, lines_of

LOSSES = [Loss(**one) for one in json.loads(RESULTS.read_text())]


def test_the_table_on_the_page_is_that_of_the_figures() -> None:
    between = PAGE.read_text().split(BEGIN)[1].split(END)[0].strip()

    assert between == "\n".join(lines_of(LOSSES))


@pytest.mark.parametrize("one", LOSSES, ids=lambda one: f"{one.trouble}, {one.writes_per_s:g}/s")
def test_one_path_alone_bounds_what_is_lost_to_a_second_of_writes_and_none_of_it_stays_lost(
    one: Loss,
) -> None:
    """As the page says. Chance makes bursts: a second of writes is taken three times."""
    both_down = one.trouble == "paused and refuses"
    bound = one.writes_per_s * (TROUBLE_S + 5 if both_down else 3)

    assert one.gone_in_neither <= one.worst_in_neither <= bound
    assert both_down == (one.oldest_in_neither_s > 1)
    assert one.back_in_neither == 0
