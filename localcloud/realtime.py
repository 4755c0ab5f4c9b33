"""The local cloud in real time, for people: simulated time keeps step with the wall clock."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from localcloud.kernel import Kernel, Steps

_LONGEST_NAP_S = 0.25
"""Even with nothing to do the loop looks up this often, to hear of a stop."""


class RealTime:
    """Runs a kernel at `speed` times the wall clock's pace, and lets other threads in.

    One thread runs the world (`run`); server threads hand it work with `submit`. SimPy's
    own real-time environment sleeps until its next event and cannot be woken by a
    request, hence this loop.
    """

    def __init__(self, kernel: Kernel, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be greater than 0")
        self.kernel, self.speed = kernel, speed
        self._inbox: deque[tuple[Callable[[], Steps[Any]], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._stopped = False
        self._wall_start = time.monotonic()
        self._sim_start = float(kernel.env.now)

    def submit(self, steps: Callable[[], Steps[Any]]) -> Future[Any]:
        """Have the world run `steps()`; the future holds what comes of it. From any thread."""
        future: Future[Any] = Future()
        with self._wake:
            if self._stopped:
                future.set_exception(ConnectionError("the local cloud is stopping"))
                return future
            self._inbox.append((steps, future))
            self._wake.notify()
        return future

    def stop(self) -> None:
        """End `run` soon. From any thread."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def run(self) -> None:
        """Run the world until `stop`. Work handed in and not begun by then is refused."""
        env = self.kernel.env
        self._wall_start, self._sim_start = time.monotonic(), float(env.now)
        while True:
            with self._wake:
                if self._stopped:
                    break
                while self._inbox:
                    env.process(self._serve(*self._inbox.popleft()))
                nap = (env.peek() - self._due()) / self.speed
                if nap > 0:
                    self._wake.wait(min(nap, _LONGEST_NAP_S))
                    continue
            env.step()
        for _, future in self._inbox:
            future.set_exception(ConnectionError("the local cloud is stopping"))

    def _due(self) -> float:
        """Simulated seconds that should have passed by now."""
        return self._sim_start + (time.monotonic() - self._wall_start) * self.speed

    def _serve(self, steps: Callable[[], Steps[Any]], future: Future[Any]) -> Steps[None]:
        # The world's time stands at its last event; a request from outside comes now.
        late = self._due() - float(self.kernel.env.now)
        if late > 0:
            yield self.kernel.env.timeout(late)
        try:
            result = yield from steps()
        except Exception as error:  # noqa: BLE001  # it belongs to the thread that asked
            future.set_exception(error)
        else:
            future.set_result(result)
