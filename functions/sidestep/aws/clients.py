"""AWS clients with limits: every adapter takes its own from here.

botocore's defaults (60 s to connect, 60 s to read, five tries) outlive any Lambda
time-out: a call that hangs would take the whole handler with it, and nobody would get
an answer. Every client therefore states how long it may take.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config


def client(
    service: str,
    region: str,
    *,
    connect_timeout: float = 1.0,
    read_timeout: float = 2.0,
    attempts: int = 2,
) -> Any:
    """A boto3 client for a service by its botocore name, in a Region.

    Times are seconds for each attempt; `attempts` counts the first one too. Makes no call.
    The longest that one call can take is `longest_call_s(...)`.
    """
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # A Lambda environment freezes between invocations; a probe finds the sockets that died.
        tcp_keepalive=True,
    )
    make: Any = boto3.client  # its stubs, where installed, know only literal service names
    return make(service, region_name=region, config=config)


def longest_call_s(connect_timeout: float, read_timeout: float, attempts: int) -> float:
    """The longest that one call can take, in seconds, when every attempt fails slowly.

    The wait before attempt n+1 is a random part of 2^(n-1) s after a throttle (less after
    other errors), at most 20 s (botocore/retries/standard.py, ExponentialBackoff).
    """
    waits = sum(min(20.0, 2.0 ** (n - 1)) for n in range(1, attempts))
    return attempts * (connect_timeout + read_timeout) + waits
