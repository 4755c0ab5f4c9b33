"""The toggle: a Region's switch check at Route 53, a calculated check without children.

HealthThreshold 0 of no children is always healthy; 1 of none is never
(https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html).
Never by Disabled, which means healthy, and never by inverting a live endpoint check.

The order within `set` is the fence: read the version, prove the lease, write with that
version, always, even if the check already looks right. A holder that was fenced off between
its reading and its writing then fails by version, because the new holder wrote too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sidestep.aws.failures import calling, code_of

THRESHOLD_OPEN, THRESHOLD_SHUT = 0, 1
"""HealthThreshold of a healthy and of an unhealthy switch."""
_TRIES = 2


class Toggle:
    """Sets switch checks. Its API lives in us-east-1: expect it to be away, and say so."""

    def __init__(self, route53: Any) -> None:
        self._route53 = route53

    def set(self, check_id: str, drained: bool, prove_lease: Callable[[], object]) -> int:
        """Set the switch; the version that was written. Raises what `prove_lease` raises,
        Throttled, Unreachable or Refused; after a version conflict it tries once more."""
        threshold = THRESHOLD_SHUT if drained else THRESHOLD_OPEN
        for attempt in range(_TRIES):
            version = self._version(check_id)
            prove_lease()
            with calling(f"Route 53 health check {check_id}"):
                try:
                    answer = self._route53.update_health_check(
                        HealthCheckId=check_id,
                        HealthCheckVersion=version,
                        HealthThreshold=threshold,
                    )
                except ClientError as error:
                    if code_of(error) != "HealthCheckVersionMismatch" or attempt == _TRIES - 1:
                        raise
                    continue
            return int(answer["HealthCheck"]["HealthCheckVersion"])
        raise AssertionError("the last attempt returns or raises")

    def _version(self, check_id: str) -> int:
        with calling(f"Route 53 health check {check_id}"):
            answer = self._route53.get_health_check(HealthCheckId=check_id)
        return int(answer["HealthCheck"]["HealthCheckVersion"])
