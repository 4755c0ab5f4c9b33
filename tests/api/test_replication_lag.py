"""Replication lag, measured by what arrives from other Regions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.data_plane import FAR, HERE, PEER, DataPlane, Handler, metrics_in, sample

NOW_S = 1_795_435_202
NOW = 1_795_435_202_637


@pytest.fixture
def region() -> str:
    """Where the sample records are from."""
    return PEER


@pytest.fixture
def replicated(plane: DataPlane, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The stream's consumer."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "replicated")
    return plane.cold_start("replicated")


def record(image: dict[str, Any] | None, name: str = "INSERT", at: float = NOW_S) -> dict[str, Any]:
    seen: dict[str, Any] = {"ApproximateCreationDateTime": at}
    if image is not None:
        seen["NewImage"] = image
    return {"eventName": name, "dynamodb": seen}


def heartbeat(region: str, at: int) -> dict[str, Any]:
    return {"pk": {"S": "heartbeat"}, "sk": {"S": region}, "at": {"N": str(at)}}


def test_lag_is_published_by_source_for_heartbeats_and_messages(
    replicated: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    lags = replicated(sample("stream-records"))

    assert lags == {HERE: 1200, FAR: 4200}
    by_source = {found["source"]: found for found in metrics_in(capsys.readouterr().out)}
    assert by_source[HERE]["ReplicationLag"] == [1200.0, 1200.0]
    assert by_source[FAR]["ReplicationLag"] == [4200.0]


def test_lag_has_the_source_as_its_only_dimension(
    replicated: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    replicated(sample("stream-records"))

    for found in metrics_in(capsys.readouterr().out):
        (directive,) = found["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["source"]]
        assert directive["Metrics"] == [{"Name": "ReplicationLag", "Unit": "Milliseconds"}]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(record(heartbeat(PEER, NOW - 900)), id="own-heartbeat"),
        pytest.param(record(None, "REMOVE"), id="deleted-by-ttl"),
        pytest.param(
            record({"pk": {"S": f"probe#{HERE}"}, "sk": {"S": "probe"}, "at": {"N": str(NOW)}}),
            id="probe",
        ),
        pytest.param(
            record(
                {
                    "pk": {"S": "message#x"},
                    "sk": {"S": "message"},
                    "region": {"S": HERE},
                    "written_at": {"N": str(NOW - 600_000)},
                    "repaired_at": {"N": str(NOW)},
                }
            ),
            id="put-back-by-recovery",
        ),
    ],
)
def test_what_says_nothing_about_replication_is_not_measured(
    replicated: Handler, other: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert replicated({"Records": [other]}) == {}
    assert metrics_in(capsys.readouterr().out) == []


def test_a_stream_that_is_read_late_does_not_lengthen_the_lag(replicated: Handler) -> None:
    late = record(heartbeat(HERE, NOW - 600_000 - 200), at=NOW_S - 600)

    assert replicated({"Records": [late]}) == {HERE: 563}


def test_a_clock_behind_the_sources_counts_as_no_lag(replicated: Handler) -> None:
    assert replicated({"Records": [record(heartbeat(HERE, NOW + 300))]}) == {HERE: 0}


@pytest.mark.filterwarnings("error")
def test_a_whole_batch_of_one_region_is_measured_without_complaint(
    replicated: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = [record(heartbeat(HERE, NOW - 900)) for _ in range(100)]

    replicated({"Records": batch})

    measured = [
        lag for found in metrics_in(capsys.readouterr().out) for lag in found["ReplicationLag"]
    ]
    assert len(measured) == 100
