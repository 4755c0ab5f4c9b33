"""Metrics: what is recorded, and how the CloudWatch API shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.compute.frontdoor import Api, Served
from localcloud.compute.lambdas import Function, Invocation
from localcloud.services.emf import metrics_in
from localcloud.services.metrics import MetricId, MetricStore
from tests.localcloud.services.world import LONDON, OREGON, World

START = datetime(2026, 1, 1, tzinfo=UTC)
WRITES = {"Namespace": "Sidestep", "MetricName": "Writes"}


def emf(**more: Any) -> str:
    """A line as powertools prints it."""
    return json.dumps(
        {
            "_aws": {
                "Timestamp": 1767225600000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Sidestep",
                        "Dimensions": [["service", "region"]],
                        "Metrics": [
                            {"Name": "Lag", "Unit": "Milliseconds", "StorageResolution": 1},
                            {"Name": "Writes", "Unit": "Count"},
                        ],
                    }
                ],
            },
            "service": "api",
            "region": LONDON,
            "Lag": [250.0, 300],
            "Writes": 1,
            **more,
        }
    )


def test_embedded_metrics_are_read_with_their_dimensions_units_and_resolution() -> None:
    lag, slower, writes = metrics_in(emf())
    assert (lag.namespace, lag.name, lag.value, slower.value) == ("Sidestep", "Lag", 250.0, 300.0)
    assert lag.dimensions == (("region", LONDON), ("service", "api"))
    assert lag.at == START.timestamp()
    assert lag.high_resolution
    assert not writes.high_resolution


@pytest.mark.parametrize(
    "line", ["", "plain text", '{"_aws": 1}', '{"_aws": ', emf(Lag="slow", Writes=True)]
)
def test_a_line_that_is_not_embedded_metric_format_makes_no_metric(line: str) -> None:
    assert list(metrics_in(line)) == []


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 5050.0),
        ("Average", 50.5),
        ("Minimum", 1.0),
        ("Maximum", 100.0),
        ("SampleCount", 100.0),
        ("p50", 50.5),
        ("p99", 99.01),
        ("p100", 100.0),
    ],
)
def test_every_statistic_of_a_hundred_values(statistic: str, expected: float) -> None:
    store = MetricStore()
    for value in range(1, 101):
        store.record(MetricId("r", "N", "m"), float(value), at=value % 60)
    found = store.sample(MetricId("r", "N", "m"), 0, 60).statistic(statistic)
    assert found == pytest.approx(expected)


def test_route_53_metrics_exist_in_us_east_1_only() -> None:
    store = MetricStore()
    store.record(MetricId("us-east-1", "AWS/Route53", "HealthCheckStatus"), 1.0, 0.0)
    with pytest.raises(ValueError, match="us-east-1"):
        store.record(MetricId(OREGON, "AWS/Route53", "HealthCheckStatus"), 1.0, 0.0)


def test_put_values_come_back_by_get_metric_data_and_statistics_in_their_region_only(
    world: World,
) -> None:
    here, there = world.client("cloudwatch", LONDON), world.client("cloudwatch", OREGON)
    where = [{"Name": "service", "Value": "api"}]
    datum = {"MetricName": "Writes", "Dimensions": where, "Unit": "Count"}
    here.put_metric_data(
        Namespace="Sidestep",
        MetricData=[
            {**datum, "Value": 2.0, "Timestamp": START + timedelta(seconds=10)},
            {**datum, "Values": [3.0], "Counts": [2], "Timestamp": START + timedelta(seconds=70)},
        ],
    )
    world.run(600)
    window = {"StartTime": START, "EndTime": START + timedelta(minutes=5)}
    stat = {"Metric": WRITES | {"Dimensions": where}, "Period": 60, "Stat": "Sum"}
    queries = [
        {"Id": "m", "MetricStat": stat, "ReturnData": False},
        {"Id": "double", "Expression": "m * 2"},
    ]
    [found] = here.get_metric_data(
        MetricDataQueries=queries, ScanBy="TimestampAscending", **window
    )["MetricDataResults"]
    assert found["Values"] == [4.0, 12.0]
    assert found["Timestamps"] == [START, START + timedelta(minutes=1)]
    points = here.get_metric_statistics(
        **WRITES, Dimensions=where, Period=300, Statistics=["Sum"], **window
    )["Datapoints"]
    assert [point["Sum"] for point in points] == [8.0]
    p99 = here.get_metric_statistics(
        **WRITES, Dimensions=where, Period=300, ExtendedStatistics=["p99"], **window
    )["Datapoints"]
    assert p99[0]["ExtendedStatistics"]["p99"] == pytest.approx(3.0)
    assert here.list_metrics(Namespace="Sidestep")["Metrics"][0]["Dimensions"] == where
    assert there.list_metrics()["Metrics"] == []


def test_the_namespace_of_aws_is_not_for_us_to_write(world: World) -> None:
    with pytest.raises(ClientError, match="reserved"):
        world.client("cloudwatch", LONDON).put_metric_data(
            Namespace="AWS/Lambda", MetricData=[{"MetricName": "Errors", "Value": 1.0}]
        )


def total(world: World, namespace: str, name: str, *where: tuple[str, str]) -> float | None:
    start = int(START.timestamp())
    return world.metrics.sample(MetricId(LONDON, namespace, name, where), start, 60).statistic(
        "Sum"
    )


def test_lambda_counts_invocations_errors_and_throttles_apart(world: World, tmp_path: Any) -> None:
    function = Function("write", LONDON, "arn", "h", tmp_path, "role", {})
    tell = world.services.service_metrics.invoked
    tell(function, Invocation(None, None, 0.2, emf()))
    tell(function, Invocation(None, {"errorType": "ValueError"}, 0.1))
    tell(function, Invocation(None, {"errorType": "TooManyRequestsException"}, 0.0))
    where = ("FunctionName", "write")
    assert total(world, "AWS/Lambda", "Invocations", where) == 2
    assert total(world, "AWS/Lambda", "Errors", where) == 1
    assert total(world, "AWS/Lambda", "Throttles", where) == 1
    assert total(world, "AWS/Lambda", "Duration", where) == pytest.approx(300)
    assert total(world, "Sidestep", "Writes", ("region", LONDON), ("service", "api")) == 1


def test_an_http_api_counts_by_api_and_by_stage(world: World) -> None:
    api = Api(LONDON, "abc", "$default", [])
    for status in (200, 404, 503):
        world.services.service_metrics.served(Served(api, status, 0.1, None))
    by_stage = (("ApiId", "abc"), ("Stage", "$default"))
    for where in (by_stage[:1], by_stage):
        assert total(world, "AWS/ApiGateway", "Count", *where) == 3
        assert total(world, "AWS/ApiGateway", "4xx", *where) == 1
        assert total(world, "AWS/ApiGateway", "5xx", *where) == 1


def test_queue_depth_is_measured_each_minute(world: World) -> None:
    client = world.client("sqs", LONDON)
    url = client.create_queue(QueueName="q")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="x")
    world.run(61)
    name = ("QueueName", "q")
    start = int(START.timestamp()) + 60
    found = MetricId(LONDON, "AWS/SQS", "ApproximateNumberOfMessagesVisible", (name,))
    assert world.metrics.sample(found, start, 60).statistic("Maximum") == 1


def test_a_message_received_three_times_and_not_deleted_counts_in_no_age(world: World) -> None:
    """SQS developer guide, available CloudWatch metrics: ApproximateAgeOfOldestMessage."""
    client = world.client("sqs", LONDON)
    url = client.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="x")

    def age() -> float:
        world.run(60)
        minute = 60 * (int(world.kernel.now) // 60)
        metric = MetricId(LONDON, "AWS/SQS", "ApproximateAgeOfOldestMessage", (("QueueName", "q"),))
        return float(world.metrics.sample(metric, minute, 60).statistic("Maximum"))

    ages = []
    world.run(1)
    for _ in range(3):
        assert client.receive_message(QueueUrl=url)["Messages"]
        ages.append(age())

    assert ages == [60, 120, 0]
