"""When faults strike: at their time, again and again, or after a workflow's step."""

from __future__ import annotations

import json

import pytest

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud, Topology
from localcloud.faults.by_hand import FORCED_BACK
from localcloud.faults.strikes import Strikes
from localcloud.scenario import Fault
from tests.loop.world import start

HERE, THERE = "eu-west-2", "us-east-1"


def test_who_failed_a_region_over_by_hand_brings_it_back() -> None:
    order = {"workflow": "failover", "mode": "forced", "return_after_s": 90.0}
    with LocalCloud(
        topology=Topology(policy={"approval": "never", "traffic_deadline_s": 30})
    ) as cloud:
        Chronicle(cloud)
        cloud.start()
        Strikes(cloud, (Fault("started-by-hand", HERE, 40, 0, settings=order),))
        cloud.kernel.run(until=500)

        moves = [(e["what"], e["region"]) for e in cloud.kernel.history if e["kind"] == "move"]
        assert moves == [("drain", HERE), ("restore", HERE)]
        assert cloud.control()["regions"][HERE]["state"] == "SERVING"


@pytest.mark.parametrize(("mode", "forced"), [("manual", False), ("forced", True)])
def test_a_recovery_by_hand_may_be_forced_and_says_so_by_its_name(mode: str, forced: bool) -> None:
    order = {"workflow": "recovery", "mode": mode}
    with LocalCloud() as cloud:
        Strikes(cloud, (Fault("started-by-hand", HERE, 5, 0, settings=order),))
        cloud.kernel.run(until=10)

        (execution,) = cloud.stepfunctions.executions(cloud.machine(THERE, "recovery"))
        assert execution.name.startswith(FORCED_BACK) == forced
        assert execution.input == {"region": HERE} | ({"mode": "forced"} if forced else {})


def test_who_redrives_what_was_cut_short_lets_it_finish() -> None:
    order = Fault("started-by-hand", HERE, 40, 0, settings={"workflow": "failover"})
    crash = Fault("workflow-crash", "", at_s=30, for_s=20, settings={"share": 1.0})
    redrive = Fault("redriven-by-hand", "", at_s=55, for_s=0)
    with LocalCloud() as cloud:
        Chronicle(cloud)
        cloud.start()
        Strikes(cloud, (order, crash, redrive))
        cloud.kernel.run(until=54)
        (execution,) = cloud.stepfunctions.executions(cloud.machine(THERE, "failover"))
        assert (execution.status, execution.redrive_count) == ("ABORTED", 0)

        cloud.kernel.run(until=400)

        assert (execution.status, execution.redrive_count) == ("SUCCEEDED", 1)
        assert cloud.control()["regions"][HERE]["state"] == "DRAINED"
        described = cloud.client("stepfunctions", THERE).describe_execution(
            executionArn=execution.arn
        )
        assert (described["redriveCount"], described["redriveStatus"]) == (1, "NOT_REDRIVABLE")


def test_an_observer_that_crashed_looks_again_in_the_next_minute() -> None:
    crash = Fault("workflow-crash", "", at_s=1, for_s=69, settings={"share": 1.0})
    with LocalCloud() as cloud:
        Chronicle(cloud)
        cloud.start()
        Strikes(cloud, (crash,))
        cloud.kernel.run(until=75)
        crashed = [e for e in cloud.kernel.history if e["kind"] == "crash"]
        voted = [e for e in cloud.kernel.history if e["kind"] == "vote"]
        assert {e["machine"] for e in crashed} == {"observe"}
        assert {e["region"] for e in crashed} == set(cloud.topology.regions)
        assert voted == []

        cloud.kernel.run(until=140)

        voters = {e["observer"] for e in cloud.kernel.history if e["kind"] == "vote"}
        assert voters == set(cloud.topology.regions)


