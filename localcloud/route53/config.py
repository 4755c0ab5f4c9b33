"""A health check's configuration: what may be set, what may be changed, in the API's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from localcloud.calls.wire import AwsError
from localcloud.route53.limits import (
    CHECKER_REGIONS,
    DEFAULT_INTERVAL_S,
    DEFAULT_THRESHOLD,
    INTERVALS,
    MAX_CHILDREN,
    MAX_TEXT,
    MIN_CHECKER_REGIONS,
    THRESHOLDS,
)

HTTP_TYPES = frozenset({"HTTP", "HTTP_STR_MATCH"})
HTTPS_TYPES = frozenset({"HTTPS", "HTTPS_STR_MATCH"})
ENDPOINT_TYPES = HTTP_TYPES | HTTPS_TYPES | {"TCP"}

_ANY = frozenset({"Type", "Inverted", "Disabled"})
_ENDPOINT = _ANY | {
    "IPAddress",
    "Port",
    "FullyQualifiedDomainName",
    "RequestInterval",
    "FailureThreshold",
    "MeasureLatency",
    "Regions",
}
_MATCH = {"ResourcePath", "SearchString"}
_MEMBERS: Mapping[str, frozenset[str]] = {
    "HTTP": _ENDPOINT | {"ResourcePath"},
    "HTTP_STR_MATCH": _ENDPOINT | _MATCH,
    "HTTPS": _ENDPOINT | {"ResourcePath", "EnableSNI"},
    "HTTPS_STR_MATCH": _ENDPOINT | _MATCH | {"EnableSNI"},
    "TCP": _ENDPOINT,
    "CALCULATED": _ANY | {"ChildHealthChecks", "HealthThreshold"},
    "CLOUDWATCH_METRIC": _ANY | {"AlarmIdentifier", "InsufficientDataHealthStatus"},
    "RECOVERY_CONTROL": _ANY | {"RoutingControlArn"},
}
"""Which members of HealthCheckConfig each Type takes (botocore's route53 model, in words)."""
_FIXED = frozenset({"Type", "RequestInterval", "MeasureLatency", "RoutingControlArn"})
"""Members that UpdateHealthCheckRequest does not have: fixed at creation (same model)."""
_DATA_STATUS = ("Healthy", "Unhealthy", "LastKnownStatus")
_NOT_SETTINGS = frozenset({"HealthCheckId", "HealthCheckVersion", "ResetElements"})


@dataclass(frozen=True)
class HealthCheck:
    """One health check. `settings` are HealthCheckConfig's members, defaults filled in."""

    id: str
    caller_reference: str
    settings: Mapping[str, Any]
    version: int = 1

    @property
    def kind(self) -> str:
        """Its Type."""
        return str(self.settings["Type"])

    @property
    def disabled(self) -> bool:
        """Whether it is switched off, which means healthy."""
        return bool(self.settings["Disabled"])

    @property
    def inverted(self) -> bool:
        """Whether its state is turned round."""
        return bool(self.settings["Inverted"])

    @property
    def children(self) -> tuple[str, ...]:
        """Ids of the checks that a CALCULATED one adds up."""
        return tuple(self.settings.get("ChildHealthChecks", ()))

    def described(self) -> dict[str, Any]:
        """As the API answers."""
        return {
            "Id": self.id,
            "CallerReference": self.caller_reference,
            "HealthCheckConfig": dict(self.settings),
            "HealthCheckVersion": self.version,
        }


def validated(given: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with Route 53's defaults. Raises AwsError InvalidInput."""
    kind = str(given.get("Type"))
    if kind not in _MEMBERS:
        raise invalid(f"{kind} is not a type of health check")
    foreign = sorted(set(given) - _MEMBERS[kind])
    if foreign:
        raise invalid(f"{', '.join(foreign)} cannot be set on a {kind} health check")
    settings = {"Inverted": False, "Disabled": False, **given}
    if kind in ENDPOINT_TYPES:
        _endpoint(kind, settings)
    elif kind == "CALCULATED":
        _calculated(settings)
    elif kind == "CLOUDWATCH_METRIC":
        _alarm(settings)
    elif not settings.get("RoutingControlArn"):
        raise invalid("a RECOVERY_CONTROL health check must have a RoutingControlArn")
    return settings


def updated(check: HealthCheck, params: Mapping[str, Any]) -> HealthCheck:
    """The check after UpdateHealthCheck.

    Raises AwsError InvalidInput or HealthCheckVersionMismatch.
    """
    if check.kind == "RECOVERY_CONTROL":
        # hashicorp/terraform-provider-aws #44247
        raise invalid("a RECOVERY_CONTROL health check cannot be updated")
    wanted = params.get("HealthCheckVersion")
    if wanted is not None and int(wanted) != check.version:
        raise AwsError(
            "HealthCheckVersionMismatch",
            f"the health check is at version {check.version}, the request names {wanted}",
            409,
        )
    changes = {name: value for name, value in params.items() if name not in _NOT_SETTINGS}
    fixed = sorted(_FIXED & set(changes))
    if fixed:
        raise invalid(f"{', '.join(fixed)} cannot be changed after creation")
    if "IPAddress" in changes and not check.settings.get("IPAddress"):
        raise invalid("an IPAddress cannot be added to a health check that has none")
    settings = {**check.settings, **changes}
    for name in params.get("ResetElements", ()):
        settings.pop(name, None)
    return replace(check, settings=validated(settings), version=check.version + 1)


def invalid(message: str) -> AwsError:
    """InvalidInput, as Route 53 words it."""
    return AwsError("InvalidInput", f"Invalid parameter : {message}", 400)


def _endpoint(kind: str, settings: dict[str, Any]) -> None:
    settings.setdefault("RequestInterval", DEFAULT_INTERVAL_S)
    settings.setdefault("FailureThreshold", DEFAULT_THRESHOLD)
    settings.setdefault("MeasureLatency", False)
    if kind in HTTPS_TYPES:
        settings.setdefault("EnableSNI", True)
    if kind != "TCP":
        settings.setdefault("Port", 443 if kind in HTTPS_TYPES else 80)
    if "Port" not in settings or not 1 <= settings["Port"] <= 65535:
        raise invalid("Port must lie between 1 and 65535")
    if settings["RequestInterval"] not in INTERVALS:
        raise invalid("RequestInterval must be 10 or 30")
    if settings["FailureThreshold"] not in THRESHOLDS:
        raise invalid("FailureThreshold must lie between 1 and 10")
    if not settings.get("FullyQualifiedDomainName") and not settings.get("IPAddress"):
        raise invalid("FullyQualifiedDomainName or IPAddress must be given")
    if kind.endswith("_STR_MATCH") and not settings.get("SearchString"):
        raise invalid("SearchString must be given")
    for name in ("ResourcePath", "SearchString", "FullyQualifiedDomainName"):
        if len(settings.get(name) or "") > MAX_TEXT:
            raise invalid(f"{name} is longer than {MAX_TEXT} characters")
    if "Regions" in settings:
        _checker_regions(set(settings["Regions"]))


def _checker_regions(regions: set[str]) -> None:
    unknown = sorted(regions - set(CHECKER_REGIONS))
    if unknown:
        raise invalid(f"there are no health checkers in {', '.join(unknown)}")
    if len(regions) < MIN_CHECKER_REGIONS:
        raise invalid(f"Regions must name at least {MIN_CHECKER_REGIONS} Regions")


def _calculated(settings: dict[str, Any]) -> None:
    settings.setdefault("ChildHealthChecks", [])
    if len(settings["ChildHealthChecks"]) > MAX_CHILDREN:
        raise invalid(f"ChildHealthChecks must be no more than {MAX_CHILDREN}")
    if "HealthThreshold" not in settings:
        # hashicorp/terraform-provider-aws #44004 quotes these words.
        raise invalid("Calculated health checks must have a health threshold specified.")
    if not 0 <= settings["HealthThreshold"] <= MAX_CHILDREN:
        raise invalid(f"HealthThreshold must lie between 0 and {MAX_CHILDREN}")


def _alarm(settings: dict[str, Any]) -> None:
    alarm = settings.get("AlarmIdentifier") or {}
    if not alarm.get("Region") or not alarm.get("Name"):
        raise invalid("AlarmIdentifier must name a Region and an alarm")
    if settings.setdefault("InsufficientDataHealthStatus", "LastKnownStatus") not in _DATA_STATUS:
        raise invalid(f"InsufficientDataHealthStatus must be one of {', '.join(_DATA_STATUS)}")
