"""What was asked for is verified by what can be seen; what cannot be seen is unknown, never yes."""

from __future__ import annotations

from typing import Any

import pytest

from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.policy import Policy
from sidestep.core.traffic import Answers, moved
from tests.control.control_plane import LONDON, OREGON, VIRGINIA, ControlPlane

SETTLED_S = 10 * Policy().worst_lag_ms / 1000


def dns(*chosen: str) -> Answers:
    return Answers(chosen, (LONDON, VIRGINIA, OREGON))


@pytest.mark.parametrize(
    ("seen", "served", "dns_moved", "traffic_moved", "done"),
    [
        (dns(VIRGINIA), "no metrics yet", True, None, False),
        (dns(VIRGINIA), 0, True, True, True),
        (dns(VIRGINIA), 7, True, False, False),  # caches and kept connections
        (dns(VIRGINIA), None, True, None, True),  # the Region cannot be asked any more
        (dns(LONDON), 0, False, True, False),
        (dns(VIRGINIA, LONDON), 0, False, True, False),
        (dns("mars-north-1"), 0, None, True, False),  # a name that nobody guards proves nothing
        (dns(), 0, None, True, False),
        (None, 0, None, True, False),
        (None, None, None, None, False),
    ],
)
def test_traffic_is_gone_when_dns_moved_and_nobody_is_known_to_come(
    seen: Answers | None,
    served: int | str | None,
    dns_moved: bool | None,
    traffic_moved: bool | None,
    done: bool,
) -> None:
    known = served if isinstance(served, int) else None
    found = moved("gone", LONDON, seen, known, silent=served is None)

    assert (found.dns, found.traffic, found.done) == (dns_moved, traffic_moved, done)


@pytest.mark.parametrize(
    ("seen", "dns_moved"),
    [
        (dns(LONDON), True),
        (dns(VIRGINIA), False),
        (dns("mars-north-1"), None),
        (dns(), None),
        (None, None),
    ],
)
def test_traffic_is_back_when_dns_answers_the_region(
    seen: Answers | None, dns_moved: bool | None
) -> None:
    found = moved("back", LONDON, seen, None)

    assert (found.dns, found.done) == (dns_moved, dns_moved is True)


def arrived(plane: ControlPlane, claim: dict[str, Any], since: int, **how: Any) -> dict[str, Any]:
    return plane.invoke("replication", claim=claim, since=since, **how)


def test_replication_without_any_heartbeat_is_unknown(plane: ControlPlane) -> None:
    assert arrived(plane, plane.claim(), plane.now)["caught_up"] is None


def test_an_old_heartbeat_is_not_caught_up(plane: ControlPlane) -> None:
    claim, since = plane.claim(), plane.now
    for replica in (VIRGINIA, OREGON):
        plane.beat(LONDON, replica, since - 1)
    plane.later(60)

    assert arrived(plane, claim, since)["caught_up"] is False


def test_a_new_heartbeat_and_ten_times_the_worst_lag_are_caught_up(plane: ControlPlane) -> None:
    claim, since = plane.claim(), plane.now
    for replica in (VIRGINIA, OREGON):
        plane.beat(LONDON, replica, since + CLOCK_SKEW_MS)
    plane.later(SETTLED_S - 1)
    assert arrived(plane, claim, since)["caught_up"] is False

    plane.later(1)

    assert arrived(plane, claim, since)["caught_up"] is True


def test_a_heartbeat_by_a_clock_that_is_ahead_proves_nothing(plane: ControlPlane) -> None:
    """Written 5 s before the start, when replication stopped, by a clock that is 30 s ahead."""
    claim, since = plane.claim(), plane.now
    for replica in (VIRGINIA, OREGON):
        plane.beat(LONDON, replica, since - 5000 + CLOCK_SKEW_MS)
    plane.later(60)

    assert arrived(plane, claim, since)["caught_up"] is False


def test_one_serving_region_that_lags_is_enough_to_be_behind(plane: ControlPlane) -> None:
    claim, since = plane.claim(), plane.now
    plane.beat(LONDON, VIRGINIA, since + CLOCK_SKEW_MS)
    plane.beat(LONDON, OREGON, since - 60_000)
    plane.later(SETTLED_S)

    answer = arrived(plane, claim, since)

    assert answer["caught_up"] is False
    assert OREGON in answer["why"]


def test_a_return_asks_both_ways(plane: ControlPlane) -> None:
    claim, since = plane.claim(), plane.now
    for replica in (VIRGINIA, OREGON):
        plane.beat(LONDON, replica, since + CLOCK_SKEW_MS)
    plane.later(SETTLED_S)
    assert arrived(plane, claim, since)["caught_up"] is True

    answer = arrived(plane, claim, since, both=True)

    assert answer["caught_up"] is None
    assert f"in {LONDON}" in answer["why"]


def test_a_replica_that_cannot_be_read_is_unknown(plane: ControlPlane) -> None:
    claim = plane.claim()
    plane.silent.add(("dynamodb", OREGON))
    plane.beat(LONDON, VIRGINIA, plane.now)
    plane.later(SETTLED_S)

    assert arrived(plane, claim, plane.now - 60_000)["caught_up"] is None
