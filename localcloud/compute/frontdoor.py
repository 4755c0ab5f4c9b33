"""API Gateway's HTTP APIs: a request at a Region's front door, routed to its Lambda and back."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from localcloud.calls.endpoint import ACCOUNT
from localcloud.compute.lambdas import Lambdas
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network

INTEGRATION_TIMEOUT_S = 30.0
"""Longest an HTTP API waits for its integration
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html)."""
GATEWAY_TIME_S = 0.002  # modelled: what API Gateway itself adds
HANDSHAKES = 2
"""Round trips that make a connection: one for TCP, one for TLS 1.3 (RFC 8446, section 2). HTTP APIs
take TLS 1.2 and 1.3 (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-ciphers.html),
and Python's ssl offers both (urllib3's `create_urllib3_context` sets a minimum of 1.2 and no
maximum), so that 1.3 is agreed on. A client that has no more than 1.2 takes one more."""


class Unreachable(Exception):  # noqa: N818  # a state of the network, and its name
    """No connection: the Region does not answer packets from there."""


@dataclass(frozen=True)
class HttpAnswer:
    """An HTTP answer as the client sees it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Route:
    """A route of an HTTP API: method, path pattern (`/drained/{region}`), function."""

    method: str
    path: str
    function: str


@dataclass
class Api:
    """A Region's HTTP API, its routes, and the host names mapped to it."""

    region: str
    api_id: str
    stage: str
    routes: list[Route]
    hosts: set[str] = field(default_factory=set)
    detailed: set[str] = field(default_factory=set)
    """Route keys (`GET /history`) that have metrics of their own."""


@dataclass(frozen=True)
class Served:
    """One answered request, for metrics."""

    api: Api
    status: int
    latency_s: float
    route: str | None


Override = Callable[[str, str, str], HttpAnswer | None]


