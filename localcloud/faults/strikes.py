"""How each kind of fault strikes the world, and ends again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import simpy

from localcloud.cloud import LocalCloud
from localcloud.compute.frontdoor import HttpAnswer
from localcloud.compute.lambdas import Function
from localcloud.faults import by_hand, inside
from localcloud.faults.kinds import ACTING
from localcloud.faults.on_calls import CallFault
from localcloud.faults.overlapping import Overlapping
from localcloud.kernel import Steps
from localcloud.scenario import Fault
from localcloud.services.eventbridge import BusFault
from localcloud.services.links import Disturbance
from localcloud.services.table_faults import TableFault

End = Callable[[], None]
Begin = Callable[[LocalCloud, Fault], End]
_GROWTH_STEPS = 20


def _region_down(cloud: LocalCloud, fault: Fault) -> End:
    cloud.fail_region(fault.region)
    return lambda: cloud.restore_region(fault.region)


def _region_lost(cloud: LocalCloud, fault: Fault) -> End:
    cloud.lose_region(fault.region)
    return lambda: cloud.renew_region(fault.region)


def _in_set(places: Callable[[LocalCloud], Overlapping[str]]) -> Begin:
    """A fault that is a Region's membership in a set."""

    def begin(cloud: LocalCloud, fault: Fault) -> End:
        places(cloud).add(fault.region)
        return lambda: places(cloud).discard(fault.region)

    return begin


def _link_cut(cloud: LocalCloud, fault: Fault) -> End:
    link = frozenset((fault.region, str(fault.settings["peer"])))
    cloud.network.cut.add(link)
    return lambda: cloud.network.cut.discard(link)


def _health_errors(cloud: LocalCloud, fault: Fault) -> End:
    answer = HttpAnswer(503, {"content-type": "application/json"}, b'{"status":"unhealthy"}')

    def override(where: str, method: str, path: str) -> HttpAnswer | None:
        return answer if (where, method, path) == (fault.region, "GET", "/health") else None

    cloud.door.override.append(override)
    return lambda: cloud.door.override.remove(override)


def _table(**shares: float) -> Begin:
    """A fault of the Region's data table; each share is multiplied by the fault's own."""

    def begin(cloud: LocalCloud, fault: Fault) -> End:
        faults = cloud.services.table_faults
        share, grows_over_s = float(fault.settings["share"]), float(fault.settings["grows_over_s"])
        present: list[TableFault] = []

        def become(level: float) -> None:
            while present:
                faults.remove(present.pop())
            scaled = {name: of * share * level for name, of in shares.items()}
            present.append(faults.add(TableFault(fault.region, cloud.table("data"), **scaled)))

        def grow() -> Steps[None]:
            for step in range(2, _GROWTH_STEPS + 1):
                yield cloud.kernel.env.timeout(grows_over_s / _GROWTH_STEPS)
                if not present:
                    return
                become(step / _GROWTH_STEPS)

        become(1 / _GROWTH_STEPS if grows_over_s else 1.0)
        if grows_over_s:
            cloud.kernel.process(grow())

        def end() -> None:
            while present:
                faults.remove(present.pop())

        return end

    return begin


def _slow(cloud: LocalCloud, fault: Fault) -> End:
    extra = float(fault.settings["extra_s"])
    late = cloud.endpoint.faults.add(
        CallFault(service="dynamodb", region=fault.region, caller=fault.region, delay_s=extra)
    )
    return lambda: cloud.endpoint.faults.remove(late)


def _bad_deploy(cloud: LocalCloud, fault: Fault) -> End:
    share, chance = float(fault.settings["share"]), cloud.kernel.fork(f"bad deploy {fault.region}")
    broken = {f"sidestep-{cloud.topology.application}-{name}" for name in ("write", "history")}

    def crashes(function: Function) -> str | None:
        if function.region != fault.region or function.name not in broken:
            return None
        return "Runtime.HandlerError" if chance.random() < share else None

    cloud.lambdas.crashes.append(crashes)
    return lambda: cloud.lambdas.crashes.remove(crashes)


def _replication(paused: bool) -> Begin:
    def begin(cloud: LocalCloud, fault: Fault) -> End:
        extra = 0.0 if paused else float(fault.settings["extra_s"])
        trouble = Disturbance(
            table=cloud.table("data"), region=fault.region, paused=paused, extra_s=extra
        )
        cloud.services.replication.disturb(trouble)
        return lambda: cloud.services.replication.relieve(trouble)

    return begin


def _bus_down(cloud: LocalCloud, fault: Fault) -> End:
    broken = cloud.services.events.add_fault(BusFault(fault.region, float(fault.settings["share"])))
    return lambda: cloud.services.events.remove_fault(broken)


def _alarms_stuck(cloud: LocalCloud, fault: Fault) -> End:
    cloud.services.alarms.stick(fault.region)
    return lambda: cloud.services.alarms.unstick(fault.region)


def _clock_skew(cloud: LocalCloud, fault: Fault) -> End:
    return cloud.lambdas.clock_ahead_s[fault.region].stand(float(fault.settings["ahead_s"]))


def _route53_down(cloud: LocalCloud, _: Fault) -> End:
    cloud.route53.control_plane_down += 1

    def end() -> None:
        cloud.route53.control_plane_down -= 1

    return end


