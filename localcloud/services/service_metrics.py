"""The metrics that AWS services publish of themselves, in the names and units of their pages."""

from __future__ import annotations

from localcloud.frontdoor import Served
from localcloud.kernel import Kernel
from localcloud.lambdas import Function, Invocation
from localcloud.services.emf import metrics_in
from localcloud.services.metrics import Dimensions, MetricId, MetricStore, dimensions


class ServiceMetrics:
    """Listens to Lambda and the front door and records what CloudWatch would have.

    Hook it up with `lambdas.on_invocation.append(metrics.invoked)` and
    `frontdoor.on_served.append(metrics.served)`.
    """

    def __init__(self, kernel: Kernel, metrics: MetricStore) -> None:
        self._kernel, self._metrics = kernel, metrics
        self._where: dict[str, Dimensions] = {}

    def invoked(self, function: Function, invocation: Invocation) -> None:
        """AWS/Lambda metrics of one invocation, and the EMF in what it printed.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        where = self._where.get(function.name)
        if where is None:
            where = self._where[function.name] = dimensions(FunctionName=function.name)
        region = function.region
        kind = invocation.error["errorType"] if invocation.error else None
        if kind == "TooManyRequestsException":
            # A throttled request is neither an invocation nor an error.
            self._add(region, "AWS/Lambda", "Throttles", where, 1.0, "Count")
            return
        took = invocation.duration_s * 1000
        self._add(region, "AWS/Lambda", "Invocations", where, 1.0, "Count")
        self._add(region, "AWS/Lambda", "Errors", where, 1.0 if kind else 0.0, "Count")
        self._add(region, "AWS/Lambda", "Throttles", where, 0.0, "Count")
        self._add(region, "AWS/Lambda", "Duration", where, took, "Milliseconds")
        self.printed(region, invocation.output)

    def printed(self, region: str, output: str) -> None:
        """Metrics in embedded metric format, from a function's standard output."""
        if '"_aws"' not in output:
            return
        for line in output.splitlines():
            for datum in metrics_in(line):
                metric = MetricId(region, datum.namespace, datum.name, datum.dimensions)
                self._metrics.record(
                    metric, datum.value, datum.at, datum.unit, datum.high_resolution
                )

    def served(self, served: Served) -> None:
        """AWS/ApiGateway metrics of one answered request of an HTTP API.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
        """
        api, took = served.api, served.latency_s * 1000
        places: list[Dimensions] = [
            (("ApiId", api.api_id),),
            (("ApiId", api.api_id), ("Stage", api.stage)),
        ]
        if served.route in api.detailed:
            method, resource = served.route.split(" ", 1)
            places.append(
                dimensions(ApiId=api.api_id, Method=method, Resource=resource, Stage=api.stage)
            )
        for where in places:
            for name, value, unit in (
                ("Count", 1.0, "Count"),
                ("4xx", float(400 <= served.status < 500), "Count"),
                ("5xx", float(served.status >= 500), "Count"),
                ("Latency", took, "Milliseconds"),
                ("IntegrationLatency", took, "Milliseconds"),
            ):
                self._add(api.region, "AWS/ApiGateway", name, where, value, unit)

    def _add(
        self, region: str, namespace: str, name: str, where: Dimensions, value: float, unit: str
    ) -> None:
        metric = MetricId(region, namespace, name, where)
        self._metrics.record(metric, value, self._kernel.now, unit)
