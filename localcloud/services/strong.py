"""Global tables with multi-Region strong consistency (MRSC): a majority or nothing.

A write or a strongly consistent read is served only where two of the three Regions can
reach each other, and then sees every write acknowledged anywhere. An eventually consistent read
is answered from the Region's own copy, which may trail.

What a caller gets of a replica that has lost the majority is not documented, so it is drawn, for
each time that a Region loses it: it refuses at once, or keeps its callers waiting and answers
those who are still there when the majority is back.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/multi-region-strong-consistency-gt.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.calls.endpoint import ACCOUNT, ApiCall, UnansweredError
from localcloud.calls.wire import AwsError
from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network
from localcloud.services import modelled
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.eventual import image
from localcloud.services.tables import Change, Key, plain, values_of

REGION_SETS = (
    frozenset({"us-east-1", "us-east-2", "us-west-2"}),
    frozenset({"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"}),
    frozenset({"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"}),
)
"""An MRSC table's Regions are of one set (botocore model, DynamoDB,
CreateGlobalTableWitnessGroupMemberAction)."""


@dataclass(frozen=True)
class _Committed:
    """The newest write of an item: where and when it was acknowledged."""

    region: str
    at: float


class StrongTable:
    """One MRSC global table: three replicas, or two and a witness."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        dynamodb: DynamoDb,
        name: str,
        regions: list[str],
        witness: str | None = None,
    ) -> None:
        """Raises ValueError for Regions or tables that MRSC does not accept."""
        members = [*regions, *([witness] if witness else [])]
        if len(set(members)) != 3 or len(regions) < 2:
            raise ValueError(f"{name}: MRSC needs three replicas, or two and a witness: {members}")
        if not any(set(members) <= allowed for allowed in REGION_SETS):
            raise ValueError(f"{name}: the Regions of an MRSC table are of one set: {members}")
        for region in regions:
            table = dynamodb.table(region, name)
            if len(table):
                raise ValueError(f"{name}: an MRSC table must start empty; {region} has items")
            if table.indexes:
                raise ValueError(f"{name}: an MRSC table cannot have local secondary indexes")
        self.name = name
        self._kernel, self._network, self._dynamodb = kernel, network, dynamodb
        self._regions, self._members, self._witness = list(regions), members, witness
        self._chance = kernel.fork(f"strong/{name}")
        self._outages = kernel.fork(f"strong/{name}/outages")
        self._hangs: dict[str, bool] = {}
        """Regions seen to be in a minority → whether they keep callers waiting until it ends."""
        self._behind: dict[str, deque[tuple[Key, Mapping[str, Any] | None]]] = {
            region: deque() for region in regions
        }
        self._last: dict[Key, _Committed] = {}

    # -- what the DynamoDB service asks ----------------------------------------------------------

    def replicas(self) -> list[str]:
        """The Regions that hold the data; a witness does not."""
        return self._regions

    def describe(self) -> Mapping[str, Any]:
        """Replicas, witness and consistency mode, as DescribeTable gives them."""
        described: dict[str, Any] = {
            "GlobalTableVersion": "2019.11.21",
            "MultiRegionConsistency": "STRONG",
            "Replicas": [
                {
                    "RegionName": region,
                    "ReplicaStatus": "ACTIVE",
                    "ReplicaArn": f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{self.name}",
                }
                for region in self._regions
            ],
        }
        if self._witness:
            described["GlobalTableWitnesses"] = [
                {"RegionName": self._witness, "WitnessStatus": "ACTIVE"}
            ]
        return described

    def before(self, call: ApiCall, write: bool) -> None:
        """Ask the majority before a write or a strongly consistent read; refuse what MRSC lacks."""
        self._refuse_unsupported(call)
        if call.region not in self._regions or not (write or self._reads_strongly(call)):
            return
        started = self._kernel.now
        left_s = self._hold(call, call.read_timeout_s)
        self._kernel.wait(self._majority_s(call.region))
        self._hold(call, left_s)  # the link may have died meanwhile
        if write:
            self._refuse_conflict(call, started)
        self._catch_up(call.region)

    def written(self, region: str, changes: list[Change]) -> None:
        """Acknowledge these writes: from now on every strongly consistent read sees them."""
        for change in changes:
            self._last[change.key] = _Committed(region, self._kernel.now)
            for other in self._regions:
                if other == region:
                    continue
                if not self._behind[other]:
                    self._kernel.process(self._follow(region, other))
                self._behind[other].append((change.key, image(change)))

    # -- what judges ask -------------------------------------------------------------------------

    def newest(self, key: Key) -> dict[str, Any] | None:
        """An item's plain values as they were acknowledged last, in whichever Region."""
        here = self._regions[0]
        for changed, now in reversed(self._behind[here]):
            if changed == key:
                return values_of(now) if now is not None else None
        found = self._dynamodb.table(here, self.name).find(key)
        return plain(found) if found is not None else None

    def newest_of(self, hash_key: str) -> list[dict[str, Any]]:
        """The items of a partition (its key's value), as `newest`, in the order of their keys."""
        here = self._regions[0]
        table = self._dynamodb.table(here, self.name)
        keys = {table.key_of(item) for item in table.all_items()}
        keys |= {changed for changed, _ in self._behind[here]}
        found = [self.newest(key) for key in sorted(keys) if key[0][1] == hash_key]
        return [item for item in found if item is not None]

    # -- the majority ----------------------------------------------------------------------------

    def lose(self, region: str) -> None:
        """Nothing: what was acknowledged is in two Regions, so that a new replica has it, too."""

    def add(self, region: str) -> None:
        """Nothing: the replica is as it would have caught up to be."""

    def _hold(self, call: ApiCall, patience_s: float) -> float:
        """Come back once the Region has the majority, with what is left of a caller's patience.

        Raises AwsError where the Region refuses, UnansweredError when the patience is at its end.
        Which error AWS gives is not documented; InternalServerError (HTTP 500, retried by SDKs)
        is inferred.
        """
        here = call.region
        while not self._others(here):
            if here not in self._hangs:
                self._hangs[here] = self._outages.random() < modelled.MINORITY_HANGS_SHARE
            if not self._hangs[here]:
                raise AwsError(
                    "InternalServerError",
                    f"{self.name}: {here} reaches no other Region of this strongly consistent "
                    "table",
                    500,
                )
            if patience_s <= 0:
                raise UnansweredError
            pause_s = min(patience_s, modelled.MAJORITY_RECHECK_S)
            self._kernel.wait(pause_s)
            patience_s -= pause_s
        self._hangs.pop(here, None)
        return patience_s

    def _others(self, here: str) -> list[str]:
        """The other members that a Region reaches: with one of them it has the majority."""
        return [
            other
            for other in self._members
            if other != here and self._network.reachable(here, other)
        ]

    def _majority_s(self, here: str) -> float:
        """Round trip to the nearest other member that is reached, in seconds."""
        return min(self._network.round_trip_s(here, other) for other in self._others(here))

    def _refuse_conflict(self, call: ApiCall, started: float) -> None:
        for key in self._keys_of(call):
            last = self._last.get(key)
            overlapping = last is not None and last.region != call.region and last.at > started
            if overlapping and self._chance.random() < modelled.WRITE_CONFLICT_SHARE:
                raise AwsError(
                    "ReplicatedWriteConflictException",
                    "One or more items in this request are being modified by a request in "
                    "another Region.",
                )

    def _refuse_unsupported(self, call: ApiCall) -> None:
        unsupported = {
            "TransactWriteItems": "transactions",
            "TransactGetItems": "transactions",
            "UpdateTimeToLive": "time to live",
        }.get(call.operation)
        if unsupported:
            raise AwsError(
                "ValidationException",
                f"{self.name} has multi-Region strong consistency, which has no {unsupported}",
            )

    def _reads_strongly(self, call: ApiCall) -> bool:
        asked = call.params.get("RequestItems", {}).get(self.name, call.params)
        return bool(asked.get("ConsistentRead"))

    def _keys_of(self, call: ApiCall) -> list[Key]:
        table = self._dynamodb.table(call.region, self.name)
        items = [call.params[name] for name in ("Item", "Key") if name in call.params]
        for request in call.params.get("RequestItems", {}).get(self.name, ()):
            items.extend(part.get("Item") or part.get("Key") for part in request.values())
        return [
            tuple(next(iter((k, str(v)) for k, v in item[name].items())) for name in keys)
            for item in items
            if (keys := table.table_key_attrs) and all(name in item for name in keys)
        ]

    # -- following -------------------------------------------------------------------------------

    def _catch_up(self, region: str) -> None:
        behind = self._behind[region]
        if not behind:
            return
        table = self._dynamodb.table(region, self.name)
        while behind:
            table.store(*behind.popleft())
        self._dynamodb.flush(region, self.name, replicated=True)

    def _follow(self, source: str, region: str) -> Steps[None]:
        """Bring a replica's own copy up to date by itself, some time after the acknowledgement."""
        nearest = min(
            (other for other in self._regions if other != source),
            key=lambda other: self._network.round_trip_s(source, other),
        )
        lag = 0.0 if region == nearest else modelled.STRONG_CATCH_UP_S * self._chance.random()
        yield self._kernel.env.timeout(lag + self._network.round_trip_s(source, region) / 2)
        while not any(
            self._network.reachable(other, region) for other in self._members if other != region
        ):
            yield self._kernel.env.timeout(modelled.REPLICATION_RECHECK_S)
        self._catch_up(region)
