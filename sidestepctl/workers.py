"""Processes that simulate: as many as asked for, and none outlives the command that began it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class WorkerLostError(Exception):
    """A process of ours was ended from outside. Says what to do."""


class _Pool(ProcessPoolExecutor):
    """Its processes hear of no Ctrl-C, not even while they start."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        # The tracker's start would let signals through again, so it comes first.
        resource_tracker.ensure_running()
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)


@contextmanager
def lost_ones_told(go_on: str) -> Iterator[None]:
    """Raises WorkerLostError where a worker is lost; `go_on` says how to."""
    try:
        yield
    except BrokenProcessPool:
        raise WorkerLostError(
            f"a process that simulated was ended from outside (out of memory?): {go_on}"
        ) from None


def pool_of(workers: int | None, tasks_each: int | None = None) -> ProcessPoolExecutor:
    """New processes, by default as many as cores; each makes room for another after so many tasks.

    Ctrl-C is the command's to deal with. Killed, it takes them with it.
    """
    return _Pool(
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
