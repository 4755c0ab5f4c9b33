"""The simulation's kernel: one SimPy environment, one seed, one clock, one history.

Everything that happens in the local cloud happens at a simulated time. State
machines, schedules and health checkers are SimPy processes. Lambda handlers and
SDK calls are ordinary synchronous Python; each runs in a greenlet (a *fiber*)
that is suspended wherever it would wait (an SDK call's round trip, `time.sleep`)
so that other processes run meanwhile, as they would on AWS. time-machine moves
every clock of the process, so `time.time()` and `datetime.now()` agree with it.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import json
import os
import random
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, MutableSequence
from datetime import UTC, datetime
from heapq import heappop
from types import TracebackType
from typing import Any, TextIO, TypeVar

import simpy
import time_machine
from greenlet import getcurrent, greenlet
from moto.moto_api._internal import mock_random

T = TypeVar("T")
Steps = Generator[simpy.Event, Any, T]

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When simulated history begins unless told otherwise: any fixed instant will do."""


class Killed(BaseException):
    """Thrown into a fiber whose process was interrupted (a Lambda time-out, a Region lost).

    Not an Exception: a handler's `except Exception` must not outlive its own time-out.
    """


class Fiber(greenlet):  # type: ignore[misc]  # greenlet's stubs are skipped: see pyproject
    """A greenlet with the environment variables and the standard output of what runs in it."""

    environ: Any = None
    stdout: TextIO | None = None
    killed = False
    ahead_s = 0.0
    """How wrong the clock is that this code sees."""


_NOTHING: tuple[float, int, int, simpy.Event | None] = (0.0, 0, 0, None)


class _Clocked(simpy.Environment):
    """A SimPy environment that sets the process's clock before each step.

    What nobody waits for any more (the time-out of a request that was answered) passes without.
    """

    def __init__(self, epoch: float) -> None:
        super().__init__()
        self.epoch = epoch
        self.traveller: Any = None
        self.after_step: Callable[[], None] = lambda: None
        self._clock_at: float | None = None

    def step(self) -> None:
        at, _, _, event = self._queue[0] if self._queue else _NOTHING
        if event is not None and event._ok and not event.callbacks:
            heappop(self._queue)
            self._now, event.callbacks = at, None  # type: ignore[assignment]  # as SimPy marks it
            return
        if self.traveller is not None and event is not None and at != self._clock_at:
            self._clock_at = at
            self.traveller.move_to(self.epoch + at)
        super().step()
        self.after_step()


