"""The metrics that AWS services publish of themselves, in the names and units of their pages."""

from __future__ import annotations

from localcloud.compute.frontdoor import Api, Served
from localcloud.compute.lambdas import Function, Invocation
from localcloud.kernel import Kernel
from localcloud.services.emf import metrics_in
from localcloud.services.metrics import Dimensions, MetricId, MetricStore, dimensions

_OF_FUNCTION = (
    ("Invocations", "Count"),
    ("Errors", "Count"),
    ("Throttles", "Count"),
    ("Duration", "Milliseconds"),
)
"""Metrics of a function and their units."""
_OF_API = (
    ("Count", "Count"),
    ("4xx", "Count"),
    ("5xx", "Count"),
    ("Latency", "Milliseconds"),
    ("IntegrationLatency", "Milliseconds"),
)
"""Metrics of an HTTP API and their units."""


class ServiceMetrics:
    """Listens to Lambda and the front door and records what CloudWatch would have.

    Hook it up with `lambdas.on_invocation.append(metrics.invoked)` and
    `frontdoor.on_served.append(metrics.served)`.
    """

    def __init__(self, kernel: Kernel, metrics: MetricStore) -> None:
        self._kernel, self._metrics = kernel, metrics
        self._functions: dict[tuple[str, str], dict[str, MetricId]] = {}
        self._routes: dict[tuple[str, str | None], list[list[MetricId]]] = {}

    def invoked(self, function: Function, invocation: Invocation) -> None:
        """AWS/Lambda metrics of one invocation, and the EMF in what it printed.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        region = function.region
        kind = invocation.error["errorType"] if invocation.error else None
        metrics = self._of_function(function)
        if kind == "TooManyRequestsException":
            # A throttled request is neither an invocation nor an error.
            self._metrics.record(metrics["Throttles"], 1.0, self._kernel.now, "Count")
            return
        values = (1.0, 1.0 if kind else 0.0, 0.0, invocation.duration_s * 1000)
        now = self._kernel.now
        for (name, unit), value in zip(_OF_FUNCTION, values, strict=True):
            self._metrics.record(metrics[name], value, now, unit)
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
        took, now = served.latency_s * 1000, self._kernel.now
        values = (1.0, float(400 <= served.status < 500), float(served.status >= 500), took, took)
        for metrics in self._of_route(served.api, served.route):
            for metric, value, (_, unit) in zip(metrics, values, _OF_API, strict=True):
                self._metrics.record(metric, value, now, unit)

    def _of_route(self, api: Api, route: str | None) -> list[list[MetricId]]:
        """The metrics of an API, of its stage, and of a route that has its own."""
        known = self._routes.get((api.api_id, route))
        if known is not None:
            return known
        places: list[Dimensions] = [
            (("ApiId", api.api_id),),
            (("ApiId", api.api_id), ("Stage", api.stage)),
        ]
        if route is not None and route in api.detailed:
            method, resource = route.split(" ", 1)
            places.append(
                dimensions(ApiId=api.api_id, Method=method, Resource=resource, Stage=api.stage)
            )
        made = [
            [MetricId(api.region, "AWS/ApiGateway", name, where) for name, _ in _OF_API]
            for where in places
        ]
        self._routes[api.api_id, route] = made
        return made

    def _of_function(self, function: Function) -> dict[str, MetricId]:
        """The metrics of a function, by name."""
        key = (function.region, function.name)
        known = self._functions.get(key)
        if known is None:
            where = dimensions(FunctionName=function.name)
            known = self._functions[key] = {
                name: MetricId(function.region, "AWS/Lambda", name, where)
                for name, _ in _OF_FUNCTION
            }
        return known
