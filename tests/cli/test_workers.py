"""Processes that simulate end with the command that began them, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Never

import click
import pytest
from click.testing import CliRunner

from benchmarks.bench_scenarios import make
from localcloud.scenario import Scenario
from sidestepctl.one_line import OneLine
from sidestepctl.scenarios import Done, run_all
from sidestepctl.simulate import Asked, Simulated, simulate_all
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
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except ProcessLookupError:  # it has ended between opening and reading
        return False
    except FileNotFoundError:  # it has ended between the two, or there is no /proc here
        return not Path("/proc/self").exists()


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


def test_workers_hear_of_no_ctrl_c_not_even_while_they_start() -> None:
    pool: ProcessPoolExecutor = pool_of(1)

    held = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result(PATIENCE_S)

    give_up(pool)
    assert signal.SIGINT in held
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())  # but we do


class Kills:
    """What ends the process that it is given to."""

    def __reduce__(self) -> tuple[Callable[[int], Never], tuple[int]]:
        return os._exit, (1,)


KILLS: Any = Kills()


def of_scenarios() -> None:
    run_all(Done({"it": Scenario("it", "", "held", (), policy={"": KILLS})}), [1], 1, None)


def of_seeds() -> None:
    simulate_all([KILLS], Asked(workers=1), Simulated(), lambda _: None)


def of_a_bench() -> None:
    make([("e", "dark", KILLS)], {("e", "dark"): "code"}, [], 1)


@pytest.mark.parametrize(
    ("work", "what_to_do"),
    [
        (of_scenarios, "run it again with fewer --workers"),
        (of_seeds, "go on with --seed after the last one told, and fewer --workers"),
        (of_a_bench, "run it again with fewer --jobs: it goes on where it was"),
    ],
)
def test_a_worker_that_is_killed_is_told_in_one_line(
    work: Callable[[], None], what_to_do: str
) -> None:
    @click.command(cls=OneLine)
    def command() -> None:
        work()

    run = CliRunner(mix_stderr=False).invoke(command)

    assert run.exit_code == 2
    assert run.stderr.count("\n") == 1
    assert f"was ended from outside (out of memory?): {what_to_do}\n" in run.stderr
