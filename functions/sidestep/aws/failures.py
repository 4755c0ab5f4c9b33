"""What botocore raises, told as our own errors; our bugs are let through as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from sidestep.core.errors import Refused, SidestepError, Throttled, Unreachable

# botocore/retries/standard.py, ThrottledRetryableChecker: those that our services use.
THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "LimitExceededException",
        "RequestThrottled",
    }
)
# Asking again cannot help until a person has changed something.
REFUSALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",  # SNS
        "NoSuchHealthCheck",  # Route 53
        "ResourceNotFoundException",
    }
)
# The request itself was wrong: a bug, which must not look like a passing trouble.
BUGS = frozenset({"ValidationException", "SerializationException"})


def code_of(error: ClientError) -> str:
    """The error code that the service answered with."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Tell the failure of a call to `what` as Throttled, Refused or Unreachable.

    After Unreachable by a time-out, what was asked for may have been done all the same.
    """
    try:
        yield
    except ParamValidationError:
        raise
    except BotoCoreError as error:
        raise Unreachable(f"{what}: {error}") from error
    except ClientError as error:
        if code_of(error) in BUGS:
            raise
        raise _told(what, error) from error


def _told(what: str, error: ClientError) -> SidestepError:
    code = code_of(error)
    said = f"{what}: {code}: {error.response.get('Error', {}).get('Message', '')}"
    if code in THROTTLES:
        return Throttled(said)
    if code in REFUSALS:
        return Refused(said)
    return Unreachable(said)
