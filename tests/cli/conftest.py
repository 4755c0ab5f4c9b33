"""Commands that run in the tests' process find no session of another command's there."""

from __future__ import annotations

import boto3
import pytest


@pytest.fixture(autouse=True)
def no_session_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own; what a local cloud has put there is back afterwards."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
