"""Time to live: expired items go in the background, late, and say so in the stream."""

from __future__ import annotations

import heapq
from typing import Any

from localcloud.kernel import Kernel, Steps
from localcloud.services import modelled
from localcloud.services.dynamodb import DynamoDb
from localcloud.services.tables import Change, Key

TTL_IDENTITY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""`userIdentity` of a stream record for an expired item
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html)."""


class TimeToLive:
    """Deletes expired items of tables that have TTL on. Reads see them until then, as on AWS."""

    def __init__(self, kernel: Kernel, dynamodb: DynamoDb) -> None:
        self._kernel, self._dynamodb = kernel, dynamodb
        self._chance = kernel.fork("ttl")
        self._due: list[tuple[float, int, str, str, Key, str]] = []
        self._counter = 0
        dynamodb.on_change.append(self._watch)

    def _watch(self, region: str, name: str, changes: list[Change]) -> None:
        ttl: dict[str, Any] = self._dynamodb.table(region, name).ttl
        if ttl.get("TimeToLiveStatus") != "ENABLED":
            return
        for change in changes:
            stated = change.new.attrs.get(ttl["AttributeName"]) if change.new else None
            if stated is None or stated.type != "N":
                continue
            late = self._chance.uniform(*modelled.TTL_LATENESS_S)
            if not self._due:
                self._kernel.process(self._sweep())
            self._counter += 1
            entry = (float(stated.value) + late, self._counter, region, name, change.key)
            heapq.heappush(self._due, (*entry, str(stated.value)))

    def _sweep(self) -> Steps[None]:
        while self._due:
            yield self._kernel.env.timeout(modelled.TTL_SWEEP_S)
            while self._due and self._due[0][0] <= self._kernel.now:
                _, _, region, name, key, stated = heapq.heappop(self._due)
                self._expire(region, name, key, stated)

    def _expire(self, region: str, name: str, key: Key, stated: str) -> None:
        table = self._dynamodb.table(region, name)
        item = table.find(key)
        attribute = table.ttl.get("AttributeName")
        if item is None or attribute not in item.attrs:
            return
        if str(item.attrs[attribute].value) != stated:
            return  # the item was given another time since
        table.shard.user_identity = TTL_IDENTITY
        try:
            table.store(key, None)
        finally:
            table.shard.user_identity = None
        self._dynamodb.flush(region, name)
