"""Every test has a fresh account, a clock that stands still, and an SDK that waits for nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import boto3
import pytest
import time_machine
from moto import mock_aws

from tests.api.data_plane import ENVIRONMENT, HERE, DataPlane

NOON = datetime(2026, 11, 23, 12, 0, 2, 637_000, tzinfo=UTC)
"""A little after the sample events."""


@pytest.fixture
def region() -> str:
    """Where the tests of a file take place."""
    return HERE


@pytest.fixture
def plane(region: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataPlane]:
    """One Region's data plane."""
    with a_plane(region, monkeypatch) as made:
        yield made


@contextmanager
def a_plane(region: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataPlane]:
    """A data plane while it lasts; for tests that share one, too."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    # botocore's back-off between attempts; nobody has to wait for it here.
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with mock_aws(), time_machine.travel(NOON, tick=False) as clock:
        plane = DataPlane(region, clock)
        monkeypatch.setenv("SIDESTEP_UNSENT_QUEUE_URL", plane.unsent_url)
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "write")
        yield plane
    boto3.DEFAULT_SESSION = None
