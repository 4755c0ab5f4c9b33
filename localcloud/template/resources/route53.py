"""Health checks and records; certificates, which nothing here reads."""

from __future__ import annotations

from typing import Any

from localcloud.template.kinds import Built, Deployment, Properties, builds, digest, flag

_NUMBERS = ("Port", "RequestInterval", "FailureThreshold", "HealthThreshold")
_FLAGS = ("Inverted", "Disabled", "MeasureLatency", "EnableSNI")


@builds(
    "AWS::Route53::HealthCheck",
    "HealthCheckConfig",
    {"HealthCheckTags": "nothing here reads tags"},
)
def _health_check(d: Deployment, logical: str, p: Properties) -> Built:
    config = dict(p["HealthCheckConfig"])
    config |= {key: int(config[key]) for key in _NUMBERS if key in config}
    config |= {key: flag(config[key]) for key in _FLAGS if key in config}
    made = d.client("route53").create_health_check(
        CallerReference=f"{d.stack.name}-{d.stack.region}-{logical}", HealthCheckConfig=config
    )["HealthCheck"]
    return made["Id"], {"HealthCheckId": made["Id"]}


_RECORD = (
    "Name Type SetIdentifier Region HealthCheckId AliasTarget TTL ResourceRecords Weight Failover"
)


@builds("AWS::Route53::RecordSet", f"HostedZoneId {_RECORD}", {"Comment": "for readers"})
def _record_set(d: Deployment, _: str, p: Properties) -> Built:
    _add_record(d, p["HostedZoneId"], p)
    return p["Name"], {}


def _add_record(d: Deployment, zone: str, p: Properties) -> None:
    record: dict[str, Any] = {key: p[key] for key in _RECORD.split() if key in p}
    if "AliasTarget" in record:
        alias = record["AliasTarget"]
        evaluate = flag(alias.get("EvaluateTargetHealth", False))
        record["AliasTarget"] = alias | {"EvaluateTargetHealth": evaluate}
    record |= {key: int(record[key]) for key in ("TTL", "Weight") if key in record}
    if "ResourceRecords" in record:
        record["ResourceRecords"] = [{"Value": value} for value in record["ResourceRecords"]]
    change = {"Action": "CREATE", "ResourceRecordSet": record}
    d.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": [change]}
    )


@builds(
    "AWS::CertificateManager::Certificate",
    "",
    {
        "DomainName SubjectAlternativeNames ValidationMethod DomainValidationOptions": (
            "health checkers do not validate certificates and the local front door has no TLS"
        )
    },
)
def _certificate(d: Deployment, logical: str, _: Properties) -> Built:
    return d.arn("acm", f"certificate/{digest(d.stack.name, d.stack.region, logical)[:32]}"), {}
