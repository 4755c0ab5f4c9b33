"""Every test has fresh tables in every Region, a clock of its own, and an SDK that waits not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
import time_machine
from moto import mock_aws

from tests.control.control_plane import ENVIRONMENT, ControlPlane

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """Three guarded Regions and a coordination table."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # botocore's back-off between attempts; nobody has to wait for it here.
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with mock_aws(), time_machine.travel(NOON, tick=False) as clock:
        yield ControlPlane(clock, monkeypatch)
    boto3.DEFAULT_SESSION = None
