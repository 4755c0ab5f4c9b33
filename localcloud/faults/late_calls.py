"""Requests that their caller gave up, and that the service does all the same, later."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping

from localcloud.kernel import Kernel, Steps
from localcloud.network.reach import Network


class LateCalls:
    """Lets requests arrive late. Each is in the history, as `arrived_late`."""

    def __init__(self, kernel: Kernel, network: Network) -> None:
        self._kernel, self._network = kernel, network
        self._chance = kernel.fork("late calls")

    def wait_in_vain(
        self,
        patience_s: float,
        late_up_to_s: float,
        home: str,
        told: Mapping[str, str],
        serve: Callable[[], object],
    ) -> None:
        """Wait as long as a caller does; `serve` runs as that caller's request, at most
        `late_up_to_s` seconds after it gave up, unless the Region `home` is down then."""
        late_s = self._chance.uniform(0.0, late_up_to_s)
        scope = contextvars.copy_context()
        try:
            self._kernel.wait(patience_s)
        finally:
            # Who is stopped while it waits (a Task or a function at its own time-out) has given
            # up, too.
            self._kernel.process(self._arrive(late_s, home, told, serve, scope))

    def _arrive(
        self,
        late_s: float,
        home: str,
        told: Mapping[str, str],
        serve: Callable[[], object],
        scope: contextvars.Context,
    ) -> Steps[None]:
        yield self._kernel.env.timeout(late_s)
        if home not in self._network.down:
            self._kernel.log("arrived_late", region=home, **told)
            yield from self._kernel.call(serve, context=scope)
