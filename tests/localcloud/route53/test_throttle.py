"""How many API calls Route 53 takes: an account's bucket, and one for each operation."""

from __future__ import annotations

import pytest

from localcloud.calls.wire import AwsError
from localcloud.route53.throttle import Throttle


class Callers:
    """Calls at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.throttle = Throttle(lambda: self.now)

    def taken(self, operation: str, calls: int) -> int:
        """How many of so many calls at this moment are taken."""
        taken = 0
        for _ in range(calls):
            try:
                self.throttle.admit(operation)
            except AwsError:
                continue
            taken += 1
        return taken


@pytest.mark.parametrize(
    ("operation", "burst", "in_ten_seconds"),
    [
        ("GetHealthCheckStatus", 4, 4),
        ("GetHealthCheckLastFailureReason", 4, 4),
        ("CreateHealthCheck", 50, 5),
        ("DeleteHealthCheck", 15, 15),
        ("UpdateHealthCheck", 50, 50),
        ("ChangeResourceRecordSets", 50, 50),
    ],
)
def test_an_operation_has_its_burst_and_then_its_rate(
    operation: str, burst: int, in_ten_seconds: int
) -> None:
    callers = Callers()

    first = callers.taken(operation, 200)
    callers.now += 10

    assert (first, callers.taken(operation, 200)) == (burst, in_ten_seconds)


def test_a_throttle_is_a_bad_request_as_route_53_words_it() -> None:
    callers = Callers()
    callers.taken("GetHealthCheckStatus", 4)

    with pytest.raises(AwsError, match="Rate exceeded") as refused:
        callers.throttle.admit("GetHealthCheckStatus")

    assert (refused.value.code, refused.value.status) == ("Throttling", 400)


def test_all_operations_together_have_the_accounts_bucket() -> None:
    callers = Callers()
    callers.taken("UpdateHealthCheck", 48)

    assert callers.taken("GetHealthCheckStatus", 4) == 2


def test_a_call_that_was_throttled_takes_no_token() -> None:
    callers = Callers()
    callers.taken("GetHealthCheckStatus", 200)

    assert callers.taken("UpdateHealthCheck", 200) == 46
