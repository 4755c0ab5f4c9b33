"""When a failed state is tried again: the arithmetic of Retry.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
(Retrying after an error): the nth retry waits IntervalSeconds × BackoffRate^(n-1), at most
MaxDelaySeconds; with FULL jitter a random time between nothing and that.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from localcloud.asl.errors import matches
from localcloud.asl.model import Retrier


def backoff_s(retrier: Retrier, retry: int) -> float:
    """Seconds before the given retry (the first is 1), without jitter."""
    ceiling = float("inf") if retrier.max_delay_s is None else float(retrier.max_delay_s)
    try:
        return min(retrier.interval_s * retrier.backoff_rate ** (retry - 1), ceiling)
    except OverflowError:
        return ceiling


class Attempts:
    """The retries of one visit to a state: each retrier counts its own."""

    def __init__(self, retriers: Sequence[Retrier], chance: random.Random) -> None:
        self._retriers = retriers
        self._chance = chance
        self._used = [0] * len(retriers)

    def delay_s(self, error: str) -> float | None:
        """Seconds to wait before trying again, or None to give up.

        The first retrier that covers the error decides, even when it is used up.
        """
        for index, retrier in enumerate(self._retriers):
            if matches(retrier.error_equals, error):
                if self._used[index] >= retrier.max_attempts:
                    return None
                self._used[index] += 1
                delay_s = backoff_s(retrier, self._used[index])
                return self._chance.uniform(0, delay_s) if retrier.full_jitter else delay_s
        return None
