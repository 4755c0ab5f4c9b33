"""Route 53's TestDNSAnswer: what a name server would answer, asked through the API."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from localcloud.calls.endpoint import ACCOUNT, GLOBAL_HOME, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.dns.subnets import nearest
from localcloud.route53.answers import NOERROR, NXDOMAIN, REFUSED, Answers
from localcloud.route53.records import normal, zones

_RCODES = {NOERROR: "NOERROR", NXDOMAIN: "NXDOMAIN", REFUSED: "REFUSED"}
_PREFIX = {4: 24, 6: 64}
"""Prefix length of a client subnet given without a mask (TestDNSAnswerRequest, botocore's
route53 model)."""


class DryRun:
    """Answers TestDNSAnswer. `subnets` maps CIDR blocks to the Region they are nearest to."""

    def __init__(self, endpoint: Endpoint, answers: Answers, subnets: Mapping[str, str]) -> None:
        self._answers, self._subnets = answers, subnets
        endpoint.answers("route53", "TestDNSAnswer")(self._answer)

    def _answer(self, call: ApiCall) -> Mapping[str, Any]:
        zone_id = str(call.params["HostedZoneId"]).rsplit("/", 1)[-1]
        zone = zones(ACCOUNT).get(zone_id)
        if zone is None:
            raise AwsError("NoSuchHostedZone", f"no hosted zone has the id {zone_id}", 404)
        name, kind = str(call.params["RecordName"]), str(call.params["RecordType"])
        origin = normal(zone.name)
        if normal(name) != origin and not normal(name).endswith(f".{origin}"):
            raise AwsError("InvalidInput", f"{name} is not in the zone {origin}", 400)
        found = self._answers.answer(name, kind, self._near(call.params))
        return {
            "Nameserver": zone.delegation_set.name_servers[0],
            "RecordName": name,
            "RecordType": kind,
            "RecordData": list(found.records),
            "ResponseCode": _RCODES[found.rcode],
            "Protocol": "UDP",
        }

    def _near(self, params: Mapping[str, Any]) -> str:
        """Where the question comes from: the client's subnet, the resolver, or us-east-1."""
        address = params.get("EDNS0ClientSubnetIP") or params.get("ResolverIP")
        if not address:
            return GLOBAL_HOME
        try:
            version = ipaddress.ip_address(address).version
            prefix = int(params.get("EDNS0ClientSubnetMask") or _PREFIX[version])
            client = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
        except ValueError as wrong:
            raise AwsError("InvalidInput", str(wrong), 400) from None
        return nearest(client, self._subnets) or GLOBAL_HOME
