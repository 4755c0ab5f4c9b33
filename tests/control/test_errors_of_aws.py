"""What AWS answers, in our words: what may pass, what a person has to change, what is a bug."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from botocore.retries.standard import ThrottledRetryableChecker

from sidestep.aws.failures import REFUSALS, THROTTLES, calling
from sidestep.core.errors import Refused, SidestepError, Throttled, Unreachable

RETRIED: Any = ThrottledRetryableChecker  # its stub lacks the table
MODELLED_IN = ("dynamodb", "events", "sqs", "sns", "route53", "cloudwatch", "stepfunctions")
OF_EVERY_SERVICE = {
    # IAM's refusal, in the XML and the JSON protocols.
    "AccessDenied",
    "AccessDeniedException",
    *RETRIED._THROTTLED_ERROR_CODES,
}


def told(error: Exception) -> SidestepError:
    with pytest.raises(SidestepError) as caught, calling("the table in eu-west-2"):
        raise error
    return caught.value


def answered(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as AWS says it"}}, "Operation")


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_what_a_person_must_change_is_not_tried_again(code: str) -> None:
    assert isinstance(told(answered(code)), Refused)


@pytest.mark.parametrize("code", sorted(THROTTLES))
def test_a_throttle_may_pass(code: str) -> None:
    assert isinstance(told(answered(code)), Throttled)


@pytest.mark.parametrize(
    "error", [answered("InternalServerError"), EndpointConnectionError(endpoint_url="https://x")]
)
def test_everything_else_of_awss_own_is_a_service_out_of_reach(error: Exception) -> None:
    assert isinstance(told(error), Unreachable)


@pytest.mark.parametrize(
    "bug", [answered("ValidationException"), ParamValidationError(report="no such parameter")]
)
def test_a_request_that_we_made_wrongly_stays_a_bug(bug: Exception) -> None:
    with pytest.raises(type(bug)), calling("the table in eu-west-2"):
        raise bug


def test_the_error_says_what_was_called_and_what_aws_said() -> None:
    assert (
        str(told(answered("AuthorizationError")))
        == "the table in eu-west-2: AuthorizationError: as AWS says it"
    )


@pytest.mark.parametrize("code", sorted(REFUSALS | THROTTLES))
def test_each_code_is_one_that_a_service_of_ours_really_answers(code: str) -> None:
    session: Any = botocore.session.get_session()
    modelled = {
        str(shape.error_code)
        for service in MODELLED_IN
        for shape in session.get_service_model(service).error_shapes
    }

    assert code in modelled | OF_EVERY_SERVICE
