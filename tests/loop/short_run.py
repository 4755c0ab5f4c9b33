"""A short piece of history with everything in it: clients, a fault, votes, a drain.

`python -m tests.loop.short_run SEED SECONDS` prints it: the same bytes in every process. With
`lost` behind them, the Region is lost under load instead, twice.
"""

from __future__ import annotations

import sys

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud, Topology
from localcloud.faults.strikes import Strikes
from localcloud.run import clients_of
from localcloud.scenario import Fault
from tests.loop.world import break_health

FAULT_AT_S = 10.0
LOAD_PER_S = 20.0
"""Requests of all clients together, to a slow table: many functions of a Region run at once."""


def transcript(seed: int, seconds: float, topology: Topology | None = None) -> str:
    """The history of the first simulated seconds of a world in which a Region breaks."""
    with LocalCloud(seed, topology) as cloud:
        Chronicle(cloud)
        cloud.start()
        clients_of(cloud).start()
        cloud.kernel.run(until=FAULT_AT_S)
        break_health(cloud, cloud.topology.home)
        cloud.kernel.run(until=seconds)
        return cloud.kernel.transcript()


def transcript_of_a_loss(seed: int, seconds: float) -> str:
    """The history of a world under load in which a Region is lost, with what runs there, twice."""
    with LocalCloud(seed) as cloud:
        Chronicle(cloud)
        cloud.start()
        clients_of(cloud, LOAD_PER_S).start()
        home = cloud.topology.home
        slow = Fault("slow", home, 2.0, 60.0, settings={"extra_s": 1.5})
        lost = Fault("region-down", home, FAULT_AT_S, 3.0, every_s=8.0, times=2)
        Strikes(cloud, (slow, lost))
        cloud.kernel.run(until=seconds)
        return cloud.kernel.transcript()


if __name__ == "__main__":
    made = transcript_of_a_loss if sys.argv[3:] == ["lost"] else transcript
    sys.stdout.write(made(int(sys.argv[1]), float(sys.argv[2])))
