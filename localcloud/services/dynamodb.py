"""DynamoDB: what moto answers, joined to replication, streams and time to live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from localcloud.calls.endpoint import ACCOUNT, ApiCall, Endpoint
from localcloud.calls.wire import AwsError
from localcloud.services.tables import Change, LocalTable

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
READS = ("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems")
PARTIQL = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")

Listener = Callable[[str, str, list[Change]], None]
"""(Region, table, changes), called in the moment of the write."""


class Replication(Protocol):
    """How the replicas of one global table follow each other."""

    name: str

    def replicas(self) -> list[str]:
        """The Regions that hold the data."""

    def describe(self) -> Mapping[str, Any]:
        """What DescribeTable says besides the table's own."""

    def before(self, call: ApiCall, write: bool) -> None:
        """Called before a write or read is served in `call.region`; may raise AwsError."""

    def written(self, region: str, changes: list[Change]) -> None:
        """A replica accepted these writes from a client."""

    def lose(self, region: str) -> None:
        """The replica in that Region is gone for good, with what it alone had."""

    def add(self, region: str) -> None:
        """A new replica takes the lost one's place."""


class DynamoDb:
    """Every Region's tables. Call order matters: make it before anything else hooks DynamoDB."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._replications: dict[str, Replication] = {}
        self.on_change: list[Listener] = []
        """Hears every change of every table, replicated ones too: what streams carry."""
        self.on_write: list[Listener] = []
        """Hears changes that a Region's own clients make, not those that replicate into it."""
        endpoint.before("dynamodb", *PARTIQL)(_refuse_partiql)
        endpoint.before("dynamodb", "UpdateTable")(_refuse_replica_updates)
        endpoint.after("dynamodb", "CreateTable")(lambda call, _: self._adopt(call))
        endpoint.answers("dynamodb", "DescribeTable")(self._describe)
        endpoint.after("dynamodb", *WRITES)(lambda call, _: self._written(call))

    def install_replication_hooks(self, endpoint: Endpoint) -> None:
        """Last of the hooks before moto answers: after it nothing may wait, or a strongly
        consistent table would judge a condition on yesterday's copy."""
        endpoint.before("dynamodb", *WRITES)(lambda call: self._before(call, True))
        endpoint.before("dynamodb", *READS)(lambda call: self._before(call, False))
        endpoint.before("dynamodb", "UpdateTimeToLive")(lambda call: self._before(call, True))

    # -- tables ------------------------------------------------------------------------------

    def table(self, region: str, name: str) -> LocalTable:
        """A table. Raises LookupError when the Region has none of that name."""
        found = _backend(region).tables.get(name)
        if not isinstance(found, LocalTable):
            raise LookupError(f"no table {name} in {region}")
        return found

    def tables(self, region: str) -> list[LocalTable]:
        """All tables of a Region."""
        return [t for t in _backend(region).tables.values() if isinstance(t, LocalTable)]

    def replicate(self, replication: Replication) -> None:
        """Make the tables of that name in the replicas' Regions one global table."""
        for region in replication.replicas():
            self.table(region, replication.name)
        self._replications[replication.name] = replication

    def replication(self, name: str) -> Replication | None:
        """The replication of a global table; None for a table of one Region."""
        return self._replications.get(name)

    # -- writes ------------------------------------------------------------------------------

    def flush(self, region: str, name: str, replicated: bool = False) -> None:
        """Tell streams of the writes a table accepted, and replicas unless they sent them."""
        changes = self.table(region, name).take_changes()
        if not changes:
            return
        replication = self._replications.get(name)
        if replication is not None and not replicated and region in replication.replicas():
            replication.written(region, changes)
        for listener in [*self.on_change, *([] if replicated else self.on_write)]:
            listener(region, name, changes)

    def _adopt(self, call: ApiCall) -> None:
        backend, name = _backend(call.region), call.params["TableName"]
        backend.tables[name] = LocalTable.adopt(backend.get_table(name))

    def _written(self, call: ApiCall) -> None:
        for name in tables_of(call):
            self.flush(call.region, name)

    def _before(self, call: ApiCall, write: bool) -> None:
        for name in tables_of(call):
            replication = self._replications.get(name)
            if replication is not None:
                replication.before(call, write)

    def _describe(self, call: ApiCall) -> Mapping[str, Any]:
        name = table_name(call.params["TableName"])
        try:
            table = self.table(call.region, name)
        except LookupError:
            raise AwsError(
                "ResourceNotFoundException",
                f"Requested resource not found: Table: {name} not found",
            ) from None
        described: dict[str, Any] = table.describe(base_key="Table")
        replication = self._replications.get(name)
        if replication is not None:
            described["Table"].update(replication.describe())
        return described


def table_name(name_or_arn: str) -> str:
    """A table's name from its name or ARN."""
    return name_or_arn.rsplit("table/", 1)[-1].split("/")[0]


def tables_of(call: ApiCall) -> Iterator[str]:
    """The tables a call is about, each once."""
    params, names = call.params, []
    if "TableName" in params:
        names.append(params["TableName"])
    names.extend(params.get("RequestItems", ()))
    for item in params.get("TransactItems", ()):
        names.extend(action["TableName"] for action in item.values())
    yield from dict.fromkeys(table_name(name) for name in names)


def _backend(region: str) -> DynamoDBBackend:
    return dynamodb_backends[ACCOUNT][region]


def _refuse_partiql(call: ApiCall) -> None:
    raise AwsError(
        "NotImplemented",
        f"the local cloud does not run PartiQL ({call.operation}): use the item operations",
        501,
    )


def _refuse_replica_updates(call: ApiCall) -> None:
    refused = {"ReplicaUpdates", "GlobalTableWitnessUpdates", "MultiRegionConsistency"}
    if refused & set(call.params):
        raise AwsError(
            "NotImplemented",
            "the local cloud makes global tables from AWS::DynamoDB::GlobalTable only, "
            "not by UpdateTable",
            501,
        )
