"""The one place where these services are joined: to each other, the endpoint and Lambda."""

from __future__ import annotations

from localcloud.asl import Execution
from localcloud.calls.endpoint import Endpoint
from localcloud.compute.frontdoor import FrontDoor
from localcloud.compute.lambdas import Lambdas
from localcloud.compute.stepfunctions import StepFunctions
from localcloud.kernel import Kernel
from localcloud.network.reach import Network
from localcloud.services.alarms import Alarms
from localcloud.services.async_invoke import AsyncInvocations, LambdaPort
from localcloud.services.cloudwatch import MetricApi
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.event_delivery import Delivery
from localcloud.services.event_targets import Targets
from localcloud.services.eventbridge import EventBridge
from localcloud.services.eventual import EventualTable
from localcloud.services.execution_events import execution_status_change
from localcloud.services.links import ReplicationControl
from localcloud.services.metrics import MetricStore
from localcloud.services.notifications import Notifications
from localcloud.services.queue_metrics import QueueMetrics
from localcloud.services.queue_source import QueueSources
from localcloud.services.queues import Queues
from localcloud.services.resource_policies import ResourcePolicies
from localcloud.services.schedules import Schedules
from localcloud.services.service_metrics import ServiceMetrics
from localcloud.services.stream_source import StreamSources
from localcloud.services.strong import StrongTable
from localcloud.services.table_faults import TableFaults
from localcloud.services.ttl import TimeToLive


class Services:
    """What moto lacks, made for one world. Make it before any resource is created.

    Tables, rules, alarms, queues and topics are created through their own APIs (boto3);
    only what has no API here is created by these methods: global tables from tables that
    exist (`make_eventual`, `make_strong`), event sources (`queue_sources.add`,
    `stream_sources.add`), Lambda permissions (`policies.add_permission`).
    """

    def __init__(
        self, kernel: Kernel, network: Network, endpoint: Endpoint, lambdas: LambdaPort
    ) -> None:
        self._kernel, self._network = kernel, network
        self.metrics = MetricStore()
        self.service_metrics = ServiceMetrics(kernel, self.metrics)
        self.policies = ResourcePolicies()
        self.queues = Queues(kernel, endpoint)
        self.invocations = AsyncInvocations(kernel, network, lambdas, self.queues)
        self.notifications = Notifications(
            kernel, network, endpoint, self.queues, self.invocations, self.policies
        )
        targets = Targets(
            kernel,
            network,
            endpoint,
            self.policies,
            self.invocations,
            self.queues,
            self.notifications.publish,
        )
        delivery = Delivery(kernel, network, targets, self.queues, self.policies)
        self.events = EventBridge(kernel, endpoint, delivery)
        self.schedules = Schedules(kernel, network, endpoint, delivery)
        self.metric_api = MetricApi(kernel, endpoint, self.metrics)
        self.alarms = Alarms(
            kernel,
            network,
            endpoint,
            self.metrics,
            self.events.service_event,
            self.notifications.publish,
        )
        self.replication = ReplicationControl()
        self.dynamodb = DynamoDb(endpoint)
        self.table_faults = TableFaults(kernel, endpoint, self.dynamodb, self.metrics)
        self.dynamodb.install_replication_hooks(endpoint)
        self.time_to_live = TimeToLive(kernel, self.dynamodb)
        self.stream_sources = StreamSources(
            kernel, network, endpoint, self.dynamodb, self.queues, lambdas
        )
        self.queue_sources = QueueSources(kernel, network, endpoint, self.queues, lambdas)
        self.queue_metrics = QueueMetrics(kernel, network, self.metrics)

    def listen_to(
        self, lambdas: Lambdas, frontdoor: FrontDoor, stepfunctions: StepFunctions
    ) -> None:
        """Turn what these services do into metrics and events."""
        lambdas.on_invocation.append(self.service_metrics.invoked)
        frontdoor.on_served.append(self.service_metrics.served)
        stepfunctions.on_status.append(self.execution_changed)

    def execution_changed(self, region: str, execution: Execution) -> None:
        """Put a Standard execution's change of status on its Region's default bus.

        Express executions send no such events
        (https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html).
        """
        if not execution.machine.definition.express:
            self.events.service_event(region, execution_status_change(execution))

    def lose(self, region: str) -> None:
        """Everything that these services keep in a Region is gone for good. What is left as it was
        is told in docs/scenarios.md."""
        self._network.lives[region] += 1
        self.queues.empty(region)
        for table in self.dynamodb.tables(region):
            replication = self.dynamodb.replication(table.name)
            if replication is None:
                table.empty()
            else:
                replication.lose(region)

    def renew(self, region: str) -> None:
        """A Region that was lost is there anew, and its replicas are added to their tables."""
        self._network.lives[region] += 1
        for table in self.dynamodb.tables(region):
            replication = self.dynamodb.replication(table.name)
            if replication is not None:
                replication.add(region)

    def make_eventual(self, name: str, regions: list[str]) -> EventualTable:
        """Join the tables of that name in these Regions into an MREC global table."""
        table = EventualTable(
            self._kernel,
            self._network,
            self.dynamodb,
            self.metrics,
            self.replication,
            name,
            regions,
        )
        self.dynamodb.replicate(table)
        return table

    def make_strong(self, name: str, regions: list[str], witness: str | None = None) -> StrongTable:
        """Join the tables of that name in these Regions into an MRSC global table.

        Raises ValueError for what MRSC does not accept.
        """
        table = StrongTable(
            self._kernel, self._network, self.dynamodb, name, regions, witness=witness
        )
        self.dynamodb.replicate(table)
        return table
