"""Functions, permissions and event sources, as the local Lambda runs them."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.services import QueueSource, StreamSource
from localcloud.services.async_invoke import AsyncSettings
from localcloud.template.errors import TemplateError
from localcloud.template.stack import Permission
from tests.localcloud.template.stacks import REGION, Deploy, function, of, role


def test_a_function_runs_from_its_own_sources_with_lambdas_environment(stack_of: Deploy) -> None:
    more = {"FunctionName": "write", "Timeout": 15, "MemorySize": 512}
    environment = {"Environment": {"Variables": {"TABLE": "data", "N": 3, "AWS_REGION": "x"}}}

    stack = stack_of({"Role": role("lambda"), "F": function(**more, **environment)})

    (made,) = stack.functions
    assert (made.name, made.handler, made.timeout_s, made.memory_mb) == (
        "write", "a.handler", 15.0, 512,
    )  # fmt: skip
    assert made.code.is_dir()
    assert (made.environ["TABLE"], made.environ["N"]) == ("data", "3")
    assert made.environ["AWS_REGION"] == REGION  # reserved: the template cannot set it
    assert stack.resources["F"].attributes["Arn"] == made.arn


def test_a_functions_asynchronous_settings_are_collected(stack_of: Deploy) -> None:
    target = {"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}
    stack = stack_of(
        {
            "Role": role("lambda"),
            "Dead": of("AWS::SQS::Queue", QueueName="dead"),
            "F": function(FunctionName="ledger", DeadLetterConfig=target),
            "Retries": of(
                "AWS::Lambda::EventInvokeConfig",
                FunctionName={"Ref": "F"},
                Qualifier="$LATEST",
                MaximumRetryAttempts=1,
            ),
        }
    )

    dead = f"arn:aws:sqs:{REGION}:123456789012:dead"
    assert stack.asynchronous == {"ledger": AsyncSettings(1, dead_letter_queue_arn=dead)}


def test_permissions_are_collected(stack_of: Deploy) -> None:
    permission = of(
        "AWS::Lambda::Permission",
        FunctionName="arn:aws:lambda:eu-west-2:123456789012:function:write",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="arn:rule",
    )

    assert stack_of({"P": permission}).permissions == [
        Permission(
            f"arn:aws:lambda:{REGION}:123456789012:function:write",
            "events.amazonaws.com",
            "lambda:InvokeFunction",
            "arn:rule",
        )
    ]


QUEUE_ARN = "arn:aws:sqs:eu-west-2:123456789012:unsent"
STREAM_ARN = "arn:aws:dynamodb:eu-west-2:123456789012:table/data/stream/2026-11-23T00:00:00.000"


def mapping(**more: Any) -> dict[str, Any]:
    return {"M": of("AWS::Lambda::EventSourceMapping", FunctionName="reemit", **more)}


def test_a_queues_mapping_is_collected(stack_of: Deploy) -> None:
    stack = stack_of(
        mapping(EventSourceArn=QUEUE_ARN, FunctionResponseTypes=["ReportBatchItemFailures"])
    )

    assert stack.queue_sources == [QueueSource(QUEUE_ARN, "reemit", 10, 0.0, True)]


def test_a_streams_mapping_is_collected(stack_of: Deploy) -> None:
    stack = stack_of(
        mapping(
            EventSourceArn=STREAM_ARN,
            StartingPosition="LATEST",
            MaximumRetryAttempts=3,
            BisectBatchOnFunctionError=True,
        )
    )

    assert stack.stream_sources == [
        StreamSource(REGION, "data", "reemit", maximum_retries=3, bisect=True)
    ]


def test_a_disabled_mapping_is_not_collected(stack_of: Deploy) -> None:
    assert stack_of(mapping(EventSourceArn=QUEUE_ARN, Enabled=False)).queue_sources == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"EventSourceArn": QUEUE_ARN, "FilterCriteria": {}}, "of a queue: .*FilterCriteria"),
        ({"EventSourceArn": "arn:aws:kinesis:x"}, "no event source like arn:aws:kinesis"),
    ],
)
def test_a_mapping_that_is_not_known_is_refused(
    stack_of: Deploy, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(TemplateError, match=said):
        stack_of(mapping(**more))
