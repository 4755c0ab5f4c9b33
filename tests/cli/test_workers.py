"""Processes that simulate end with the command that began them, however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sidestepctl.workers import give_up, pool_of
from tests.cli.running import PATIENCE_S

BEGINS_ONE = """
import os, time
from sidestepctl.workers import pool_of

if __name__ == "__main__":
    pool = pool_of(1)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 3600)
    time.sleep(3600)
"""


def lives(process: int) -> bool:
    """Whether it is there; what has ended and nobody has asked for (a zombie) is not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    told = Path(f"/proc/{process}/stat")
    return not (told.exists() and ") Z " in told.read_text())


def ends(process: int) -> bool:
    limit = time.monotonic() + PATIENCE_S
    while lives(process) and time.monotonic() < limit:
        time.sleep(0.05)
    return not lives(process)


def test_a_command_that_is_killed_leaves_no_worker_behind() -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", BEGINS_ONE], stdout=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    worker = int(command.stdout.readline())
    assert lives(worker)

    command.kill()
    command.wait(PATIENCE_S)

    assert ends(worker)


def test_workers_that_are_given_up_are_not_waited_for() -> None:
    pool: ProcessPoolExecutor = pool_of(1)
    worker = pool.submit(os.getpid).result(PATIENCE_S)
    pool.submit(time.sleep, 3600)

    give_up(pool)

    assert ends(worker)