def _fails(cloud: LocalCloud, table: str, regions: Iterable[str], share: float = 1.0) -> End:
    """A share of a table's calls in these Regions fails."""
    faults = cloud.services.table_faults
    shares = {"failing_reads": share, "failing_writes": share}
    broken = [faults.add(TableFault(region, cloud.table(table), **shares)) for region in regions]

    def end() -> None:
        for one in broken:
            faults.remove(one)

    return end


def _coordination_down(cloud: LocalCloud, _: Fault) -> End:
    return _fails(cloud, "coordination", cloud.topology.coordination)


def _coordination_replica_down(cloud: LocalCloud, fault: Fault) -> End:
    number = int(fault.settings["replica"]) - 1
    return _fails(cloud, "coordination", (cloud.topology.coordination[number],))


def _regional_table_errors(cloud: LocalCloud, fault: Fault) -> End:
    return _fails(cloud, "regional", (fault.region,), float(fault.settings["share"]))


def _duplicates(cloud: LocalCloud, fault: Fault) -> End:
    shares = cloud.services.events.delivery.duplicate_shares
    return shares.stand(float(fault.settings["share"]))


BEGINS: dict[str, Begin] = {
    "region-down": _region_down,
    "region-lost": _region_lost,
    "region-isolated": _in_set(lambda cloud: cloud.network.isolated),
    "region-dark": _in_set(lambda cloud: cloud.network.dark),
    "link-cut": _link_cut,
    "health-errors": _health_errors,
    "write-errors": _table(failing_writes=1.0),
    "read-errors": _table(failing_reads=1.0),
    "table-throttled": _table(throttled_writes=1.0, throttled_reads=1.0),
    "slow": _slow,
    "bad-deploy": _bad_deploy,
    "replication-paused": _replication(paused=True),
    "replication-slow": _replication(paused=False),
    "bus-down": _bus_down,
    "stepfunctions-down": _in_set(lambda cloud: cloud.stepfunctions.unavailable),
    "alarms-stuck": _alarms_stuck,
    "clock-skew": _clock_skew,
    "route53-down": _route53_down,
    "coordination-down": _coordination_down,
    "coordination-replica-down": _coordination_replica_down,
    "regional-table-errors": _regional_table_errors,
    "duplicates": _duplicates,
    "workflow-crash": inside.workflow_crash,
    "workflow-slow": inside.workflow_slow,
    "api-errors": inside.api_errors,
    "lambda-throttled": inside.lambda_throttled,
    "lambda-lost": inside.lambda_lost,
    "lambda-killed": inside.lambda_killed,
    "events-late": inside.events_late,
    "started-by-hand": by_hand.started_by_hand,
    "redriven-by-hand": by_hand.redriven_by_hand,
    "paused-by-operator": by_hand.paused,
}


_MOVE = ("failover", "recovery")
_OF_ALL_WHO_START = frozenset(
    {"Claim the incident", "See whether it is ours", "Leave it to the other"}
)
"""Their first states, which every execution enters that was started for an incident: one of them
goes on."""


class Strikes:
    """Lets a scenario's faults strike. `open` is how many are to come or in force."""

    def __init__(self, cloud: LocalCloud, faults: tuple[Fault, ...]) -> None:
        self._cloud, self._env = cloud, cloud.kernel.env
        self._acting = ""
        self._awaited: dict[str, simpy.Event] = {
            fault.after_step: cloud.kernel.env.event()
            for fault in faults
            if fault.after_step is not None
        }
        self.open = len(faults)
        self.happened: list[Fault] = [
            fault for fault in faults if fault.after_step is None and fault.region != ACTING
        ]
        """Faults with the time and place of their own: of those that wait for a step, or for where
        a workflow runs, each strike as it came about."""
        cloud.kernel.subscribe(self._hear)
        for fault in faults:
            cloud.kernel.process(self._carry_out(fault))

    def _hear(self, event: dict[str, Any]) -> None:
        if event["kind"] != "step":
            return
        awaited = self._awaited.get(event["state"])
        if awaited is not None and not awaited.triggered:
            awaited.succeed(event.get("region"))
        if event.get("machine") in _MOVE and event["state"] not in _OF_ALL_WHO_START:
            self._acting = event["region"]

    def _carry_out(self, fault: Fault) -> Steps[None]:
        if fault.after_step is not None:
            awaited = self._awaited[fault.after_step]
            yield awaited | self._env.timeout(fault.waits_s)
            if not awaited.triggered:
                self.open -= 1
                self._cloud.kernel.log("fault_never", what=fault.kind, after_step=fault.after_step)
                return
            if fault.region == ACTING:
                fault = replace(fault, region=str(awaited.value))
            yield self._env.timeout(fault.delay_s)
        else:
            yield self._env.timeout(max(0.0, fault.at_s - float(self._env.now)))
        for number in range(fault.times):
            if number:
                yield self._env.timeout(fault.every_s - fault.for_s)
            yield from self._strike(fault)
        self.open -= 1

    def _strike(self, fault: Fault) -> Steps[None]:
        if fault.region == ACTING or fault.after_step is not None:
            region = self._acting if fault.region == ACTING else fault.region
            now_s = float(self._env.now)
            fault = replace(fault, region=region, at_s=now_s, after_step=None, times=1, every_s=0.0)
            self.happened.append(fault)
        told = {"what": fault.kind, "region": fault.region}
        self._cloud.kernel.log("fault", **told, **fault.settings)
        end = BEGINS[fault.kind](self._cloud, fault)
        yield self._env.timeout(fault.for_s)
        end()
        self._cloud.kernel.log("fault_over", **told)
