"""Health checkers: when each asks, how long it waits, what it makes of an answer."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from localcloud.network.reach import outside
from localcloud.route53.checkers import EndpointWatch
from tests.localcloud.route53.small_world import (
    EPOCH_S,
    THREE_REGIONS,
    Endpoint,
    SmallWorld,
    endpoint_check,
)


class Watched:
    """An endpoint, its checkers at work, and the times at which one changed its mind."""

    def __init__(self, **settings: Any) -> None:
        self.world = SmallWorld()
        self.endpoint = Endpoint(self.world)
        self.changes: list[float] = []
        self.check = endpoint_check(**settings)
        self.watch = EndpointWatch(
            self.world, self.check, self.endpoint.ask, lambda _: self.changes.append(self.now)
        )

    @property
    def now(self) -> float:
        return float(self.world.env.now)

    def go(self, until: float) -> None:
        if not self.endpoint.asked and self.now == 0:
            self.watch.start()
        self.world.run(until)

    def seen(self) -> set[str]:
        return {str(checker.status) for checker in self.watch.checkers}


# -- when they ask --------------------------------------------------------------------------------


def test_each_checker_has_a_phase_of_its_own() -> None:
    watched = Watched()

    watched.go(10)

    times = [at for at, _, _ in watched.endpoint.asked]
    assert len(times) == 6
    assert len(set(times)) == 6
    assert max(times) - min(times) > 2


def test_the_interval_runs_from_an_answer_to_the_next_request() -> None:
    watched = Watched()
    watched.endpoint.answer_s = 1.5

    watched.go(60)

    by_place = defaultdict(list)
    for at, _, place in watched.endpoint.asked:
        by_place[place].append(at)
    # Two checkers share a place: every other request is the same one's.
    for times in by_place.values():
        assert all(later - sooner == pytest.approx(11.5) for sooner, later in pairwise(times[::2]))


def test_the_same_seed_asks_at_the_same_times() -> None:
    one, other = Watched(), Watched()

    one.go(60)
    other.go(60)

    assert one.endpoint.asked == other.endpoint.asked


def test_a_disabled_check_is_not_asked_until_it_is_enabled() -> None:
    watched = Watched(Disabled=True)
    watched.go(60)
    asked_while_disabled = len(watched.endpoint.asked)

    watched.watch.update(endpoint_check(Disabled=False))
    watched.go(80)

    assert asked_while_disabled == 0
    assert watched.endpoint.asked


def test_checkers_follow_a_change_of_regions() -> None:
    watched = Watched()
    watched.go(30)
    moved = ["us-west-1", "us-west-2", "sa-east-1"]

    watched.watch.update(endpoint_check(Regions=moved))
    watched.endpoint.asked.clear()
    watched.go(60)

    assert {place for _, _, place in watched.endpoint.asked} == {outside(r) for r in moved}


def test_checkers_in_new_regions_begin_with_the_state_so_far() -> None:
    watched = Watched()
    watched.endpoint.status = 500
    watched.go(60)

    watched.watch.update(endpoint_check(Regions=["us-west-1", "ap-southeast-1", "sa-east-1"]))

    assert not watched.watch.healthy()


def test_a_stopped_watch_asks_nothing_more() -> None:
    watched = Watched()
    watched.go(30)
    watched.endpoint.asked.clear()

    watched.watch.stop()
    watched.go(90)

    assert watched.endpoint.asked == []


# -- how long they wait ---------------------------------------------------------------------------


@pytest.mark.parametrize(("answer_s", "good"), [(1.9, True), (2.1, False)])
def test_an_answer_counts_within_two_seconds(answer_s: float, good: bool) -> None:
    watched = Watched(FailureThreshold=1)
    watched.endpoint.answer_s = answer_s

    watched.go(20)

    assert watched.watch.healthy() is good


def test_no_connection_is_a_failure_after_four_seconds() -> None:
    watched = Watched(FailureThreshold=1)
    watched.endpoint.dead_to.add("everyone")

    watched.go(20)

    first_asked = watched.endpoint.asked[0][0]
    assert watched.changes[0] == pytest.approx(first_asked + 4)


def test_a_dead_endpoint_takes_threshold_intervals_and_their_time_outs() -> None:
    watched = Watched()
    watched.endpoint.dead_to.add("everyone")

    watched.go(60)

    first_asked = watched.endpoint.asked[0][0]
    assert watched.changes[0] == pytest.approx(first_asked + 3 * 4 + 2 * 10)


@pytest.mark.parametrize(("answer_s", "good"), [(9.0, True), (11.0, False)])
def test_a_tcp_check_waits_ten_seconds_and_asks_for_nothing_more(
    answer_s: float, good: bool
) -> None:
    watched = Watched(Type="TCP", Port=443, FailureThreshold=1)
    watched.endpoint.answer_s, watched.endpoint.status = answer_s, 500

    watched.go(30)

    assert watched.watch.healthy() is good
    assert {method for _, method, _ in watched.endpoint.asked} == {"CONNECT"}


# -- what they make of it -------------------------------------------------------------------------


def test_a_run_that_is_broken_begins_again() -> None:
    watched = Watched()
    watched.go(15)
    for status, until in ((500, 35), (200, 45), (500, 65)):
        watched.endpoint.status = status
        watched.go(until)

    assert watched.changes == []


@pytest.mark.parametrize(("regions_it_answers", "healthy"), [(1, True), (0, False)])
def test_one_checker_region_of_three_keeps_an_endpoint_healthy(
    regions_it_answers: int, healthy: bool
) -> None:
    watched = Watched()
    watched.endpoint.dead_to = {outside(r) for r in THREE_REGIONS[regions_it_answers:]}

    watched.go(120)

    assert watched.watch.healthy() is healthy


def test_one_of_six_checkers_is_not_more_than_18_percent() -> None:
    watched = Watched()
    watched.go(10)
    believer, *others = watched.watch.checkers

    for checker in others:
        checker.healthy = False

    assert believer.healthy
    assert watched.watch.percentage() == pytest.approx(100 / 6)
    assert not watched.watch.healthy()


@pytest.mark.parametrize(
    ("body", "good"),
    [(b"all is well", True), (b"All Is Well", False), (b"." * 5115 + b"all is well", False)],
)
def test_a_search_string_must_lie_in_the_first_5120_bytes(body: bytes, good: bool) -> None:
    watched = Watched(Type="HTTPS_STR_MATCH", SearchString="all is well", FailureThreshold=1)
    watched.endpoint.body = body

    watched.go(20)

    assert watched.watch.healthy() is good


def test_a_search_string_in_an_error_page_is_still_an_error() -> None:
    watched = Watched(Type="HTTPS_STR_MATCH", SearchString="all is well", FailureThreshold=1)
    watched.endpoint.status, watched.endpoint.body = 500, b"all is well"

    watched.go(20)

    assert not watched.watch.healthy()


def test_a_checker_says_what_it_saw() -> None:
    watched = Watched()
    watched.go(20)
    well = watched.seen()
    watched.endpoint.status = 503
    watched.go(40)
    ill = watched.seen()
    watched.endpoint.unknown = True
    watched.go(60)

    assert well == {"Success: HTTP Status Code 200, OK"}
    assert ill == {"Failure: HTTP Status Code 503, Service Unavailable"}
    assert watched.seen() == {"Failure: DNS resolution failed: no address for api.example.com."}


def test_a_checker_remembers_its_last_failure() -> None:
    watched = Watched()
    watched.endpoint.status = 503
    watched.go(20)
    watched.endpoint.status = 200

    watched.go(60)

    checker = watched.watch.checkers[0]
    assert checker.status == "Success: HTTP Status Code 200, OK"
    assert checker.failure == "Failure: HTTP Status Code 503, Service Unavailable"
    assert EPOCH_S < checker.failure_at < EPOCH_S + 20
