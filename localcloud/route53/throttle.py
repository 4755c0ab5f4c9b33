"""Token buckets in simulated time: how many API calls Route 53 takes."""

from __future__ import annotations

from collections.abc import Callable

from localcloud.calls.wire import AwsError
from localcloud.route53.limits import ACCOUNT_BUCKET, OPERATION_BUCKETS


class Bucket:
    """Holds at most `burst` tokens and gains `rate` a second."""

    def __init__(self, now: float, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._tokens, self._at = burst, now

    def level(self, now: float) -> float:
        """Tokens in it now."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens

    def take(self) -> None:
        """Take a token out. Look at the level first."""
        self._tokens -= 1


class Throttle:
    """One account's buckets: one for all calls together, one for each operation."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._account = Bucket(now(), *ACCOUNT_BUCKET)
        self._operations: dict[str, Bucket] = {}

    def admit(self, operation: str) -> None:
        """Count a call. Raises AwsError Throttling (HTTP 400) when either bucket is empty."""
        now = self._now()
        own = self._operations.get(operation)
        if own is None:
            own = Bucket(now, *OPERATION_BUCKETS.get(operation, ACCOUNT_BUCKET))
            self._operations[operation] = own
        if self._account.level(now) < 1 or own.level(now) < 1:
            raise AwsError("Throttling", "Rate exceeded", 400)
        self._account.take()
        own.take()
