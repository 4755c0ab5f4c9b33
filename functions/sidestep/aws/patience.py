"""Reads again after a throttle, with a pause that grows: who gives up loses a whole source."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sidestep.core.errors import Throttled

Answer = TypeVar("Answer")
FIRST_PAUSE_S = 0.1
"""Before the second try; twice as long before each one after. Of keys that a BatchGetItem left
unprocessed AWS says that those who ask at once are throttled again, and to wait for longer each
time (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)."""
PAGE_TRIES = 3
"""Of a page of a ledger or a history: after them it ends there. Several pages may be in a stretch
(`write_ledger.PAGES`), within which no lease is renewed."""
BATCH_TRIES = 5
"""Of a BatchGetItem, throttled as a whole or in part: a second and a half of pauses in all, and
after it the replica counts as one that cannot be read."""


def patiently(read: Callable[[], Answer], tries: int) -> Answer:
    """What a read answers, tried again for as long as it is throttled, `tries` times in all.

    Whoever does not answer at all is not asked again: that takes seconds each time, and the SDK has
    tried twice. Raises what the last try raised.
    """
    for failed in range(tries - 1):
        try:
            return read()
        except Throttled:
            time.sleep(FIRST_PAUSE_S * 2**failed)
    return read()
