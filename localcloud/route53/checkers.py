"""Health checkers: who asks an endpoint, how often, and what each makes of the answers.

Each checker is one process with a phase of its own. They do not confer: each judges by its
own run of answers, and Route 53 counts them.
"""

from __future__ import annotations

import http
from collections.abc import Callable
from dataclasses import dataclass

import simpy

from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.network.reach import outside
from localcloud.route53.config import HealthCheck
from localcloud.route53.limits import (
    CHECKER_REGIONS,
    CHECKERS_PER_REGION,
    CONNECT_S,
    HEALTHY_PERCENT,
    SEARCH_BYTES,
    STATUS_S,
    TCP_CONNECT_S,
)
from localcloud.route53.ports import Ask, Steps, World

_Seen = HttpAnswer | Unreachable | LookupError | None
"""What comes of a request; None when the checker gave it up."""


@dataclass
class Checker:
    """One checker of one endpoint check, what it holds of the endpoint and what it last saw."""

    region: str
    address: str
    healthy: bool
    against: int = 0
    """Answers in a row that contradict `healthy`."""
    status: str | None = None
    status_at: float = 0.0
    failure: str | None = None
    failure_at: float = 0.0
    retired: bool = False


class EndpointWatch:
    """All checkers of one endpoint check. `changed` is called when one changes its mind."""

    def __init__(
        self,
        world: World,
        check: HealthCheck,
        ask: Ask,
        changed: Callable[[str], None],
        in_each: int = CHECKERS_PER_REGION,
    ) -> None:
        self._world, self._ask, self._changed = world, ask, changed
        self._chance = world.fork(f"checkers/{check.id}")
        self._running = False
        self._in_each = in_each
        self.check = check
        self.checkers: list[Checker] = []
        # Until there is data a new check is healthy, and a new inverted one therefore not.
        self._place(healthy=True)

    def start(self) -> None:
        """Begin to ask."""
        self._running = True
        for checker in self.checkers:
            self._send_out(checker)

    def stop(self) -> None:
        """Ask no more; a request under way comes to nothing."""
        for checker in self.checkers:
            checker.retired = True

    def update(self, check: HealthCheck) -> None:
        """Go on with other settings. Checkers in new Regions begin with the state so far."""
        known = self.healthy()
        self.check = check
        self._place(healthy=known)

    def healthy(self) -> bool:
        """Whether enough checkers hold the endpoint to be healthy."""
        believing = sum(checker.healthy for checker in self.checkers)
        return believing * 100 > HEALTHY_PERCENT * len(self.checkers)

    def percentage(self) -> float:
        """The share of checkers that hold the endpoint to be healthy, 0 to 100."""
        return 100 * sum(checker.healthy for checker in self.checkers) / len(self.checkers)

    def _place(self, healthy: bool) -> None:
        """The checkers in each of the check's Regions: new ones sent, others retired."""
        wanted = set(self.check.settings.get("Regions") or CHECKER_REGIONS)
        present = {checker.region for checker in self.checkers}
        for checker in self.checkers:
            checker.retired = checker.region not in wanted
        self.checkers = [checker for checker in self.checkers if not checker.retired]
        for region in sorted(wanted - present):
            for place in range(self._in_each):
                checker = Checker(region, _address(region, place), healthy)
                self.checkers.append(checker)
                if self._running:
                    self._send_out(checker)

    def _send_out(self, checker: Checker) -> None:
        interval = float(self.check.settings["RequestInterval"])
        self._world.env.process(self._go(checker, self._chance.uniform(0, interval), interval))

    def _go(self, checker: Checker, phase: float, interval: float) -> Steps[None]:
        env = self._world.env
        yield env.timeout(phase)
        while not checker.retired:
            if not self.check.disabled:
                good, words = yield from self._look(checker.region)
                if checker.retired:
                    return
                self._judge(checker, good, words)
            # RequestInterval runs from an answer to the next request (botocore's route53 model).
            yield env.timeout(interval)

    def _look(self, region: str) -> Steps[tuple[bool, str]]:
        check, env = self.check, self._world.env
        settings, tcp = check.settings, check.kind == "TCP"
        host = str(settings.get("IPAddress") or settings["FullyQualifiedDomainName"])
        method = "CONNECT" if tcp else "GET"
        path = str(settings.get("ResourcePath") or "/")
        asked = env.process(self._request(host, method, path, outside(region)))
        began = float(env.now)
        # The port's request is one round trip and the endpoint's own time: what follows a
        # connection. Making the connection is another round trip, shorter than its limit
        # whenever this one is within its own.
        yield asked | env.timeout(TCP_CONNECT_S if tcp else STATUS_S)
        if not asked.triggered:
            asked.interrupt()
            return False, "Failure: The health checker timed out waiting for a response."
        seen: _Seen = asked.value
        if isinstance(seen, LookupError) and not settings.get("IPAddress"):
            return False, f"Failure: DNS resolution failed: no address for {host}."
        if not isinstance(seen, HttpAnswer):
            limit = TCP_CONNECT_S if tcp else CONNECT_S
            yield env.timeout(max(0.0, began + limit - float(env.now)))
            return False, "Failure: The health checker could not establish a connection in time."
        if tcp:
            return True, "Success: TCP connection established"
        return self._verdict(seen)

    def _request(self, host: str, method: str, path: str, source: str) -> Steps[_Seen]:
        """Ask; what a checker reports rather than dies of is a value too."""
        try:
            return (yield from self._ask(host, method, path, source))
        except (Unreachable, LookupError) as failure:
            return failure
        except simpy.Interrupt:
            return None

    def _verdict(self, answer: HttpAnswer) -> tuple[bool, str]:
        words = f"HTTP Status Code {answer.status}, {_phrase(answer.status)}"
        if not 200 <= answer.status < 400:
            return False, f"Failure: {words}"
        wanted = self.check.settings.get("SearchString")
        if wanted is not None and wanted.encode() not in answer.body[:SEARCH_BYTES]:
            return False, f"Failure: {words}. The search string is not in the response body."
        return True, f"Success: {words}"

    def _judge(self, checker: Checker, good: bool, words: str) -> None:
        checker.status, checker.status_at = words, self._world.now
        if not good:
            checker.failure, checker.failure_at = words, self._world.now
        if good == checker.healthy:
            checker.against = 0
            return
        checker.against += 1
        if checker.against >= int(self.check.settings["FailureThreshold"]):
            checker.healthy, checker.against = good, 0
            self._changed(self.check.id)


def _address(region: str, place: int) -> str:
    """A checker's own address: of the documentation range of RFC 5737, the same every time."""
    return f"192.0.2.{1 + CHECKER_REGIONS.index(region) * CHECKERS_PER_REGION + place}"


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
