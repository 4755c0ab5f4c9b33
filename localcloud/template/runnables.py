"""Builders of what the local cloud itself runs: functions, workflows, APIs, event sources."""

from __future__ import annotations

import json
import re
from typing import Any

from localcloud.frontdoor import Api, Route
from localcloud.lambdas import Function
from localcloud.services import QueueSource, StreamSource
from localcloud.stepfunctions import machine_arn
from localcloud.template.deploy import Deployment, builds
from localcloud.template.intrinsics import TemplateError
from localcloud.template.stack import Machine, Permission

Built = tuple[str, dict[str, Any]]


@builds(
    "AWS::Lambda::Function",
    "FunctionName Handler Role Environment Timeout MemorySize Code",
    "Runtime Architectures Layers TracingConfig LoggingConfig Description DeadLetterConfig "
    "ReservedConcurrentExecutions SnapStart EphemeralStorage PackageType",
)
def _function(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("FunctionName") or d.generated(logical)
    arn = d.arn("lambda", f"function:{name}")
    environ = {
        key: str(value) for key, value in p.get("Environment", {}).get("Variables", {}).items()
    }
    d.stack.functions.append(
        Function(
            name=name,
            region=d.stack.region,
            arn=arn,
            handler=p["Handler"],
            code=d.code[logical],
            role_arn=p["Role"],
            # What Lambda itself adds
            # (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
            environ=environ
            | {
                "AWS_REGION": d.stack.region,
                "AWS_DEFAULT_REGION": d.stack.region,
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "TZ": ":UTC",
            },
            timeout_s=float(p.get("Timeout", 3)),
            memory_mb=int(p.get("MemorySize", 128)),
        )
    )
    return name, {"Arn": arn}


@builds(
    "AWS::Lambda::LayerVersion",
    "Content",
    "LayerName CompatibleRuntimes CompatibleArchitectures Description LicenseInfo",
)
def _layer(d: Deployment, logical: str, _p: dict[str, Any]) -> Built:
    arn = d.arn("lambda", f"layer:{logical}:1")
    return arn, {"LayerVersionArn": arn}


@builds("AWS::Lambda::Permission", "FunctionName Action Principal SourceArn SourceAccount")
def _permission(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = str(p["FunctionName"]).rsplit(":", 1)[-1]
    arn = d.arn("lambda", f"function:{name}")
    d.stack.permissions.append(Permission(arn, p["Principal"], p["Action"], p.get("SourceArn")))
    return d.generated(logical), {}


@builds(
    "AWS::Lambda::EventSourceMapping",
    "EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds StartingPosition "
    "FunctionResponseTypes FilterCriteria MaximumRetryAttempts MaximumRecordAgeInSeconds "
    "BisectBatchOnFunctionError DestinationConfig Enabled",
    "ParallelizationFactor ScalingConfig",
)
def _mapping(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    source, function = p["EventSourceArn"], str(p["FunctionName"]).rsplit(":", 1)[-1]
    partial = "ReportBatchItemFailures" in p.get("FunctionResponseTypes", [])
    window = float(p.get("MaximumBatchingWindowInSeconds", 0))
    if ":sqs:" in source:
        d.stack.queue_sources.append(
            QueueSource(source, function, int(p.get("BatchSize", 10)), window, partial)
        )
    elif "/stream/" in source:
        target = p.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        retries, age = p.get("MaximumRetryAttempts"), p.get("MaximumRecordAgeInSeconds")
        d.stack.stream_sources.append(
            StreamSource(
                region=d.stack.region,
                table=source.split("table/", 1)[1].split("/")[0],
                function_name=function,
                batch_size=int(p.get("BatchSize", 100)),
                window_s=window,
                from_start=p.get("StartingPosition") == "TRIM_HORIZON",
                maximum_retries=None if retries in (None, -1) else int(retries),
                maximum_age_s=None if age in (None, -1) else float(age),
                bisect=bool(p.get("BisectBatchOnFunctionError", False)),
                partial_failures=partial,
                on_failure_queue_arn=target,
                filters=tuple(
                    one["Pattern"] for one in p.get("FilterCriteria", {}).get("Filters", [])
                ),
            )
        )
    else:
        raise TemplateError(f"{logical}: no event source like {source}")
    return d.generated(logical), {}


@builds(
    "AWS::StepFunctions::StateMachine",
    "StateMachineName StateMachineType DefinitionString DefinitionSubstitutions RoleArn",
    "LoggingConfiguration TracingConfiguration",
)
def _machine(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    name = p.get("StateMachineName") or d.generated(logical)
    substitutions = p.get("DefinitionSubstitutions", {})

    def substitute(found: re.Match[str]) -> str:
        if found[1] not in substitutions:
            raise TemplateError(
                f"{logical}: nothing is given for ${{{found[1]}}} in its definition"
            )
        return json.dumps(str(substitutions[found[1]]))[1:-1]

    definition = re.sub(r"\$\{(\w+)\}", substitute, p["DefinitionString"])
    kind = p.get("StateMachineType", "STANDARD")
    arn = machine_arn(d.stack.region, name)
    d.client("stepfunctions").create_state_machine(
        name=name, definition=definition, roleArn=p["RoleArn"], type=kind
    )
    d.stack.machines.append(Machine(arn, name, p["RoleArn"], definition, kind == "EXPRESS"))
    return arn, {"Arn": arn, "Name": name}


_METHODS = {
    "get",
    "post",
    "put",
    "delete",
    "patch",
    "head",
    "options",
    "x-amazon-apigateway-any-method",
}


@builds(
    "AWS::ApiGatewayV2::Api",
    "Body Name ProtocolType DisableExecuteApiEndpoint",
    "FailOnWarnings CorsConfiguration Description",
)
def _api(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    api_id = re.sub(r"[^a-z0-9]", "", f"{logical}{d.stack.region}".lower())[-10:]
    routes = []
    for path, methods in p["Body"].get("paths", {}).items():
        for method, operation in methods.items():
            if method not in _METHODS:
                raise TemplateError(f"{logical}: {method} of {path} is no method")
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            function = uri.split(":function:")[-1].split("/")[0]
            verb = "ANY" if method.startswith("x-") else method.upper()
            routes.append(Route(verb, path, function))
    endpoint = f"{api_id}.execute-api.{d.stack.region}.amazonaws.com"
    hosts = set() if p.get("DisableExecuteApiEndpoint") else {endpoint}
    d.stack.apis.append(Api(d.stack.region, api_id, "$default", routes, hosts))
    return api_id, {"ApiEndpoint": f"https://{endpoint}", "ApiId": api_id}


@builds(
    "AWS::ApiGatewayV2::Stage",
    "ApiId StageName",
    "AutoDeploy AccessLogSettings DefaultRouteSettings RouteSettings",
)
def _stage(_d: Deployment, _: str, p: dict[str, Any]) -> Built:
    return p["StageName"], {}


@builds("AWS::ApiGatewayV2::DomainName", "DomainName DomainNameConfigurations", "RoutingMode")
def _domain(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    own = f"d-{logical.lower()}.execute-api.{d.stack.region}.amazonaws.com"
    d.stack.front_names[own] = p["DomainName"]
    return p["DomainName"], {"RegionalDomainName": own, "RegionalHostedZoneId": "ZLOCALFRONT"}


@builds("AWS::ApiGatewayV2::ApiMapping", "DomainName ApiId Stage ApiMappingKey")
def _api_mapping(d: Deployment, logical: str, p: dict[str, Any]) -> Built:
    for api in d.stack.apis:
        if api.api_id == p["ApiId"]:
            api.hosts.add(p["DomainName"])
            return d.generated(logical), {}
    raise TemplateError(f"{logical}: no API {p['ApiId']} in this stack")
