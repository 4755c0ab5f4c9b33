"""Route 53's health check operations, as its API answers them. All of it is ours, none moto's.

moto's health checks have no version, no alarm, no state, and forget a threshold of 0.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.route53.checkers import Checker
from localcloud.route53.config import ENDPOINT_TYPES, HealthCheck, invalid, updated, validated
from localcloud.route53.health import HealthChecks
from localcloud.route53.limits import MAX_HEALTH_CHECKS
from localcloud.route53.ports import World

_PAGE = 100
_LOCATION = "https://route53.amazonaws.com/2013-04-01/healthcheck"


class HealthCheckApi:
    """Creates, changes, lists and deletes health checks, and tells what their checkers saw."""

    def __init__(self, world: World, endpoint: Endpoint, checks: HealthChecks) -> None:
        self._checks = checks
        self._ids = world.fork("health check ids")
        self._references: dict[str, str] = {}
        """Caller reference → id, deleted checks too: their references stay taken."""
        for operation, answer in {
            "CreateHealthCheck": self._create,
            "GetHealthCheck": self._get,
            "UpdateHealthCheck": self._update,
            "DeleteHealthCheck": self._delete,
            "ListHealthChecks": self._list,
            "GetHealthCheckCount": self._count,
            "GetHealthCheckStatus": self._status,
            "GetHealthCheckLastFailureReason": self._last_failure,
            "GetCheckerIpRanges": lambda _: {"CheckerIpRanges": ["192.0.2.0/24"]},
        }.items():
            endpoint.answers("route53", operation)(answer)

    def _create(self, call: ApiCall) -> Mapping[str, Any]:
        reference = str(call.params["CallerReference"])
        settings = validated(call.params["HealthCheckConfig"])
        self._children_exist(settings)
        if reference in self._references:
            known = self._checks.get(self._references[reference])
            if known is None or known.version > 1 or known.settings != settings:
                raise AwsError(
                    "HealthCheckAlreadyExists",
                    f"the caller reference {reference} belongs to another health check",
                    409,
                )
            return _created(known)
        if len(self._checks) >= MAX_HEALTH_CHECKS:
            raise AwsError("TooManyHealthChecks", f"the limit is {MAX_HEALTH_CHECKS}", 400)
        new = str(uuid.UUID(int=self._ids.getrandbits(128), version=4))
        check = HealthCheck(new, reference, settings)
        self._references[reference] = new
        self._checks.put(check)
        return _created(check)

    def _get(self, call: ApiCall) -> Mapping[str, Any]:
        return {"HealthCheck": self._asked(call).described()}

    def _update(self, call: ApiCall) -> Mapping[str, Any]:
        check = updated(self._asked(call), call.params)
        self._children_exist(check.settings)
        self._checks.put(check)
        return {"HealthCheck": check.described()}

    def _delete(self, call: ApiCall) -> Mapping[str, Any]:
        # Neither records nor parents keep a check from being deleted: the model has an error
        # HealthCheckInUse and says of it that it is not in use.
        self._checks.remove(self._asked(call).id)
        return {}

    def _list(self, call: ApiCall) -> Mapping[str, Any]:
        size = int(call.params.get("MaxItems") or _PAGE)
        marker = str(call.params.get("Marker") or "")
        every = list(self._checks)
        ids = [check.id for check in every]
        if marker and marker not in ids:
            raise invalid(f"there is no health check {marker} to go on from")
        first = ids.index(marker) if marker else 0
        page, rest = every[first : first + size], every[first + size :]
        answer: dict[str, Any] = {
            "HealthChecks": [check.described() for check in page],
            "Marker": marker,
            "IsTruncated": bool(rest),
            "MaxItems": str(size),
        }
        return answer | ({"NextMarker": rest[0].id} if rest else {})

    def _count(self, _: ApiCall) -> Mapping[str, Any]:
        return {"HealthCheckCount": len(self._checks)}

    def _status(self, call: ApiCall) -> Mapping[str, Any]:
        return _observations((c, c.status, c.status_at) for c in self._checkers(call))

    def _last_failure(self, call: ApiCall) -> Mapping[str, Any]:
        return _observations((c, c.failure, c.failure_at) for c in self._checkers(call))

    def _checkers(self, call: ApiCall) -> list[Checker]:
        """The checkers asked about. Only endpoint checks have any: of a calculated one AWS says
        "You can't use GetHealthCheckStatus" (API_GetHealthCheckStatus); see its metric."""
        check = self._asked(call)
        watch = self._checks.watch(check.id)
        if watch is None:
            types = ", ".join(sorted(ENDPOINT_TYPES))
            raise invalid(f"{check.id} is a {check.kind} health check; only {types} have checkers")
        return watch.checkers

    def _asked(self, call: ApiCall) -> HealthCheck:
        check_id = str(call.params["HealthCheckId"])
        check = self._checks.get(check_id)
        if check is None:
            raise AwsError("NoSuchHealthCheck", f"no health check has the id {check_id}", 404)
        return check

    def _children_exist(self, settings: Mapping[str, Any]) -> None:
        for child in settings.get("ChildHealthChecks", ()):
            known = self._checks.get(child)
            if known is None:
                raise invalid(f"there is no health check {child} to be a child")
            if known.kind == "CALCULATED":
                # Developer guide, health-checks-creating-values, Health checks to monitor.
                raise invalid(f"{child} is calculated: a calculated check cannot monitor it")


def _created(check: HealthCheck) -> Mapping[str, Any]:
    return {"HealthCheck": check.described(), "Location": f"{_LOCATION}/{check.id}"}


def _observations(seen: Iterable[tuple[Checker, str | None, float]]) -> Mapping[str, Any]:
    """What each checker says; one that has seen nothing yet says nothing."""
    return {
        "HealthCheckObservations": [
            {
                "Region": checker.region,
                "IPAddress": checker.address,
                "StatusReport": {
                    "Status": status,
                    "CheckedTime": datetime.fromtimestamp(at, UTC),
                },
            }
            for checker, status, at in seen
            if status is not None
        ]
    }
