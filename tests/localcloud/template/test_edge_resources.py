"""HTTP APIs, health checks, records, and the alarms behind them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from localcloud.compute.frontdoor import Route
from localcloud.template.errors import TemplateError
from tests.localcloud.template.stacks import REGION, Deploy, function, of, role


def api(integration: dict[str, Any] | None = None, **body: Any) -> dict[str, Any]:
    uri = {"Fn::Sub": "arn:aws:apigateway:x:lambda:path/functions/${F.Arn}/invocations"}
    proxy = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "payloadFormatVersion": "2.0"}
    operation = {"x-amazon-apigateway-integration": proxy | (integration or {}), "responses": {}}
    paths = {"/messages": {"post": operation}}
    return {
        "Role": role("lambda"),
        "F": function(FunctionName="write"),
        "Api": of("AWS::ApiGatewayV2::Api", Body={"openapi": "3.0.1", "paths": paths, **body}),
    }


NAME = {
    "Name": of("AWS::ApiGatewayV2::DomainName", DomainName="api.example.com"),
    "Stage": of("AWS::ApiGatewayV2::Stage", ApiId={"Ref": "Api"}, StageName="$default"),
    "Mapping": of(
        "AWS::ApiGatewayV2::ApiMapping",
        DomainName={"Ref": "Name"},
        ApiId={"Ref": "Api"},
        Stage={"Ref": "Stage"},
    ),
}


def test_an_apis_routes_and_names_are_collected(stack_of: Deploy) -> None:
    stack = stack_of(api() | NAME)

    (made,) = stack.apis
    assert made.routes == [Route("POST", "/messages", "write")]
    own = stack.resources["Api"].attributes["ApiEndpoint"].removeprefix("https://")
    assert made.hosts == {own, "api.example.com"}
    alias = stack.resources["Name"].attributes["RegionalDomainName"]
    assert stack.front_names == {alias: "api.example.com"}


def test_an_apis_own_name_can_be_off(stack_of: Deploy) -> None:
    off = {"x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": True}}

    assert stack_of(api(servers=[off]) | NAME).apis[0].hosts == {"api.example.com"}


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (api({"payloadFormatVersion": "1.0"}), "no integration of aws_proxy 1.0"),
        (api({"timeoutInMillis": 100}), "paths./messages.post: .*timeoutInMillis"),
        (api(security=[]), r"Api\.Body: .*security"),
        ({k: v for k, v in (api() | NAME).items() if k != "Stage"}, "no .*resource Stage"),
    ],
)
def test_an_api_that_is_not_known_is_refused(
    stack_of: Deploy, resources: dict[str, Any], said: str
) -> None:
    with pytest.raises(TemplateError, match=said):
        stack_of(resources)


def test_a_calculated_check_and_its_record_are_there(stack_of: Deploy) -> None:
    route53 = boto3.client("route53", region_name="us-east-1")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="z")["HostedZone"]["Id"]
    config = {"Type": "CALCULATED", "ChildHealthChecks": [], "HealthThreshold": "1"}
    stack = stack_of(
        {
            "Check": of("AWS::Route53::HealthCheck", HealthCheckConfig=config),
            "Record": of(
                "AWS::Route53::RecordSet",
                HostedZoneId=zone.rsplit("/", 1)[-1],
                Name="api.example.com",
                Type="A",
                TTL="60",
                SetIdentifier="here",
                Region=REGION,
                HealthCheckId={"Ref": "Check"},
                ResourceRecords=["192.0.2.1"],
            ),
        }
    )

    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (record,) = [one for one in records if one["Type"] == "A"]
    assert (record["TTL"], record["HealthCheckId"]) == (60, stack.resources["Check"].physical_id)
    told = route53.get_health_check(HealthCheckId=record["HealthCheckId"])["HealthCheck"]
    assert told["HealthCheckConfig"]["HealthThreshold"] == 1


def test_an_alarm_takes_numbers_and_booleans_that_parameters_made_text(stack_of: Deploy) -> None:
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": []}
    queries = [
        {"Id": "a", "MetricStat": {"Metric": metric, "Period": "60", "Stat": "Sum"},
         "ReturnData": "true"},
    ]  # fmt: skip
    alarm = of(
        "AWS::CloudWatch::Alarm",
        AlarmName="lag",
        Metrics=queries,
        EvaluationPeriods="2",
        Threshold="10",
        ComparisonOperator="GreaterThanThreshold",
        ActionsEnabled="false",
    )

    stack_of({"A": alarm})

    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    (told,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (told["EvaluationPeriods"], told["Threshold"]) == (2, 10.0)
    assert told["ActionsEnabled"] is False
