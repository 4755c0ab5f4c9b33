"""A short piece of history with everything in it: clients, a fault, votes, a drain.

`python -m tests.loop.short_run SEED SECONDS` prints it: the same bytes in every process.
"""

from __future__ import annotations

import sys

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud, Topology
from localcloud.run import clients_of
from tests.loop.world import break_health

FAULT_AT_S = 10.0


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


if __name__ == "__main__":
    sys.stdout.write(transcript(int(sys.argv[1]), float(sys.argv[2])))
