"""One look at a Region from outside: HTTPS GET of its public /health, with little patience."""

from __future__ import annotations

import json
import time
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

TOTAL_S = 2.0
"""Longest that a look takes. A Region that needs longer is as good as gone for its clients."""


class EndpointProbe:
    """Asks Regional host names. One pool, kept warm between rounds."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager()

    def look(self, region: str, host: str) -> dict[str, Any]:
        """What /health answered: never raises for what the network or the Region does."""
        started = time.time()
        try:
            answer = self._pool.request(
                "GET",
                f"https://{host}/health",
                timeout=urllib3.Timeout(total=TOTAL_S),
                retries=False,
                headers={"User-Agent": "sidestep-observer"},
            )
        except HTTPError as error:
            return {
                "region": region,
                "reached": False,
                "status": None,
                "latency_ms": None,
                "error": f"{type(error).__name__}: {error}",
                "body": None,
            }
        return {
            "region": region,
            "reached": True,
            "status": answer.status,
            "latency_ms": int((time.time() - started) * 1000),
            "error": None,
            "body": _json(answer.data),
        }


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None  # a body that is no JSON is no evidence; the status is
