"""Processes that simulate: as many as asked for, and none outlives the command that began it."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection, get_context, parent_process


def pool_of(workers: int | None, tasks_each: int | None = None) -> ProcessPoolExecutor:
    """New processes, by default as many as cores; each makes room for another after so many tasks.

    Ctrl-C is the command's to deal with. Killed, it takes them with it.
    """
    return ProcessPoolExecutor(
        workers or os.cpu_count(),
        # A fork of a process that has greenlets and threads is no clean start.
        get_context("spawn"),
        initializer=_begin,
        max_tasks_per_child=tasks_each,
    )


def give_up(pool: ProcessPoolExecutor) -> None:
    """Wait for nothing: what runs now is of no use to anybody."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)  # nobody is left to hear of anything
