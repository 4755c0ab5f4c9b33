"""A handler's import: no call to AWS, no work for later, every need said at once."""

from __future__ import annotations

import threading

import pytest

from sidestep.aws.settings import SettingsError
from tests.api.data_plane import ROOT, DataPlane

HANDLERS = sorted(
    path.stem
    for path in (ROOT / "functions" / "sidestep" / "api").glob("*.py")
    if "\ndef handler(" in path.read_text()
)


def test_the_handlers_are_those_of_the_contract() -> None:
    contract = {"write", "history", "health", "drained", "ledger", "reemit", "replicated"}

    assert set(HANDLERS) == contract


@pytest.mark.parametrize("name", HANDLERS)
def test_a_cold_start_calls_nothing_and_starts_no_thread(plane: DataPlane, name: str) -> None:
    threads = threading.active_count()

    plane.cold_start(name)

    assert plane.faults.calls == []
    assert threading.active_count() == threads


@pytest.mark.parametrize("name", HANDLERS)
def test_a_deployment_that_forgot_a_variable_fails_at_the_first_cold_start(
    plane: DataPlane, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIDESTEP_REGIONAL_TABLE")

    with pytest.raises(SettingsError, match="SIDESTEP_REGIONAL_TABLE"):
        plane.cold_start(name)


def test_the_write_function_needs_its_queue_of_unsent_events(
    plane: DataPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIDESTEP_UNSENT_QUEUE_URL")

    with pytest.raises(SettingsError, match="SIDESTEP_UNSENT_QUEUE_URL"):
        plane.cold_start("write")
