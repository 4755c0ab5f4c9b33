"""The first answer of an execution environment says so, and no later one does."""

from __future__ import annotations

import pytest

from sidestep.core.canaries import COLD_START
from tests.api.data_plane import DataPlane, sample, silent

ROUTES = [
    ("health", "api-health"),
    ("write", "api-canary"),
    ("write", "api-write"),
    ("history", "api-history"),
    ("drained", "api-drained"),
]


@pytest.mark.parametrize(("name", "event"), ROUTES)
def test_the_first_answer_of_each_environment_says_that_it_is(
    plane: DataPlane, name: str, event: str
) -> None:
    for _ in range(2):
        environment = plane.cold_start(name)

        first, second = (plane.request(environment, sample(event)) for _ in range(2))

        assert first.headers[COLD_START] == "true"
        assert first.headers["Content-Type"] == "application/json"
        assert COLD_START not in second.headers


def test_a_failure_says_so_too_and_uses_it_up(plane: DataPlane) -> None:
    environment = plane.cold_start("write")
    plane.faults.strike("PutItem", silent)

    failed = plane.request(environment, sample("api-canary"))

    assert (failed.status, failed.headers[COLD_START]) == (503, "true")
    assert COLD_START not in plane.request(environment, sample("api-canary")).headers
