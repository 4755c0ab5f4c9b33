"""AWS clients with limits: every adapter takes its own from here.

botocore's defaults (60 s to connect, 60 s to read, five tries) outlive any Lambda
time-out: a call that hangs would take the whole handler with it, and nobody would get
an answer. Every client therefore states how long it may take.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

CLOSED_SHARE = 1 / 6
"""Of the read time-out: what a client of one attempt takes for a kept connection that had died.
Such a closing comes within a round trip; one that takes longer is a failure of the service's.
Chosen so that /health's three calls still end within the 2 s that Route 53 waits for."""
_SENT = "sidestep-sent-s"
"""Where a request's context keeps when it was made, in seconds of the monotonic clock."""


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

    A Lambda environment freezes between invocations, and the connections that it keeps may be
    closed meanwhile, unseen: the first call on such a one fails in a Region that is well.
    TCP keep-alive finds none of them: botocore sets no more than SO_KEEPALIVE (args.py), Linux
    sends its first probe after 7,200 s (man 7 tcp, tcp_keepalive_time), and nothing is sent
    while frozen. So a client of one attempt makes a second one, at once and on a new
    connection, where the first was closed before an answer; after a time-out or an error that
    was answered it makes none. The request may have been done already, so whoever asks for one
    attempt has to bear that it is made twice.
    """
    config = Config(
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION  # stubs, where installed, know only literal service names
    # With the session, whose clients take its handlers over; one of the same id is there once.
    session.events.register("request-created", _note_sending, unique_id=_SENT)
    session.events.register("needs-retry", _once_more_if_closed, unique_id="sidestep-closed")
    return session.client(service, region_name=region, config=config)


def longest_call_s(connect_timeout: float, read_timeout: float, attempts: int) -> float:
    """The longest that one call can take, in seconds, when every attempt fails slowly.

    The wait before attempt n+1 is a random part of 2^(n-1) s after a throttle (less after
    other errors), at most 20 s (botocore/retries/standard.py, ExponentialBackoff). The one
    attempt of a client that has no other may come after a closing (CLOSED_SHARE).
    """
    waits = sum(min(20.0, 2.0 ** (n - 1)) for n in range(1, attempts))
    closed = read_timeout * CLOSED_SHARE if attempts == 1 else 0.0
    return attempts * (connect_timeout + read_timeout) + waits + closed


def _note_sending(request: Any, **_: Any) -> None:
    """botocore hook: a request is made, for an attempt."""
    request.context[_SENT] = time.monotonic()


def _once_more_if_closed(
    attempts: int, caught_exception: Exception | None, request_dict: Mapping[str, Any], **_: Any
) -> float | None:
    """botocore hook: how long to wait before another attempt, None for no opinion.

    The pool gives a new connection to the attempt after a closing: the connection given back
    last is used first, and one that failed is given back as none (urllib3's LifoQueue).
    """
    context = request_dict["context"]
    config = context["client_config"]
    if attempts > 1 or (config.retries or {}).get("total_max_attempts") != 1:
        return None
    if not isinstance(caught_exception, ConnectionClosedError):
        return None
    taken_s = time.monotonic() - context[_SENT]
    return 0.0 if taken_s <= config.read_timeout * CLOSED_SHARE else None
