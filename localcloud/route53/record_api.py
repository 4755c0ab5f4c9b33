"""Record changes as the API takes them: at once in the zone, later on the name servers.

moto answers every other operation on hosted zones.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localcloud.calls.endpoint import ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.route53.health import HealthChecks
from localcloud.route53.ports import Steps, World
from localcloud.route53.records import change, zones
from localcloud.route53.servers import ServedZones


@dataclass
class _Change:
    """A batch that was accepted: `PENDING` until every name server has it."""

    id: str
    at: datetime
    status: str = "PENDING"

    def described(self) -> dict[str, Any]:
        return {"Id": f"/change/{self.id}", "Status": self.status, "SubmittedAt": self.at}


class RecordApi:
    """ChangeResourceRecordSets and GetChange. Until `start`, a change is served at once."""

    def __init__(
        self,
        world: World,
        endpoint: Endpoint,
        account: str,
        checks: HealthChecks,
        served: ServedZones,
    ) -> None:
        self._world, self._account = world, account
        self._checks, self._served = checks, served
        self._running = False
        self._numbers = itertools.count(1)
        self._changes: dict[str, _Change] = {}
        endpoint.answers("route53", "ChangeResourceRecordSets")(self._change)
        endpoint.answers("route53", "GetChange")(self._get_change)
        endpoint.after("route53", "CreateHostedZone")(self._zone_created)
        endpoint.after("route53", "DeleteHostedZone")(self._zone_deleted)

    def start(self) -> None:
        """From now on a change takes its time to the name servers."""
        self._running = True

    def _change(self, call: ApiCall) -> Mapping[str, Any]:
        zone_id = _bare(call.params["HostedZoneId"])
        zone = zones(self._account).get(zone_id)
        if zone is None:
            raise AwsError("NoSuchHostedZone", f"no hosted zone has the id {zone_id}", 404)
        changes = call.params["ChangeBatch"]["Changes"]
        for each in changes:
            check_id = each["ResourceRecordSet"].get("HealthCheckId")
            if check_id and each["Action"] != "DELETE" and self._checks.get(check_id) is None:
                raise AwsError("NoSuchHealthCheck", f"no health check has the id {check_id}", 404)
        change(zone, changes)
        accepted = self._accepted()
        if self._running:
            self._world.env.process(self._travel(zone_id, accepted))
        else:
            self._served.publish(zone_id)
            accepted.status = "INSYNC"
        return {"ChangeInfo": accepted.described()}

    def _accepted(self) -> _Change:
        now = datetime.fromtimestamp(self._world.now, UTC)
        accepted = _Change(f"C{next(self._numbers):013d}", now)
        self._changes[accepted.id] = accepted
        return accepted

    def _travel(self, zone_id: str, accepted: _Change) -> Steps[None]:
        yield from self._served.publish_later(zone_id)
        accepted.status = "INSYNC"
        self._world.log("records", zone=zone_id, change=accepted.id)

    def _get_change(self, call: ApiCall) -> Mapping[str, Any]:
        known = self._changes.get(_bare(call.params["Id"]))
        if known is None:
            raise AwsError("NoSuchChange", f"no change has the id {call.params['Id']}", 404)
        return {"ChangeInfo": known.described()}

    def _zone_created(self, _: ApiCall, __: Mapping[str, Any] | None) -> None:
        for zone_id in zones(self._account).keys() - self._served.served.keys():
            self._served.publish(zone_id)

    def _zone_deleted(self, call: ApiCall, _: Mapping[str, Any] | None) -> None:
        self._served.withdraw(_bare(call.params["Id"]))


def _bare(identifier: Any) -> str:
    """An id without `/hostedzone/` or `/change/` before it."""
    return str(identifier).rsplit("/", 1)[-1]