def test_a_fault_may_repeat_and_may_wait_for_a_step() -> None:
    with LocalCloud() as cloud:
        Chronicle(cloud)
        flaps = Fault("health-errors", HERE, at_s=10, for_s=5, every_s=20, times=3)
        waits = Fault("region-dark", "acting", for_s=5, after_step="Claim the incident", delay_s=2)
        strikes = Strikes(cloud, (flaps, waits))
        Strikes(cloud, (Fault("started-by-hand", HERE, 5, 0, settings={"workflow": "failover"}),))
        cloud.kernel.run(until=60)

        struck = [e for e in cloud.kernel.history if e["kind"] == "fault"]
        flapped = [round(e["t"]) for e in struck if e["what"] == "health-errors"]
        assert flapped == [10, 30, 50]
        (claimed,) = [e for e in cloud.kernel.history if e.get("state") == "Claim the incident"][:1]
        (dark,) = [e for e in struck if e["what"] == "region-dark"]
        assert (dark["region"], dark["t"]) == (claimed["region"], claimed["t"] + 2)
        (happened,) = [f for f in strikes.happened if f.kind == "region-dark"]
        assert (happened.region, round(happened.at_s, 3)) == (dark["region"], dark["t"])
        assert strikes.open == 0


def test_a_fault_strikes_the_one_of_many_executions_that_its_step_ran_in() -> None:
    """The same failover is started in two Regions at once, and one of them leaves it."""
    dies = Fault("stepfunctions-down", "acting", for_s=5, after_step="Drain by the gate")
    later = Fault("stepfunctions-down", "acting", at_s=80, for_s=5)
    with LocalCloud() as cloud:
        Chronicle(cloud)
        cloud.start()
        strikes = Strikes(cloud, (dies, later))
        cloud.kernel.run(until=40)
        for region in cloud.topology.regions[1:]:
            start(cloud, region, "failover", {"region": HERE})
        cloud.kernel.run(until=100)

        begun = [
            e["region"]
            for e in cloud.kernel.history
            if e.get("machine") == "failover" and e.get("state") == "Claim the incident"
        ]
        holder = str(cloud.control()["regions"][HERE]["holder"])
        went_on = [
            e["region"] for e in cloud.kernel.history if e.get("state") == "Drain by the gate"
        ]
        assert len(set(begun)) == 2
        assert holder.split(":")[3] == went_on[0]
        assert [f.region for f in strikes.happened if f.kind == dies.kind] == [went_on[0]] * 2


def test_a_fault_whose_step_never_comes_is_over_in_the_end() -> None:
    with LocalCloud() as cloud:
        waits = Fault("region-dark", "acting", for_s=5, after_step="Never", waits_s=30)
        strikes = Strikes(cloud, (waits,))
        cloud.kernel.run(until=29)
        assert strikes.open == 1
        cloud.kernel.run(until=31)

        assert (strikes.open, strikes.happened) == (0, [])
        assert not cloud.network.dark


def test_a_lost_regions_executions_have_ended_or_go_on_where_they_stood() -> None:
    def steps(cloud: LocalCloud, of: str) -> int:
        told = [e for e in cloud.kernel.history if e["kind"] == "step"]
        return sum(event["execution"] == of for event in told)

    ways = set()
    for seed in range(1, 7):
        with LocalCloud(seed) as cloud:
            Chronicle(cloud)
            drill = cloud.stepfunctions.start(cloud.machine(THERE, "drill"), {"region": HERE})
            observe = cloud.stepfunctions.start(cloud.machine(THERE, "observe"), {})
            Strikes(cloud, (Fault("region-down", THERE, at_s=0.1, for_s=20),))
            cloud.kernel.run(until=0.2)
            before = steps(cloud, drill.name)
            cloud.kernel.run(until=19)
            assert observe.status == "ABORTED"
            assert steps(cloud, drill.name) == before
            stood = drill.status
            cloud.kernel.run(until=50)
            ways.add((stood, steps(cloud, drill.name) > before))

    assert ways == {("ABORTED", False), ("RUNNING", True)}


def test_of_a_killed_function_its_invoker_may_hear_no_error_type() -> None:
    with LocalCloud() as cloud:
        killed = Fault("lambda-killed", HERE, 0, 60, settings={"share": 1.0, "grows_over_s": 0.0})
        Strikes(cloud, (killed,))
        cloud.kernel.run(until=1)
        client = cloud.client("lambda", HERE)
        name = f"sidestep-{cloud.topology.application}-vote"
        given = json.dumps({"trigger": {}, "probes": []}).encode()
        told = [
            json.loads(client.invoke(FunctionName=name, Payload=given)["Payload"].read())
            for _ in range(12)
        ]

    assert {"errorType" in one for one in told} == {True, False}
    assert all("killed" in one["errorMessage"] for one in told), told
