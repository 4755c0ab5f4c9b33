"""Python's cycle collector, told what a world is: a fifth of a run's time was its own.

It looked again and again at modules and service models that stay for good, and at a world that
stays until its end.
"""

from __future__ import annotations

import gc

_SELDOM = (200_000, 20, 50)
"""Thresholds while a world is open (https://docs.python.org/3/library/gc.html#gc.set_threshold)."""
_WORLDS = 4
"""After so many worlds their remains are collected: each is some 100 MB."""


class Collector:
    """Keeps the collector from most of its work while a world is open."""

    _frozen = False
    _remains = 0

    def __init__(self) -> None:
        self._before: tuple[int, int, int] | None = None

    def open(self) -> None:
        """A world begins."""
        if not Collector._frozen:
            gc.freeze()  # what is there before the first world is the program itself
            Collector._frozen = True
        self._before = gc.get_threshold()
        gc.set_threshold(*_SELDOM)

    def close(self) -> None:
        """It is over."""
        if self._before is None:
            return
        gc.set_threshold(*self._before)
        self._before = None
        Collector._remains += 1
        if Collector._remains >= _WORLDS:
            Collector._remains = 0
            gc.collect()
