"""What both paths lose together: the figures are on their page, and say what was measured."""

from __future__ import annotations

import json

import pytest

from benchmarks.bench_loss import BEGIN, END, LATE_S, PAGE, RESULTS, TROUBLE_S, Loss, lines_of

LOSSES = [Loss(**one) for one in json.loads(RESULTS.read_text())]


def test_the_table_on_the_page_is_that_of_the_figures() -> None:
    between = PAGE.read_text().split(BEGIN)[1].split(END)[0].strip()

    assert between == "\n".join(lines_of(LOSSES))


@pytest.mark.parametrize("one", LOSSES, ids=lambda one: f"{one.trouble}, {one.writes_per_s:g}/s")
def test_what_is_lost_is_what_came_within_the_shorter_lag_and_none_of_it_stays_lost(
    one: Loss,
) -> None:
    """As the page says. Chance makes bursts: a second of writes is taken three times."""
    both_late = one.trouble.startswith("both")
    both_down = one.trouble == "paused and refuses"
    lasts_s = TROUBLE_S if both_down else LATE_S if both_late else 0
    bound = one.writes_per_s * (lasts_s + (5 if both_down else 3))

    assert one.gone_in_neither <= one.worst_in_neither <= bound
    assert lasts_s - 1 < one.oldest_in_neither_s < lasts_s + 1
    assert one.back_in_neither == 0
