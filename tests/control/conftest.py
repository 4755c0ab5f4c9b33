"""Every test has fresh tables in every Region, a clock of its own, and an SDK that waits not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    with a_plane(monkeypatch) as made:
        yield made


@contextmanager
def a_plane(monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """A control plane while it lasts; for tests that share one's warm handlers, too."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    # botocore's back-off between attempts; nobody has to wait for it here.
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with mock_aws(), time_machine.travel(NOON, tick=False) as clock:
        yield ControlPlane(clock, monkeypatch)
    boto3.DEFAULT_SESSION = None


@pytest.fixture(scope="module")
def _shared() -> Iterator[ControlPlane]:
    with pytest.MonkeyPatch.context() as env, a_plane(env) as made:
        made.policy(replication_deadline_s=0, worst_lag_ms=0)
        yield made


@pytest.fixture
def warm_plane(_shared: ControlPlane) -> ControlPlane:
    """The same with every Region registered, and handlers that are warm from earlier tests of
    the file: for whole workflows. Its policy waits for no heartbeat."""
    _shared.begin_again()
    _shared.register()
    return _shared
