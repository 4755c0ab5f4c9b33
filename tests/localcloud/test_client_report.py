"""What the clients' samples are made to say."""

from __future__ import annotations

import pytest

from localcloud.client_report import back_after_s, errors, left_after_s, requests, share_by_region
from localcloud.clients import ClientSample

GONE, STAYS = "eu-west-2", "us-east-1"


def sample(at_s: float, region: str | None = GONE, status: int | None = 200) -> ClientSample:
    error = None if status is not None else "unreachable"
    return ClientSample(at_s, 1, "eu-west-2", region, "read", status, error, 0.5, 1)


def steady(region: str, first: int, last: int) -> list[ClientSample]:
    """A request every 5 s."""
    return [sample(at, region) for at in range(first, last + 1, 5)]


def test_no_answer_and_5xx_are_errors_and_a_refusal_is_not() -> None:
    samples = [sample(1), sample(2, status=503), sample(3, status=None), sample(4, status=409)]

    assert (requests(samples), errors(samples)) == (4, 2)


def test_shares_are_of_answered_requests_only() -> None:
    samples = [sample(1), sample(2), sample(3), sample(4, STAYS), sample(5, status=None)]

    assert share_by_region(samples) == {GONE: 0.75, STAYS: 0.25}


def test_nothing_answered_has_no_shares() -> None:
    assert share_by_region([sample(1, status=None), sample(2, None, None)]) == {}


def test_a_region_is_left_at_the_last_request_before_the_quiet() -> None:
    samples = steady(GONE, 0, 140) + steady(STAYS, 0, 200)

    assert left_after_s(samples, GONE, since_s=100) == 40


def test_a_straggler_within_thirty_seconds_is_traffic_still() -> None:
    samples = [*steady(GONE, 0, 140), sample(169), *steady(STAYS, 0, 300)]

    assert left_after_s(samples, GONE, since_s=100) == 69


def test_requests_that_came_to_nothing_are_traffic_still() -> None:
    samples = [*steady(GONE, 0, 100), sample(120, status=None), *steady(STAYS, 0, 300)]

    assert left_after_s(samples, GONE, since_s=100) == 20


def test_a_region_that_nobody_asks_has_been_left_at_once() -> None:
    assert left_after_s(steady(STAYS, 0, 200), GONE, since_s=100) == 0


@pytest.mark.parametrize("end", [140, 169])
def test_a_region_is_not_left_before_thirty_seconds_have_been_watched(end: int) -> None:
    samples = [*steady(GONE, 0, 140), *steady(STAYS, 0, 135), sample(end, STAYS)]

    assert left_after_s(samples, GONE, since_s=100) is None


def test_a_region_that_came_back_had_left_all_the_same() -> None:
    samples = steady(GONE, 0, 140) + steady(GONE, 300, 400) + steady(STAYS, 0, 400)

    assert left_after_s(samples, GONE, since_s=100) == 40


def test_a_region_is_back_at_its_first_answer() -> None:
    samples = [*steady(GONE, 0, 140), sample(300, status=None), *steady(GONE, 310, 400)]

    assert back_after_s(samples, GONE, after_s=250) == pytest.approx(60.5)


def test_a_region_that_never_left_is_not_back() -> None:
    assert back_after_s(steady(GONE, 0, 400), GONE, after_s=250) is None


def test_a_region_that_left_for_good_is_not_back() -> None:
    samples = steady(GONE, 0, 140) + steady(STAYS, 0, 400)

    assert back_after_s(samples, GONE, after_s=150) is None


def test_an_earlier_return_is_not_taken_for_this_one() -> None:
    samples = steady(GONE, 0, 50) + steady(GONE, 100, 400)

    assert back_after_s(samples, GONE, after_s=250) is None


def test_the_order_in_which_attempts_ended_does_not_matter() -> None:
    samples = steady(GONE, 0, 140) + steady(STAYS, 0, 200)

    assert left_after_s(samples[::-1], GONE, since_s=100) == 40
