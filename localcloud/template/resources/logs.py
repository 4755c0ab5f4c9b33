"""Log groups: a name to refer to. What functions print is in their invocations."""

from __future__ import annotations

from localcloud.template.kinds import Built, Deployment, Properties, builds


@builds(
    "AWS::Logs::LogGroup",
    "LogGroupName",
    {
        "RetentionInDays": "no logs are kept",
        "KmsKeyId": "nothing is encrypted here",
        "LogGroupClass": "no logs are kept",
    },
)
def _log_group(d: Deployment, logical: str, p: Properties) -> Built:
    name = p.get("LogGroupName") or d.generated(logical, 512)
    return name, {"Arn": d.arn("logs", f"log-group:{name}:*")}
