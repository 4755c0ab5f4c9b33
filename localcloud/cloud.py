"""The local cloud whole: kernel, network and services joined, and template.yaml deployed in it."""

from __future__ import annotations

import contextvars
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from localcloud.asl import Definition, StateMachine, load
from localcloud.calls.endpoint import ACCOUNT, Caller, Endpoint, current_caller
from localcloud.collector import Collector
from localcloud.compute.frontdoor import FrontDoor, HttpAnswer
from localcloud.compute.lambda_api import LambdaApi
from localcloud.compute.lambdas import Lambdas
from localcloud.compute.stepfunctions import StepFunctions, machine_arn
from localcloud.compute.task_runner import SdkTaskRunner
from localcloud.dns.wire import answer_message
from localcloud.iam.judge import Authorizer
from localcloud.kernel import Kernel, Steps
from localcloud.network.outbound import Outbound
from localcloud.network.reach import Network
from localcloud.route53.answers import Answers
from localcloud.route53.limits import CHECKERS_PER_REGION
from localcloud.route53.service import Route53
from localcloud.services import Services
from localcloud.services.metrics import MetricId, dimensions
from localcloud.services.strong import StrongTable
from localcloud.template.deploy import deploy
from localcloud.template.operator import Operator
from localcloud.template.stack import Stack
from localcloud.template.translate import read, translate
from sidestep.aws.coordination import CoordinationTable
from sidestep.aws.orders import Orders
from sidestep.core.control import Pause
from sidestep.core.topology import wardens_of

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
NAME_SERVER = "198.51.100.53"
"""Where shipped code asks DNS: a documentation address (RFC 5737), answered by the local cloud."""


@dataclass(frozen=True)
class Topology:
    """Which Regions, under which names. The default is the drill's."""

    application: str = "demo"
    zone: str = "sidestep.test"
    regions: tuple[str, ...] = ("eu-west-2", "us-east-1", "us-west-2")
    coordination: tuple[str, ...] = ("eu-west-1", "eu-west-2", "eu-central-1")
    policy: Mapping[str, Any] = field(default_factory=dict)
    checkers_per_region: int = CHECKERS_PER_REGION
    """Of each health check, in each of its checkers' Regions."""

    @property
    def domain(self) -> str:
        """The guarded record."""
        return f"api.{self.zone}"

    @property
    def home(self) -> str:
        """The home Region: the first guarded one."""
        return self.regions[0]

    def subnet(self, region: str) -> str:
        """The subnet of clients nearest to a Region, of the range for benchmarks (RFC 2544)."""
        return f"198.18.{self.regions.index(region)}.0/24"

    def address(self, region: str) -> str:
        """The loopback address of a Region's front door, by the guarded name."""
        return f"127.0.1.{self.regions.index(region) + 1}"

    def own_address(self, region: str) -> str:
        """The same door's address by the Region's own name: another one, for AWS does not say
        that two domain names of an API have addresses in common."""
        return f"127.0.2.{self.regions.index(region) + 1}"


@lru_cache(maxsize=256)
def _definition(text: str, express: bool) -> Definition:
    """A state machine as it runs: nothing changes one, so that worlds may share it."""
    return load(json.loads(text), express=express)


