"""HTTP APIs, as SAM writes them: routes in an OpenAPI body; custom domain names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.compute.frontdoor import Api, Route
from localcloud.template.errors import TemplateError
from localcloud.template.kinds import Built, Deployment, Properties, builds, digest, flag, only
from localcloud.template.stack import Stack

_ANY = "x-amazon-apigateway-any-method"
_METHODS = frozenset({"get", "post", "put", "delete", "patch", "head", "options", _ANY})
PAYLOAD_FORMAT = "2.0"
"""The one event format that the front door makes."""


@builds(
    "AWS::ApiGatewayV2::Api",
    "Body DisableExecuteApiEndpoint",
    {"Name Description": "for readers", "FailOnWarnings": "every warning is an error here"},
)
def _api(d: Deployment, logical: str, p: Properties) -> Built:
    api_id = digest(d.stack.name, d.stack.region, logical)[:10]
    body = p["Body"]
    only(body, "openapi info paths servers tags", f"{logical}.Body")
    routes = [
        _route(f"{logical}.Body.paths.{path}.{method}", path, method, operation)
        for path, methods in body.get("paths", {}).items()
        for method, operation in methods.items()
    ]
    own = f"{api_id}.execute-api.{d.stack.region}.amazonaws.com"
    closed = flag(p.get("DisableExecuteApiEndpoint", False)) or _closed(logical, body)
    hosts = set() if closed else {own}
    d.stack.apis.append(Api(d.stack.region, api_id, "$default", routes, hosts))
    return api_id, {"ApiEndpoint": f"https://{own}", "ApiId": api_id}


def _closed(logical: str, body: Mapping[str, Any]) -> bool:
    """Whether the API's own host name is off: SAM writes that under `servers`."""
    key = "x-amazon-apigateway-endpoint-configuration"
    for server in body.get("servers", []):
        only(server, f"url {key}", f"{logical}.Body.servers")
        only(server.get(key, {}), "disableExecuteApiEndpoint", f"{logical}.Body.servers.{key}")
        if flag(server.get(key, {}).get("disableExecuteApiEndpoint", False)):
            return True
    return False


def _route(where: str, path: str, method: str, operation: Mapping[str, Any]) -> Route:
    if method not in _METHODS:
        raise TemplateError(f"{where}: no such method")
    # An HTTP API checks no parameters: they are in the path itself.
    only(operation, "x-amazon-apigateway-integration responses parameters", where)
    integration = operation["x-amazon-apigateway-integration"]
    only(integration, "type httpMethod uri payloadFormatVersion", where)
    kind = (integration["type"], str(integration.get("payloadFormatVersion")))
    if kind != ("aws_proxy", PAYLOAD_FORMAT):
        raise TemplateError(f"{where}: the local cloud has no integration of {' '.join(kind)}")
    function = integration["uri"].split(":function:")[-1].split("/")[0]
    return Route("ANY" if method == _ANY else method.upper(), path, function)


@builds(
    "AWS::ApiGatewayV2::Stage",
    "ApiId StageName RouteSettings",
    {
        "AutoDeploy": "what is deployed is live at once",
        "AccessLogSettings": "no logs are kept",
        "DefaultRouteSettings": "the front door has no throttle of its own",
    },
)
def _stage(d: Deployment, logical: str, p: Properties) -> Built:
    api = _find(d.stack, logical, p["ApiId"])
    for key, settings in p.get("RouteSettings", {}).items():
        where = f"{logical}.RouteSettings.{key}"
        only(settings, "DetailedMetricsEnabled ThrottlingBurstLimit ThrottlingRateLimit", where)
        if key not in {f"{route.method} {route.path}" for route in api.routes}:
            # As API Gateway refuses it: the stage is made after the API's routes.
            raise TemplateError(f"{where}: the API has no such route")
        if flag(settings.get("DetailedMetricsEnabled", False)):
            api.detailed.add(key)
    if p["StageName"] != "$default":
        raise TemplateError(f"{logical}: the local cloud knows the stage $default alone")
    return p["StageName"], {}


@builds(
    "AWS::ApiGatewayV2::DomainName",
    "DomainName",
    {"DomainNameConfigurations": "the local front door has no TLS", "RoutingMode": "mappings only"},
)
def _domain(d: Deployment, logical: str, p: Properties) -> Built:
    own = f"d-{logical.lower()}.execute-api.{d.stack.region}.amazonaws.com"
    d.stack.front_names[own] = p["DomainName"]
    return p["DomainName"], {"RegionalDomainName": own, "RegionalHostedZoneId": "ZLOCALFRONT"}


@builds("AWS::ApiGatewayV2::ApiMapping", "DomainName ApiId Stage")
def _api_mapping(d: Deployment, logical: str, p: Properties) -> Built:
    if p["DomainName"] not in d.stack.front_names.values():
        raise TemplateError(f"{logical}: no domain name {p['DomainName']} in this stack")
    _find(d.stack, logical, p["ApiId"]).hosts.add(p["DomainName"])
    return d.generated(logical), {}


def _find(stack: Stack, logical: str, api_id: str) -> Api:
    for api in stack.apis:
        if api.api_id == api_id:
            return api
    raise TemplateError(f"{logical}: no API {api_id} in this stack")