class FrontDoor:
    """Every Region's HTTP API. `on_served` hears each answer; an `override` may answer first.

    `may_invoke(function ARN, source ARN)` tells whether the function's own policy lets API
    Gateway in: an integration without credentials has no other right. The local cloud sets it.
    """

    def __init__(self, kernel: Kernel, network: Network, lambdas: Lambdas) -> None:
        self.kernel, self.network, self.lambdas = kernel, network, lambdas
        self.on_served: list[Callable[[Served], None]] = []
        self.override: list[Override] = []
        self.may_invoke: Callable[[str, str], bool] = lambda _function, _source: True
        self._apis: dict[str, list[Api]] = {}
        self._ids = itertools.count(1)
        self._patterns: dict[str, re.Pattern[str]] = {}

    def add(self, api: Api) -> None:
        """Open an API."""
        self._apis.setdefault(api.region, []).append(api)

    def api(self, region: str, host: str | None = None) -> Api | None:
        """The API that answers `host` in a Region (None: its only one)."""
        apis = self._apis.get(region, [])
        if host is None:
            return apis[0] if apis else None
        return next((api for api in apis if host in api.hosts), None)

    def request(
        self,
        region: str,
        host: str,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        source: str | None = None,
        connects: bool = False,
    ) -> Steps[HttpAnswer]:
        """One HTTPS request to a Region's address for `host`, from a place.

        `connects`: on a connection that is made for it. Raises Unreachable at once; how long a
        client waits for nothing is the client's matter.
        """
        place = source if source is not None else region
        if not self.network.reachable(place, region):
            raise Unreachable(f"{region} does not answer {place}")
        travel = self.network.round_trip_s(place, region)
        if connects:
            yield self.kernel.env.timeout(HANDSHAKES * travel)
            if not self.network.reachable(place, region):
                raise Unreachable(f"{region} stopped answering {place}")
        yield self.kernel.env.timeout(travel / 2)
        answer = yield from self._answer(region, host, method, path, headers or {}, body)
        if not self.network.reachable(place, region):
            raise Unreachable(f"{region} stopped answering {place}")
        yield self.kernel.env.timeout(travel / 2)
        return answer

    def _answer(
        self,
        region: str,
        host: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Steps[HttpAnswer]:
        api = self.api(region, host)
        if api is None:
            # API Gateway answers an unmapped host name so.
            return _message(403, "Forbidden")
        started = self.kernel.now
        url = urlsplit(path)
        route, labels = self._match(api, method, url.path)
        for fault in self.override:
            broken = fault(region, method, url.path)
            if broken is not None:
                self._tell(api, broken.status, started, route)
                return broken
        if route is None:
            self._tell(api, 404, started, None)
            return _message(404, "Not Found")
        yield self.kernel.env.timeout(GATEWAY_TIME_S)
        if not self.may_invoke(*_invocation(api, route)):
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
            self._tell(api, 500, started, route)
            return _message(500, "Internal Server Error")
        event = self._event(api, route, host, method, url.path, url.query, labels, headers, body)
        invoked = self.kernel.process(self.lambdas.invoke(region, route.function, event))
        yield invoked | self.kernel.env.timeout(INTEGRATION_TIMEOUT_S)
        invocation: Any = invoked.value if invoked.triggered else None
        if invocation is None:
            answer = _message(503, "Service Unavailable")
        elif invocation.error is not None:
            throttled = invocation.error["errorType"] == "TooManyRequestsException"
            answer = _message(503 if throttled else 500, "Internal Server Error")
        else:
            answer = _answer_of(invocation.payload)
        self._tell(api, answer.status, started, route)
        return answer

    def _tell(self, api: Api, status: int, started: float, route: Route | None) -> None:
        key = f"{route.method} {route.path}" if route else None
        served = Served(api, status, self.kernel.now - started, key)
        for listener in self.on_served:
            listener(served)

    def _match(self, api: Api, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        for route in api.routes:
            if route.method not in (method, "ANY"):
                continue
            pattern = self._patterns.get(route.path)
            if pattern is None:
                greedy = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", route.path)
                pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", greedy) + "$")
                self._patterns[route.path] = pattern
            found = pattern.match(path)
            if found:
                return route, found.groupdict()
        return None, {}

    def _event(
        self,
        api: Api,
        route: Route,
        host: str,
        method: str,
        path: str,
        query: str,
        labels: dict[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> dict[str, Any]:
        """The payload, format 2.0
        (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""
        now = datetime.fromtimestamp(self.kernel.now, UTC)
        lowered = {"host": host} | {key.lower(): value for key, value in headers.items()}
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{route.method} {route.path}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": lowered,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": api.api_id,
                "domainName": host,
                "domainPrefix": host.split(".")[0],
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.1",
                    "userAgent": lowered.get("user-agent", ""),
                },
                "requestId": f"req-{next(self._ids)}",
                "routeKey": f"{route.method} {route.path}",
                "stage": api.stage,
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(self.kernel.now * 1000),
            },
            "isBase64Encoded": False,
        }
        if query:
            grouped: dict[str, str] = {}
            for key, value in parse_qsl(query, keep_blank_values=True):
                grouped[key] = f"{grouped[key]},{value}" if key in grouped else value
            event["queryStringParameters"] = grouped
        if labels:
            event["pathParameters"] = labels
        if body:
            try:
                event["body"] = body.decode("utf-8")
            except UnicodeDecodeError:
                event["body"] = base64.b64encode(body).decode()
                event["isBase64Encoded"] = True
        return event


def _invocation(api: Api, route: Route) -> tuple[str, str]:
    """What is invoked, and on behalf of what: function ARN, and the ARN of the API's route
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html)."""
    function = f"arn:aws:lambda:{api.region}:{ACCOUNT}:function:{route.function}"
    where = f"{api.api_id}/{api.stage}/{route.method}{route.path}"
    return function, f"arn:aws:execute-api:{api.region}:{ACCOUNT}:{where}"


def _message(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(
        status, {"content-type": "application/json"}, f'{{"message":"{text}"}}'.encode()
    )


def _answer_of(payload: Any) -> HttpAnswer:
    """A handler's return value as HTTP. Without a status it is API Gateway's 500."""
    if not isinstance(payload, dict) or "statusCode" not in payload:
        return _message(500, "Internal Server Error")
    raw = payload.get("body") or ""
    body = base64.b64decode(raw) if payload.get("isBase64Encoded") else str(raw).encode()
    headers = {str(k).lower(): str(v) for k, v in (payload.get("headers") or {}).items()}
    return HttpAnswer(int(payload["statusCode"]), headers, body)
