"""The `world` fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.localcloud.services.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A world with open clocks and an open endpoint, empty of resources."""
    made = World()
    with made.kernel:
        made.endpoint.open()
        try:
            yield made
        finally:
            made.endpoint.close()