class LocalCloud:
    """One world with Sidestep deployed in it. A context manager; `template` may be changed."""

    def __init__(
        self,
        seed: int = 1,
        topology: Topology | None = None,
        template: Mapping[str, Any] | None = None,
        start: Any = None,
    ) -> None:
        self.topology = topology or Topology()
        self.kernel = Kernel(seed) if start is None else Kernel(seed, start)
        self.network = Network()
        self.endpoint = Endpoint(self.kernel, self.network)
        self.lambdas = Lambdas(self.kernel, self.network)
        self.door = FrontDoor(self.kernel, self.network, self.lambdas)
        self.services = Services(self.kernel, self.network, self.endpoint, self.lambdas)
        self.stepfunctions = StepFunctions(
            self.kernel,
            self.network,
            self.endpoint,
            lambda region: SdkTaskRunner(self.kernel, region),
        )
        self.services.listen_to(self.lambdas, self.door, self.stepfunctions)
        self.door.may_invoke = self._gateway_may_invoke
        self.route53 = Route53(
            self.kernel,
            self.endpoint,
            self.network,
            self._ask,
            self.services.alarms.alarm_data,
            self._record_check,
        )
        self.route53.checks.checkers_per_region = self.topology.checkers_per_region
        self.answers = Answers(self.kernel, self.route53, self._front_address)
        LambdaApi(self.kernel, self.lambdas, self.endpoint, self._invoke_later)
        self.outbound = Outbound(self.kernel, self._ask_public, self._ask_dns)
        self.authorizer = Authorizer()
        self.stacks: dict[str, Stack] = {}
        self.zone_id = ""
        self._template = template
        self._front: dict[str, str] = {}
        self._coordination: StrongTable
        self._collector = Collector()

    def _record_check(self, name: str, of: Mapping[str, str], value: float) -> None:
        """A health check's metric: they are in us-east-1, wherever the check looks."""
        metric = MetricId("us-east-1", "AWS/Route53", name, dimensions(of))
        self.services.metrics.record(metric, value, self.kernel.now)

    # -- opening, deploying, closing ---------------------------------------------------------

    def __enter__(self) -> LocalCloud:
        self._collector.open()
        self.kernel.__enter__()
        self.endpoint.open()
        self.outbound.open()
        try:
            self._deploy()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.outbound.close()
        self.endpoint.close()
        self.kernel.__exit__(kind, error, trace)
        self._collector.close()

    def client(self, service: str, region: str | None = None) -> Any:
        """A stock boto3 client of the operator's."""
        make: Any = boto3.client
        return make(service, region_name=region or self.topology.home)

    def _deploy(self) -> None:
        topology = self.topology
        zone = Operator("route53", topology.home).create_hosted_zone(
            Name=topology.zone, CallerReference=topology.zone
        )
        self.zone_id = zone["HostedZone"]["Id"].rsplit("/", 1)[-1]
        written = self._template if self._template is not None else read(TEMPLATE)
        for region in self._stack_regions():
            given = self._parameters(region)
            translated = translate(written, ROOT, region, given)
            name = f"sidestep-{topology.application}"
            stack = deploy(translated, name, region, given, Operator)
            self.stacks[region] = stack
            self._join_tables(stack)
            for alias, name in stack.front_names.items():
                guarded = name == topology.domain
                address = topology.address if guarded else topology.own_address
                self._front[alias] = address(region)
        for stack in self.stacks.values():
            self._run(stack)
        self.endpoint.authorize = self.authorizer.authorize
        for stack in self.stacks.values():
            for queue in stack.queue_sources:
                self.services.queue_sources.add(queue)
            for stream in stack.stream_sources:
                self.services.stream_sources.add(stream)

    def _stack_regions(self) -> Iterable[str]:
        """The coordination table's owner and the home Region first: others refer to theirs."""
        owner = self.topology.coordination[0]
        return dict.fromkeys((owner, self.topology.home, *self.topology.regions))

    def _parameters(self, region: str) -> dict[str, str]:
        topology = self.topology
        guarded = region in topology.regions
        wardens = wardens_of(region, topology.regions) if guarded else ()
        stream = ""
        if guarded and region != topology.home:
            table = Operator("dynamodb", region).describe_table(
                TableName=f"sidestep-{topology.application}-data"
            )
            stream = table["Table"]["LatestStreamArn"]
        return {
            "Application": topology.application,
            "HomeRegion": topology.home,
            "Regions": ",".join(topology.regions),
            "CoordinationRegions": ",".join(topology.coordination),
            "DomainName": topology.domain,
            "HostedZoneId": self.zone_id,
            "NameServers": NAME_SERVER,
            "Warden1": wardens[0] if wardens else "",
            "Warden2": wardens[1] if len(wardens) > 1 else "",
            "ClientSubnet": topology.subnet(region) if guarded else "",
            "DataTableStreamArn": stream,
            "Policy": json.dumps(dict(topology.policy)),
        }

    def _join_tables(self, stack: Stack) -> None:
        for table in stack.tables:
            if table.strong:
                made = self.services.make_strong(table.name, list(table.regions), table.witness)
                if table.name == self.table("coordination"):
                    self._coordination = made
            else:
                self.services.make_eventual(table.name, list(table.regions))

    def _run(self, stack: Stack) -> None:
        for function in stack.functions:
            self.lambdas.add(function)
        for permission in stack.permissions:
            self.services.policies.add_permission(
                permission.function_arn,
                permission.principal,
                permission.action,
                permission.source_arn,
            )
        for name, settings in stack.asynchronous.items():
            self.services.invocations.configure(stack.region, name, settings)
        for api in stack.apis:
            self.door.add(api)
        for machine in stack.machines:
            definition = _definition(machine.definition, machine.express)
            self.stepfunctions.add(
                StateMachine(machine.arn, machine.name, machine.role_arn, definition)
            )

    # -- ways in -------------------------------------------------------------------------------

    def start(self) -> None:
        """Let the health checkers begin; schedules and alarms run by themselves."""
        self.route53.start()

    def machine(self, region: str, short: str) -> str:
        """The ARN of one of our state machines."""
        return machine_arn(region, f"sidestep-{self.topology.application}-{short}")

    def table(self, short: str) -> str:
        """The name of one of our tables: `data`, `regional`, `coordination`."""
        return f"sidestep-{self.topology.application}-{short}"

    def control(self) -> dict[str, Any]:
        """The control item as it was acknowledged last, {} before the first claim."""
        key = (("S", f"app#{self.topology.application}"), ("S", "control"))
        return self._coordination.newest(key) or {}

    def incidents(self) -> list[dict[str, Any]]:
        """The incidents' records, oldest first."""
        found = self._coordination.newest_of(f"incidents#{self.topology.application}")
        return sorted(found, key=lambda record: int(record["steps"][0]["at"]))

    def region_of(self, address: str) -> str | None:
        """The guarded Region whose front door has this address, by either name."""
        for region in self.topology.regions:
            if address in (self.topology.address(region), self.topology.own_address(region)):
                return region
        return None

    def fail_region(self, region: str) -> None:
        """A whole Region goes: network, what runs there, its workflows."""
        self.network.down.add(region)
        self.lambdas.kill_all(region)
        self.stepfunctions.lose(region)
        self.kernel.log("fault", what="region-down", region=region)

    def restore_region(self, region: str) -> None:
        """The Region is back, cold."""
        self.network.down.discard(region)
        if region not in self.network.down:
            self.stepfunctions.regain(region)
        self.kernel.log("fault_over", what="region-down", region=region)

    def lose_region(self, region: str) -> None:
        """A whole Region goes for good, with all that had not left it."""
        self.network.down.add(region)
        self.lambdas.kill_all(region)
        self.stepfunctions.lose(region, for_good=True)
        self.services.lose(region)

    def renew_region(self, region: str) -> None:
        """A new Region is in a lost one's place: what was deployed, and nothing else of its own."""
        self.network.down.discard(region)
        if region not in self.network.down:
            self.stepfunctions.regain(region)
        self.services.renew(region)

    def pause(self, for_s: float, region: str | None = None) -> None:
        """An operator's order to hold automation for so long, of a Region or of all. Call it in
        a fiber."""
        now_ms = int(self.kernel.now * 1000)
        pause = Pause("operator", "asked to", now_ms + int(for_s * 1000))
        self.orders().pause(pause, now_ms, region)
        self.kernel.log("pause", region=region, until=float(self.kernel.env.now) + for_s)

    def resume(self, region: str | None = None) -> None:
        """The operator takes the pause back. Call it in a fiber."""
        self.orders().resume(region)
        self.kernel.log("resume", region=region)

    def orders(self) -> Orders:
        """The operator's orders, through the coordination Regions that are up."""
        up = [r for r in self.topology.coordination if r not in self.network.down]
        clients = {region: self.client("dynamodb", region) for region in up}
        name = self.table("coordination")
        return Orders(CoordinationTable(clients, name, self.topology.application))

    def as_role(self, caller: Caller) -> contextvars.Context:
        """A context in which boto3 calls are made by `caller`."""
        scope = contextvars.copy_context()
        scope.run(current_caller.set, caller)
        return scope

    # -- ports ---------------------------------------------------------------------------------

    def _gateway_may_invoke(self, function_arn: str, source_arn: str) -> bool:
        return self.services.policies.allows(
            "apigateway.amazonaws.com", "lambda:InvokeFunction", function_arn, source_arn
        )

    def _front_address(self, alias: str) -> str | None:
        return self._front.get(alias.rstrip("."))

    def _ask(self, host: str, method: str, path: str, source: str) -> Steps[HttpAnswer]:
        """A health checker's request."""
        return self._ask_public(host, method, path, {}, b"", source, connects=False)

    def _ask_public(
        self,
        host: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        source: str,
        connects: bool,
    ) -> Steps[HttpAnswer]:
        """Resolve a name as from `source` and ask the Region that DNS names."""
        answer = self.answers.answer(host, "A", source.removeprefix("near "))
        region = self.region_of(answer.records[0]) if answer.records else None
        if region is None:
            raise LookupError(host)
        return self.door.request(region, host, method, path, headers, body, source, connects)

    def _ask_dns(self, query: bytes, server: str, source: str) -> bytes | None:
        if server != NAME_SERVER or source in self.network.down:
            return None
        return self.dns_answer(query, source)

    def dns_answer(self, query: bytes, near: str) -> bytes:
        """The zone's authoritative answer to a DNS query, for who asks from near a Region."""
        subnets = {self.topology.subnet(region): region for region in self.topology.regions}
        return answer_message(self.answers, query, near, subnets)

    def _invoke_later(self, region: str, name: str, payload: Any) -> None:
        arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
        self.services.invocations.accept(arn, payload)
