"""One look at a Region from outside, as a client would: a few HTTPS requests, with little patience.

/health says what the Region thinks of itself. The canaries say what clients get: they run
through the same routes, functions and table as a client's write and read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from sidestep.core.canaries import COLD_START, HEALTH, THROTTLED, asked, failed

CONNECT_S = 2.0
"""Longest that a connection may take. A Region that needs longer is as good as gone for clients."""
ANSWER_S = 3.5
"""Longest that an answer may take, the connection included. No warm one may (`slow_probe_ms` is 2 s
at most); a cold start is to be heard out, or it looks like silence. Imports alone take 1.2 s of
CPU (docs/deploy.md); what else it takes on AWS was not measured."""
LOOK_S = 4.0
"""No further request begins so long after the look did: a round is ten seconds, and the function
has eight (template.yaml)."""

_SILENCES: tuple[tuple[type[HTTPError], str], ...] = (
    (ConnectTimeoutError, f"no connection within {CONNECT_S:g} s"),
    (ReadTimeoutError, f"no answer within {ANSWER_S:g} s"),
    (NameResolutionError, "its name has no address"),
    (NewConnectionError, "the connection was refused"),
)
"""What urllib3 raises, in words, the first that fits."""

_NAME = 64
"""No Region's name is as long."""


class EndpointProbe:
    """Asks Regional host names. One pool, kept warm between rounds.

    A connection kept from the look before may be closed while this function is frozen, unseen:
    that is no answer of the Region's. So where a look's first request is closed on one, it is
    made once more, on a new connection and within the same patience.

    The first request of all loads certificates and sets up TLS on a function that has a fraction
    of a processor: that time is the observer's, and the request is cold like a Region's first
    answer. What connects to further Regions is not excused.
    """

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager()
        self._new = True
        self._kept: set[str] = set()  # hosts to which a connection may have been kept

    def look(
        self, region: str, host: str, canaries: bool = True, closer: bool = False
    ) -> dict[str, Any]:
        """What /health answered, and then what the canaries got, if they are wanted:
        `requests`, each with its `status` and `error`, one of them None, its `ms`, and whether
        it may be a cold start's (`cold`). `closer`: as many as doubt asks for. `at_ms`: when the
        look began, by this Region's clock.

        A Region whose /health is not 2xx is asked nothing more, unless it was throttled: the
        canaries' routes have limits of their own, and may still tell. Never raises for what
        the network or the Region does.
        """
        began = time.time()
        health = self._ask(host, HEALTH)
        seen = {
            "region": region,
            "at_ms": int(began * 1000),
            "reached": health["status"] is not None,
            "status": health["status"],
            "latency_ms": health["ms"] if health["status"] is not None else None,
            "error": health["error"],
            "body": _who(health.pop("body")),
            "requests": [health],
        }
        status = health["status"] or 0
        if canaries and (200 <= status < 300 or status == THROTTLED):
            seen["requests"] += self._canaries(host, began, closer)
        return seen

    def _canaries(self, host: str, began: float, closer: bool) -> Iterator[dict[str, Any]]:
        plan = asked(closer)
        what: str | None = next(plan)
        while what is not None and time.time() - began < LOOK_S:
            one = self._ask(host, what)
            del one["body"]
            yield one
            try:
                what = plan.send(failed(one["status"]))
            except StopIteration:
                what = None

    def _ask(self, host: str, what: str) -> dict[str, Any]:
        method, _, path = what.partition(" ")
        started = time.time()
        status, error, body = None, None, b""
        cold, self._new = self._new, False
        try:
            answer = self._answer(method, host, path, first=what == HEALTH)
            status, body = answer.status, answer.data
            cold = cold or COLD_START in answer.headers
        except HTTPError as failure:
            error = _in_words(failure)
        ms = int((time.time() - started) * 1000)
        asked = {"what": what, "status": status, "ms": ms, "error": error, "cold": cold}
        return {**asked, "body": body}

    def _answer(self, method: str, host: str, path: str, first: bool) -> urllib3.BaseHTTPResponse:
        """An answer within our patience; `first` of its look, and so after a freeze, perhaps.

        Raises HTTPError. Only /health is asked twice, which changes nothing there.
        """
        began = time.time()
        kept = host in self._kept
        self._kept.discard(host)
        try:
            answer = self._send(method, host, path, ANSWER_S)
        except ProtocolError:  # a connection that was closed before it brought a whole answer
            left = ANSWER_S - (time.time() - began)
            if not (first and kept) or left <= 0:
                raise
            answer = self._send(method, host, path, left)
        self._kept.add(host)
        return answer

    def _send(self, method: str, host: str, path: str, answer_s: float) -> urllib3.BaseHTTPResponse:
        return self._pool.request(
            method,
            f"https://{host}{path}",
            timeout=urllib3.Timeout(total=answer_s, connect=min(CONNECT_S, answer_s)),
            retries=False,
            headers={"User-Agent": "sidestep-observer"},
        )


def _in_words(failure: HTTPError) -> str:
    """Why there was no answer; urllib3's own words name its objects, by address."""
    for kind, words in _SILENCES:
        if isinstance(failure, kind):
            return words
    return type(failure).__name__


def _who(raw: bytes) -> dict[str, Any] | None:
    """Of a body what a look needs: which Region says that it answered. The rest may be of any
    length, and a state's output may have 256 KiB
    (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return None  # a body that is no JSON is no evidence; the status is
    region = said.get("region") if isinstance(said, dict) else None
    return {"region": region} if isinstance(region, str) and len(region) <= _NAME else None
