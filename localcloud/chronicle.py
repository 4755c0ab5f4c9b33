"""Writes into the history what people follow: votes, decisions, moves, workflow steps, lag.

It only listens, to what the services do anyway. Nothing is asked of the shipped code, and
nothing that happens depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.asl import Execution
from localcloud.cloud import LocalCloud
from localcloud.compute.lambdas import Function, Invocation
from localcloud.kernel import Steps
from localcloud.services.tables import Change, plain

LAG_EVERY_S = 10.0
"""How often replication is looked at."""


class Chronicle:
    """Follows one local cloud. Make it before the cloud starts.

    History kinds: `workflow` (an execution's status), `step` (a state entered), `vote` (an
    observer changed its mind about a Region), `decision` (what an observer decides about a
    Region, when it changed), `move` (a drain or restore, by which execution), `mark` (a warden
    tells that a Region is drained, or no more), `drill_fault`, `taken_over` (an incident, from a
    holder whose lease had run out), `lag` (unreplicated items and the newest heartbeats' age),
    `function_error`.
    """

    def __init__(self, cloud: LocalCloud) -> None:
        self._cloud, self._kernel = cloud, cloud.kernel
        application = cloud.topology.application
        self._tables = {
            f"sidestep-{application}-coordination": self._coordinated,
            f"sidestep-{application}-regional": self._regional,
        }
        self._data = f"sidestep-{application}-data"
        self._told: dict[tuple[str, ...], Any] = {}
        self._moves: set[tuple[int, str, str]] = set()
        cloud.stepfunctions.on_status.append(self._status)
        cloud.stepfunctions.on_transition.append(self._transition)
        cloud.lambdas.on_invocation.append(self._invoked)
        # As they are made, once each: replicas hear of older changes after newer ones of another.
        cloud.services.dynamodb.on_write.append(self._written)
        self._kernel.process(self._measure_lag())

    def _new(self, value: Any, *what: str) -> bool:
        """Whether this differs from what was told last."""
        before = self._told.get(what)
        self._told[what] = value
        return bool(before != value)

    # -- workflows and functions ---------------------------------------------------------------

    def _status(self, region: str, execution: Execution) -> None:
        self._kernel.log(
            "workflow",
            region=region,
            machine=_short(execution),
            execution=execution.name,
            status=execution.status,
            error=execution.error,
            cause=execution.cause,
        )

    def _transition(self, region: str, execution: Execution, moment: str, state: str) -> None:
        if moment == "entered":
            self._kernel.log(
                "step",
                region=region,
                machine=_short(execution),
                execution=execution.name,
                state=state,
            )

    def _invoked(self, function: Function, invocation: Invocation) -> None:
        short = function.name.rsplit("-", 1)[-1]
        if invocation.error is not None:
            self._kernel.log(
                "function_error", region=function.region, function=short, **invocation.error
            )
        elif short == "vote":
            for decision in invocation.payload["decisions"]:
                self._decided(function.region, decision)

    def _decided(self, observer: str, decision: Mapping[str, Any]) -> None:
        gist = (decision["action"], decision["diagnosis"])
        if self._new(gist, "decision", observer, decision["region"]):
            self._kernel.log("decision", observer=observer, **decision)

    # -- tables --------------------------------------------------------------------------------

    def _written(self, region: str, table: str, changes: list[Change]) -> None:
        hear = self._tables.get(table)
        if hear is not None:
            for change in changes:
                hear(region, change)

    def _coordinated(self, _: str, change: Change) -> None:
        if change.new is None:
            return
        item = plain(change.new)
        kind = str(item["sk"])
        if kind == "control":
            self._controlled(item)
            self._taken_over(plain(change.old) if change.old is not None else {}, item)
        elif kind.startswith("vote#"):
            for region, vote in item["votes"].items():
                if self._new(vote["verdict"], "vote", item["observer"], region):
                    words = [e["words"] for e in vote["evidence"] if e["bad"] or not e["words"]]
                    self._kernel.log(
                        "vote",
                        observer=item["observer"],
                        region=region,
                        verdict=vote["verdict"],
                        why=words or [e["words"] for e in vote["evidence"]],
                    )

    def _controlled(self, item: Mapping[str, Any]) -> None:
        for move in item.get("moves", ()):
            known = (int(move["at_ms"]), str(move["region"]), str(move["what"]))
            if known not in self._moves:
                self._moves.add(known)
                self._kernel.log(
                    "move",
                    region=known[1],
                    what=known[2],
                    incident=move["incident"],
                    by=item["regions"][known[1]]["holder"],
                )
        # Before the first claim the item may hold nothing but an operator's orders.
        for region, state in item.get("regions", {}).items():
            if self._new(state["state"], "state", region):
                told = {name: state[name] for name in ("state", "incident", "mode")}
                self._kernel.log("state", region=region, by=state["holder"], **told)

    def _taken_over(self, before: Mapping[str, Any], item: Mapping[str, Any]) -> None:
        # Whose lease is still good may be relieved by a person's force: that is not told here.
        for region, state in item.get("regions", {}).items():
            was = before.get("regions", {}).get(region, {})
            other = was.get("holder") and state["holder"] not in ("", was["holder"])
            if other and was["lease_until_ms"] <= self._kernel.now * 1000:
                told = {"incident": state["incident"], "of": was["holder"], "by": state["holder"]}
                self._kernel.log("taken_over", region=region, **told)

    def _regional(self, region: str, change: Change) -> None:
        item = plain(change.new or change.old)
        there = change.new is not None
        if item["pk"] == "drained":
            drained = there and bool(item.get("drained"))
            if self._new(drained, "mark", region, item["sk"]):
                self._kernel.log("mark", warden=region, region=item["sk"], drained=drained)
        elif item["pk"] == "fault" and self._new(there, "drill_fault", region):
            self._kernel.log("drill_fault", region=region, injected=there)

    # -- replication ---------------------------------------------------------------------------

    def _measure_lag(self) -> Steps[None]:
        while True:
            yield self._kernel.env.timeout(LAG_EVERY_S)
            self._kernel.log("lag", links=list(self._links()))

    def _links(self) -> Iterable[dict[str, Any]]:
        dynamodb, regions = self._cloud.services.dynamodb, self._cloud.topology.regions
        replication: Any = dynamodb.replication(self._data)
        for target in regions:
            table = dynamodb.table(target, self._data)
            for source in regions:
                if source == target:
                    continue
                beat = table.find((("S", "heartbeat"), ("S", source)))
                at = float(plain(beat)["at"]) / 1000 if beat is not None else None
                yield {
                    "source": source,
                    "target": target,
                    "unreplicated": replication.unreplicated(source, target),
                    "heartbeat_age_s": None if at is None else round(self._kernel.now - at, 3),
                }


def _short(execution: Execution) -> str:
    return execution.machine.name.rsplit("-", 1)[-1]
