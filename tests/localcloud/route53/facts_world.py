"""Route 53 before endpoints that a test sets the behaviour of, and how its API is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.calls.endpoint import Endpoint
from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.route53 import Answers, Route53

ONCE = Config(retries={"total_max_attempts": 1})
ADDRESSES = {"gateway-london.test": "127.0.1.1", "gateway-virginia.test": "127.0.1.2"}
TO_DNS_S = 5.0
"""Longest that these tests give a known state to reach DNS."""


class FactsWorld:
    """Route 53 before endpoints whose status and slowness are set here, per checker's place."""

    def __init__(self) -> None:
        self.kernel, self.network = Kernel(), Network()
        self.endpoint = Endpoint(self.kernel, self.network)
        self.status, self.answer_s = 200, 0.05
        self.dead_from: set[str] = set()
        self.alarm: str | None = "OK"
        self.asked: list[tuple[float, str]] = []
        self.route53 = Route53(
            self.kernel, self.endpoint, self.network, self._ask, lambda *_: self.alarm
        )
        self.answers = Answers(self.kernel, self.route53, ADDRESSES.get)
        self._made = 0

    def _ask(self, host: str, _method: str, _path: str, source: str) -> Steps[HttpAnswer]:
        place = source.removeprefix("near ")
        self.asked.append((float(self.kernel.env.now), place))
        if place in self.dead_from:
            raise Unreachable(host)
        yield self.kernel.env.timeout(self.answer_s)
        return HttpAnswer(self.status, {}, b"")

    @property
    def api(self) -> Any:
        client: Any = boto3.client
        return client("route53", region_name="us-east-1", config=ONCE)

    def check(self, **config: Any) -> str:
        """A health check: of an endpoint, every 10 s, three failures, unless told otherwise."""
        if "Type" not in config:
            endpoint = {"Type": "HTTPS", "FullyQualifiedDomainName": "london.api.test"}
            config = {**endpoint, "RequestInterval": 10, "FailureThreshold": 3, **config}
        self._made += 1
        made = self.api.create_health_check(
            CallerReference=f"check-{self._made}", HealthCheckConfig=config
        )
        return str(made["HealthCheck"]["Id"])

    def latency_records(self, checks: Mapping[str, str]) -> None:
        """`api.test` in two Regions, as alias records with health checks."""
        zone = self.api.create_hosted_zone(Name="api.test", CallerReference="zone")
        for region, target in (
            ("eu-west-2", "gateway-london.test"),
            ("us-east-1", "gateway-virginia.test"),
        ):
            record = {
                "Name": "api.test",
                "Type": "A",
                "SetIdentifier": region,
                "Region": region,
                "AliasTarget": {
                    "DNSName": target,
                    "HostedZoneId": "Z1",
                    "EvaluateTargetHealth": False,
                },
            }
            if region in checks:
                record["HealthCheckId"] = checks[region]
            self.api.change_resource_record_sets(
                HostedZoneId=zone["HostedZone"]["Id"],
                ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
            )

    def at_london(self) -> tuple[str, ...]:
        return self.answers.answer("api.test", "A", "eu-west-2").records

    def start(self) -> None:
        self.route53.start()

    def pass_s(self, seconds: float) -> None:
        self.kernel.run(until=float(self.kernel.env.now) + seconds)


def calculated(world: FactsWorld, threshold: int, *children: str) -> str:
    return world.check(
        Type="CALCULATED", HealthThreshold=threshold, ChildHealthChecks=list(children)
    )


def switch(world: FactsWorld, on: bool) -> str:
    """A check that is healthy or not as it is told: of a routing control."""
    arn = f"arn:aws:route53-recovery-control::123456789012:a/routingcontrol/{on}"
    made = world.check(Type="RECOVERY_CONTROL", RoutingControlArn=arn)
    world.route53.checks.set_routing_control(arn, on)
    return made


def refused(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]
