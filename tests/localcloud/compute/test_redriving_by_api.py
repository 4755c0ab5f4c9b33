"""RedriveExecution as boto3 sees it: what it answers, refuses and remembers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.asl import Execution
from localcloud.cloud import LocalCloud
from localcloud.compute.stepfunctions import TOKEN_VALID_S

HERE, THERE = "eu-west-2", "us-east-1"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as cloud:
        yield cloud


def stopped(cloud: LocalCloud) -> Execution:
    """A failover of another Region that a person has stopped at once."""
    execution = cloud.stepfunctions.start(cloud.machine(THERE, "failover"), {"region": HERE})
    execution.stop("Enough")
    return execution


def ask(cloud: LocalCloud, operation: str, **given: Any) -> Any:
    return getattr(cloud.client("stepfunctions", THERE), operation)(**given)


def test_the_same_clients_token_redrives_once_for_a_quarter_of_an_hour(cloud: LocalCloud) -> None:
    execution = stopped(cloud)
    order = {"executionArn": execution.arn, "clientToken": "mine"}

    first = ask(cloud, "redrive_execution", **order)
    execution.stop("Enough")
    again = ask(cloud, "redrive_execution", **order)
    assert (first, execution.redrive_count) == (
        {**again, "ResponseMetadata": first["ResponseMetadata"]},
        1,
    )

    cloud.kernel.run(until=cloud.kernel.env.now + TOKEN_VALID_S + 1)
    ask(cloud, "redrive_execution", **order)
    assert execution.redrive_count == 2
    execution.stop("Enough")


def test_what_runs_or_has_succeeded_or_was_never_there_is_refused(cloud: LocalCloud) -> None:
    execution = cloud.stepfunctions.start(cloud.machine(THERE, "failover"), {"region": HERE})

    with pytest.raises(ClientError, match=r"ExecutionNotRedrivable.*RUNNING"):
        ask(cloud, "redrive_execution", executionArn=execution.arn)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        ask(cloud, "redrive_execution", executionArn=execution.arn + "-not")
    execution.stop("Enough")


def test_an_execution_tells_whether_and_how_often_it_was_redriven(cloud: LocalCloud) -> None:
    execution = stopped(cloud)
    arn = execution.arn
    before = ask(cloud, "describe_execution", executionArn=arn)
    answer = ask(cloud, "redrive_execution", executionArn=arn)
    after = ask(cloud, "describe_execution", executionArn=arn)
    machine = cloud.machine(THERE, "failover")
    listed = ask(cloud, "list_executions", stateMachineArn=machine)["executions"]

    assert (before["redriveStatus"], before["redriveCount"]) == ("REDRIVABLE", 0)
    assert "redriveDate" not in before
    assert after["redriveStatus"] == "NOT_REDRIVABLE"
    assert after["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert (after["redriveCount"], after["redriveDate"]) == (1, answer["redriveDate"])
    assert "stopDate" not in after
    assert next(one for one in listed if one["executionArn"] == arn)["redriveCount"] == 1
    execution.stop("Enough")
