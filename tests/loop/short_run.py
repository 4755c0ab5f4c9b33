"""A short piece of history with everything in it: clients, a fault, votes, a drain.

`python -m tests.loop.short_run SEED SECONDS` prints it: the same bytes in every process.
"""

from __future__ import annotations

import sys

from localcloud.chronicle import Chronicle
from localcloud.cloud import LocalCloud
from localcloud.run import clients_of
from localcloud.scenario import Fault
from localcloud.strikes import strike

FAULT = Fault("health-errors", "eu-west-2", at_s=10, for_s=3600)


def transcript(seed: int, seconds: float) -> str:
    """The history of the first simulated seconds of a world in which a Region breaks."""
    with LocalCloud(seed) as cloud:
        Chronicle(cloud)
        cloud.start()
        clients_of(cloud).start()
        cloud.kernel.process(strike(cloud, FAULT))
        cloud.kernel.run(until=seconds)
        return cloud.kernel.transcript()


if __name__ == "__main__":
    sys.stdout.write(transcript(int(sys.argv[1]), float(sys.argv[2])))
