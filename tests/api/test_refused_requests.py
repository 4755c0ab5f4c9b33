"""Requests that cannot be served: a 4xx that says what is wrong, and nothing stored."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.api.data_plane import DataPlane, posting, sample

TEA = {"author": "ada", "text": "Tea at four?"}


@pytest.mark.parametrize(
    ("event", "status", "code", "field"),
    [
        ("api-write-not-json", 400, "not_json", None),
        ("api-write-wrong-content-type", 415, "wrong_content_type", "Content-Type"),
        ("api-write-missing-field", 400, "missing_field", "text"),
        ("api-write-unknown-field", 400, "unknown_field", "region"),
        ("api-write-wrong-type", 400, "wrong_type", "text"),
        ("api-write-too-long", 400, "too_long", "text"),
        (
            "api-write-no-idempotency-key",
            400,
            "missing_idempotency_key",
            "Idempotency-Key",
        ),
    ],
)
def test_a_bad_sample_is_refused_with_its_reason(
    plane: DataPlane, event: str, status: int, code: str, field: str | None
) -> None:
    answer = plane.request(plane.cold_start("write"), sample(event))

    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.body) == {"error"}
    assert answer.body["error"]["code"] == code
    assert answer.body["error"].get("field") == field
    assert answer.body["error"]["message"]
    assert plane.items("data") == []
    assert plane.heard() == []


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        pytest.param("", 400, "not_json", None, id="empty"),
        pytest.param("[" * 10_000, 400, "not_json", None, id="nested-too-deep"),
        pytest.param([TEA], 400, "wrong_type", None, id="a-list"),
        pytest.param("null", 400, "wrong_type", None, id="null"),
        pytest.param({}, 400, "missing_field", "author", id="nothing"),
        pytest.param({**TEA, "author": ""}, 400, "invalid", "author", id="empty-author"),
        pytest.param({**TEA, "text": " \n"}, 400, "invalid", "text", id="blank-text"),
        pytest.param({**TEA, "author": "a" * 65}, 400, "too_long", "author", id="long-author"),
        pytest.param(
            json.dumps({**TEA, "text": "é" * 3000}, ensure_ascii=False),
            400,
            "too_long",
            "text",
            id="long-in-bytes",
        ),
        pytest.param('{"author":"ada","text":"\\ud800"}', 400, "invalid", "text", id="surrogate"),
        pytest.param({**TEA, "text": None}, 400, "wrong_type", "text", id="null-text"),
        pytest.param('{"author": NaN, "text": "x"}', 400, "wrong_type", "author", id="nan"),
        pytest.param({**TEA, "text": "x" * 20_000}, 413, "body_too_large", None, id="too-large"),
    ],
)
def test_a_bad_body_is_refused_with_its_reason(
    plane: DataPlane, body: Any, status: int, code: str, field: str | None
) -> None:
    answer = plane.request(plane.cold_start("write"), posting(body))

    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert answer.body["error"].get("field") == field
    assert plane.items("data") == []


@pytest.mark.parametrize("raw", ["%%%", base64.b64encode(b"\xff\xfe{").decode()])
def test_a_base64_body_that_is_not_utf8_text_is_refused(plane: DataPlane, raw: str) -> None:
    event = posting(raw) | {"isBase64Encoded": True}

    answer = plane.request(plane.cold_start("write"), event)

    assert (answer.status, answer.body["error"]["code"]) == (400, "not_utf8")


@pytest.mark.parametrize("key", ["", "k" * 129, "tab\there"])
def test_a_key_that_cannot_be_one_is_refused(plane: DataPlane, key: str) -> None:
    answer = plane.request(plane.cold_start("write"), posting(TEA, key=key))

    assert answer.status == 400
    assert answer.body["error"]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_content_type_may_be_written_as_http_allows(plane: DataPlane, content_type: str) -> None:
    event = posting(TEA, content_type=content_type)

    assert plane.request(plane.cold_start("write"), event).status == 201


def test_a_refused_request_asks_nothing_of_aws(plane: DataPlane) -> None:
    plane.request(plane.cold_start("write"), sample("api-write-wrong-type"))

    assert plane.faults.calls == []
