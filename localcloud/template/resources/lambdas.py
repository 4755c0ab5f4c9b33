"""Functions, layers, permissions and event source mappings, for the local cloud's own Lambda."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localcloud.calls.endpoint import ACCOUNT
from localcloud.compute.lambdas import Function
from localcloud.services import QueueSource, StreamSource
from localcloud.services.async_invoke import AsyncSettings
from localcloud.template.errors import TemplateError
from localcloud.template.kinds import Built, Deployment, Properties, builds, flag, only
from localcloud.template.resources.iam import check_trust
from localcloud.template.stack import Permission


@builds(
    "AWS::Lambda::Function",
    "FunctionName Handler Role Environment Timeout MemorySize Code DeadLetterConfig",
    {
        "Runtime Architectures PackageType SnapStart": "handlers run in this process's Python",
        "Layers": "handlers import what is installed here",
        "TracingConfig LoggingConfig": "there are no traces and no log groups here",
        "Description": "for readers",
        "EphemeralStorage": "handlers keep no files",
        "ReservedConcurrentExecutions": "only the account's concurrency is limited here",
    },
)
def _function(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("FunctionName") or d.generated(logical)
    arn = d.arn("lambda", f"function:{name}")
    check_trust(p["Role"], "lambda.amazonaws.com", logical, arn)
    given = p.get("Environment", {}).get("Variables", {})
    d.stack.functions.append(
        Function(
            name=name,
            region=d.stack.region,
            arn=arn,
            handler=p["Handler"],
            code=d.code[logical],
            role_arn=p["Role"],
            environ={key: str(value) for key, value in given.items()} | _reserved(d, name),
            timeout_s=float(p.get("Timeout", 3)),
            memory_mb=int(p.get("MemorySize", 128)),
        )
    )
    if "DeadLetterConfig" in p:
        _set_asynchronous(d, name, dead_letter_queue_arn=_queue(logical, p["DeadLetterConfig"]))
    return name, {"Arn": arn}


def _set_asynchronous(d: Deployment, name: str, **settings: Any) -> None:
    known = d.stack.asynchronous.get(name, AsyncSettings())
    d.stack.asynchronous[name] = replace(known, **settings)


def _queue(logical: str, target: dict[str, Any]) -> str:
    arn = str(target["TargetArn"])
    if ":sqs:" not in arn:
        raise TemplateError(f"{logical}.DeadLetterConfig: a queue is all that is known, not {arn}")
    return arn


@builds(
    "AWS::Lambda::EventInvokeConfig",
    "FunctionName Qualifier MaximumRetryAttempts MaximumEventAgeInSeconds",
)
def _event_invoke_config(d: Deployment, logical: str, p: Properties) -> Built:
    if p["Qualifier"] != "$LATEST":
        raise TemplateError(f"{logical}: there is no version here but $LATEST")
    if "MaximumRetryAttempts" in p:
        _set_asynchronous(d, _name(p), retries=int(p["MaximumRetryAttempts"]))
    if "MaximumEventAgeInSeconds" in p:
        _set_asynchronous(d, _name(p), maximum_age_s=float(p["MaximumEventAgeInSeconds"]))
    return d.generated(logical), {}


def _reserved(d: Deployment, name: str) -> dict[str, str]:
    """What Lambda itself adds
    (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""
    return {
        "AWS_REGION": d.stack.region,
        "AWS_DEFAULT_REGION": d.stack.region,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "TZ": ":UTC",
        # Nobody collects traces here.
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


@builds(
    "AWS::Lambda::LayerVersion",
    "",
    {
        "Content LayerName CompatibleRuntimes CompatibleArchitectures Description LicenseInfo": (
            "handlers import what is installed here"
        )
    },
)
def _layer(d: Deployment, logical: str, _p: Properties) -> Built:
    arn = d.arn("lambda", f"layer:{logical}:1")
    return arn, {"LayerVersionArn": arn}


@builds("AWS::Lambda::Permission", "FunctionName Action Principal SourceArn SourceAccount")
def _permission(d: Deployment, logical: str, p: Properties) -> Built:
    if str(p.get("SourceAccount", ACCOUNT)) != ACCOUNT:
        raise TemplateError(f"{logical}: there is no account here but {ACCOUNT}")
    arn = d.arn("lambda", f"function:{_name(p)}")
    d.stack.permissions.append(Permission(arn, p["Principal"], p["Action"], p.get("SourceArn")))
    return d.generated(logical), {}


def _name(p: Properties) -> str:
    """The function that a property names, by name or ARN."""
    return str(p["FunctionName"]).rsplit(":", 1)[-1]


_BOTH = (
    "EventSourceArn FunctionName BatchSize MaximumBatchingWindowInSeconds FunctionResponseTypes "
    "Enabled"
)
_STREAM = (
    f"{_BOTH} StartingPosition FilterCriteria MaximumRetryAttempts MaximumRecordAgeInSeconds "
    "BisectBatchOnFunctionError DestinationConfig"
)


@builds("AWS::Lambda::EventSourceMapping", _STREAM)
def _mapping(d: Deployment, logical: str, p: Properties) -> Built:
    source = str(p["EventSourceArn"])
    if ":sqs:" in source:
        only(p, f"{_BOTH} Tags", f"Resources.{logical}.Properties, of a queue")
        queue = _queue_source(source, p)
        if flag(p.get("Enabled", True)):
            d.stack.queue_sources.append(queue)
    elif "/stream/" in source:
        stream = _stream_source(d.stack.region, source, p)
        if flag(p.get("Enabled", True)):
            d.stack.stream_sources.append(stream)
    else:
        raise TemplateError(f"{logical}: the local cloud has no event source like {source}")
    return d.generated(logical), {}


def _queue_source(arn: str, p: Properties) -> QueueSource:
    return QueueSource(
        queue_arn=arn,
        function_name=_name(p),
        batch_size=int(p.get("BatchSize", 10)),
        window_s=float(p.get("MaximumBatchingWindowInSeconds", 0)),
        partial_failures=_partial(p),
    )


def _stream_source(region: str, arn: str, p: Properties) -> StreamSource:
    return StreamSource(
        region=region,
        table=arn.split("table/", 1)[1].split("/")[0],
        function_name=_name(p),
        batch_size=int(p.get("BatchSize", 100)),
        window_s=float(p.get("MaximumBatchingWindowInSeconds", 0)),
        from_start=p["StartingPosition"] == "TRIM_HORIZON",
        maximum_retries=_limit(p, "MaximumRetryAttempts"),
        maximum_age_s=_limit(p, "MaximumRecordAgeInSeconds"),
        bisect=flag(p.get("BisectBatchOnFunctionError", False)),
        partial_failures=_partial(p),
        on_failure_queue_arn=p.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
        filters=tuple(one["Pattern"] for one in p.get("FilterCriteria", {}).get("Filters", [])),
    )


def _partial(p: Properties) -> bool:
    return "ReportBatchItemFailures" in p.get("FunctionResponseTypes", [])


def _limit(p: Properties, name: str) -> Any:
    """A limit of retries or age; none, or -1, is as long as the stream keeps a record."""
    value = int(p.get(name, -1))
    return None if value == -1 else value
