"""The toggle: the threshold of a Region's own check at Route 53, which adds up all others.

Open, it is their number: any one unhealthy takes the Region out. Shut, it is one more: "a number
greater than the number of child health checks" is always unhealthy (UpdateHealthCheckRequest,
botocore's route53 model). It is no check of its own, for "you can't configure a calculated health
check to monitor the health of other calculated health checks"
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html).
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

_TRIES = 2


class Toggle:
    """Sets thresholds. Its API lives in us-east-1: expect it to be away, and say so."""

    def __init__(self, route53: Any) -> None:
        self._route53 = route53

    def set(self, check_id: str, drained: bool, prove_lease: Callable[[], object]) -> int:
        """Set the switch; the version that was written. Raises what `prove_lease` raises,
        Throttled, Unreachable or Refused; after a version conflict it tries once more."""
        for attempt in range(_TRIES):
            version, children = self._read(check_id)
            prove_lease()
            with calling(f"Route 53 health check {check_id}"):
                try:
                    answer = self._route53.update_health_check(
                        HealthCheckId=check_id,
                        HealthCheckVersion=version,
                        HealthThreshold=threshold(children, drained),
                    )
                except ClientError as error:
                    if code_of(error) != "HealthCheckVersionMismatch" or attempt == _TRIES - 1:
                        raise
                    continue
            return int(answer["HealthCheck"]["HealthCheckVersion"])
        raise AssertionError("the last attempt returns or raises")

    def _read(self, check_id: str) -> tuple[int, int]:
        """The check's version, and the number of its children."""
        with calling(f"Route 53 health check {check_id}"):
            answer = self._route53.get_health_check(HealthCheckId=check_id)
        check = answer["HealthCheck"]
        return int(check["HealthCheckVersion"]), len(
            check["HealthCheckConfig"]["ChildHealthChecks"]
        )


def threshold(children: int, drained: bool) -> int:
    """HealthThreshold of a Region's check of so many children."""
    return children + 1 if drained else children
