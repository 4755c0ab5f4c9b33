"""Timestamps as Step Functions reads and writes them: RFC 3339, UTC with a `Z`.

https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


def parse_timestamp(text: str) -> float:
    """Epoch seconds. Raises ValueError for what is not an RFC 3339 date-time."""
    if _RFC3339.fullmatch(text):
        return datetime.fromisoformat(text).timestamp()
    raise ValueError(f"'{text}' is not a timestamp such as 2026-01-01T00:00:00Z")


def format_timestamp(epoch_s: float) -> str:
    """`2026-01-01T00:00:00.000Z`, as the context object and AWS SDK results have it."""
    moment = datetime.fromtimestamp(epoch_s, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