class Kernel:
    """One simulated world. Use it as a context manager: the clocks are moved only inside.

    `now` is epoch seconds; `env.now` is seconds since the start. The same seed gives
    the same history, event for event.
    """

    def __init__(self, seed: int = 1, start: datetime = START) -> None:
        self.seed = seed
        self.start = start
        self.env = _Clocked(start.timestamp())
        self.random = self.fork("kernel")
        self.history: MutableSequence[dict[str, Any]] = []
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._untold: deque[dict[str, Any]] = deque()
        self.env.after_step = self._tell
        self._travel: Any = None
        self._restore: list[Callable[[], None]] = []

    # -- entering and leaving simulated time -------------------------------------------

    def __enter__(self) -> Kernel:
        # A float destination keeps the process's time zone; a datetime would set it.
        self._travel = time_machine.travel(self.start.timestamp(), tick=False)
        self.env.traveller = self._travel.start()
        self._patch(time, "sleep", self._sleep(time.sleep))
        entropy = self.fork("entropy")
        # uuid4 and secrets draw from here: identifiers must come from the seed too. The second
        # is the name under which random.SystemRandom, that secrets draws from, has got it.
        self._patch(os, "urandom", entropy.randbytes)
        self._patch(random, "_urandom", entropy.randbytes)
        random.seed(f"{self.seed}/global")
        mock_random.seed(f"{self.seed}/moto")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for undo in reversed(self._restore):
            undo()
        self._restore.clear()
        self.env.traveller = None
        self._travel.stop()

    def _patch(self, module: Any, name: str, replacement: Any) -> None:
        original = getattr(module, name)
        setattr(module, name, replacement)
        self._restore.append(lambda: setattr(module, name, original))

    def _sleep(self, real: Callable[[float], None]) -> Callable[[float], None]:
        def sleep(seconds: float) -> None:
            if isinstance(getcurrent(), Fiber):
                self.wait(seconds)
            else:
                real(seconds)

        return sleep

    # -- time, chance, history ---------------------------------------------------------

    @property
    def now(self) -> float:
        """Simulated epoch seconds."""
        return self.env.epoch + float(self.env.now)

    def fork(self, name: str) -> random.Random:
        """A stream of chance of its own for `name`: drawing from one never moves another."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return random.Random(int.from_bytes(digest[:8], "big"))

    def log(self, kind: str, **fields: Any) -> None:
        """Add an event to the history and tell the listeners. Values must be JSON."""
        event = {"t": round(float(self.env.now), 3), "kind": kind, **fields}
        self.history.append(event)
        self._untold.append(event)
        # A listener's own error must not look like one of the handler that happens to run.
        if not isinstance(getcurrent(), Fiber):
            self._tell()

    def _tell(self) -> None:
        while self._untold:
            event = self._untold.popleft()
            for listener in self._listeners:
                listener(event)

    def keep(self, newest: int) -> None:
        """From now on keep only so many events: for worlds that run as long as people like."""
        self.history = deque(self.history, maxlen=newest)

    def subscribe(self, listener: Callable[[dict[str, Any]], None]) -> None:
        """Call `listener` with each event, at the latest when the step that logged it is over."""
        self._listeners.append(listener)

    def transcript(self) -> str:
        """The history, one JSON object a line: the same seed gives the same bytes."""
        return "".join(json.dumps(event, sort_keys=True) + "\n" for event in self.history)

    # -- processes and fibers ----------------------------------------------------------

    def process(self, steps: Steps[Any]) -> simpy.Process:
        """Start a SimPy process."""
        return self.env.process(steps)

    def run(self, until: float | simpy.Event | None = None) -> Any:
        """Run until a time (seconds since the start), an event, or nothing is left to do."""
        return self.env.run(until=until)

    def call(
        self,
        function: Callable[..., T],
        *args: Any,
        environ: Mapping[str, str] | None = None,
        stdout: TextIO | None = None,
        context: contextvars.Context | None = None,
        ahead_s: float = 0.0,
        **kwargs: Any,
    ) -> Steps[T]:
        """Run synchronous code in a fiber; to be driven with `yield from` in a process.

        `ahead_s` is how far the clock that it sees is ahead of the world's.

        An interrupt of the process throws `Killed` into the code and then goes on as
        itself; whatever the code raises is raised here.
        """
        fiber = Fiber(lambda: function(*args, **kwargs))
        fiber.gr_context = context if context is not None else contextvars.copy_context()
        fiber.environ, fiber.stdout, fiber.ahead_s = environ, stdout, ahead_s
        awaited = self._enter(fiber, fiber.switch)
        while not fiber.dead:
            try:
                value = yield awaited
            except simpy.Interrupt:
                fiber.killed = True
                with contextlib.suppress(Killed):
                    self._enter(fiber, fiber.throw, Killed())
                raise
            except Exception as error:  # noqa: BLE001  # it goes on into the fiber, whole
                awaited = self._enter(fiber, fiber.throw, error)
            else:
                awaited = self._enter(fiber, fiber.switch, value)
        return awaited  # type: ignore[no-any-return]  # a dead fiber's last switch is its result

    def _enter(self, fiber: Fiber, switch: Callable[..., Any], *args: Any) -> Any:
        """Switch into the fiber with its own environment, output and clock; back to ours after."""
        fiber.parent = getcurrent()
        environ, stdout = os.environ, sys.stdout
        if fiber.environ is not None:
            os.environ = fiber.environ  # noqa: B003  # another environment, not a cleared one
        if fiber.stdout is not None:
            sys.stdout = fiber.stdout
        self._set_clock(fiber.ahead_s)
        try:
            return switch(*args)
        finally:
            os.environ, sys.stdout = environ, stdout
            if fiber.ahead_s:
                self._set_clock(0.0, always=True)

    def _set_clock(self, ahead_s: float, always: bool = False) -> None:
        if (ahead_s or always) and self.env.traveller is not None:
            self.env.traveller.move_to(self.now + ahead_s)

    @contextlib.contextmanager
    def true_time(self) -> Iterator[None]:
        """Inside, the world's own clock holds: for services that a wrong clock calls."""
        fiber = getcurrent()
        ahead_s = fiber.ahead_s if isinstance(fiber, Fiber) else 0.0
        if not ahead_s:
            yield
            return
        self._set_clock(0.0, always=True)
        try:
            yield
        finally:
            self._set_clock(ahead_s)

    def wait_event(self, event: simpy.Event) -> Any:
        """Suspend the fiber until the event happens; its value. Only inside a fiber."""
        fiber = getcurrent()
        if not isinstance(fiber, Fiber):
            raise RuntimeError("only code in a fiber can wait in simulated time")
        if fiber.killed:
            raise Killed
        return fiber.parent.switch(event)

    def wait(self, seconds: float) -> None:
        """Let simulated seconds pass. Outside a fiber (a test, the command line) none do."""
        if isinstance(getcurrent(), Fiber) and seconds > 0:
            self.wait_event(self.env.timeout(seconds))

    def finish(self, steps: Steps[T]) -> T:
        """Run `steps` to their end: a fiber waits for them, the outside runs the world."""
        process = self.process(steps)
        if isinstance(getcurrent(), Fiber):
            return self.wait_event(process)  # type: ignore[no-any-return]
        return self.run(until=process)  # type: ignore[no-any-return]
