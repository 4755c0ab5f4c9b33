"""What shipped code sends out besides AWS calls: HTTPS by urllib3 and DNS by dnspython.

Both libraries are the real ones; only their last step, the socket, is replaced while a
fiber of the local cloud runs. Outside a fiber they go their ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any
from weakref import WeakKeyDictionary

import dns.exception
import dns.message
import dns.query
import simpy
import urllib3
from greenlet import getcurrent
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from localcloud.calls.endpoint import current_caller
from localcloud.compute.frontdoor import HttpAnswer, Unreachable
from localcloud.kernel import Fiber, Kernel, Steps

HttpPort = Callable[[str, str, str, dict[str, str], bytes, str, bool], Steps[HttpAnswer]]
"""(host, method, path, headers, body, source Region, whether it connects anew) → steps to an
answer.

Raises LookupError for a host that no record names, Unreachable when nothing answers."""
DnsPort = Callable[[bytes, str, str], bytes | None]
"""(query on the wire, name server's address, source Region) → answer on the wire; None: silence."""

DNS_ROUND_TRIP_S = 0.01  # modelled: authoritative servers are anycast and near
IDLE_S = 60.0
"""A kept connection without a request for so long is closed: chosen as for other clients
(`localcloud.clients.IDLE_S`), since AWS does not say how long API Gateway keeps one."""


class Outbound:
    """Puts the ports under urllib3 and dnspython, and takes them away again."""

    def __init__(self, kernel: Kernel, http: HttpPort, dns_port: DnsPort) -> None:
        self.kernel, self._http, self._dns = kernel, http, dns_port
        self._real: tuple[Any, Any, Any] | None = None
        self._used: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        """urllib3's pools, one for each host that an environment asks → when the connection that it
        keeps brought its last answer, in epoch seconds. Those that keep none are not there."""

    def open(self) -> None:
        """From now on fibers talk to the local cloud."""
        self._real = (HTTPConnectionPool.urlopen, dns.query.udp, dns.query.tcp)
        urlopen, udp, tcp = self._real
        outbound = self

        def fiber_urlopen(pool: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(getcurrent(), Fiber):
                return urlopen(pool, method, url, *args, **kwargs)
            return outbound.urlopen(pool, method, url, *args, **kwargs)

        def fiber_query(real: Any) -> Any:
            def query(message: Any, where: str, timeout: float | None = None, **kwargs: Any) -> Any:
                if not isinstance(getcurrent(), Fiber):
                    return real(message, where, timeout=timeout, **kwargs)
                return outbound.query(message, where, timeout)

            return query

        pools: Any = HTTPConnectionPool
        pools.urlopen = fiber_urlopen
        dns.query.udp = fiber_query(udp)
        dns.query.tcp = fiber_query(tcp)

    def close(self) -> None:
        """Give both libraries their sockets back."""
        if self._real is not None:
            pools: Any = HTTPConnectionPool
            pools.urlopen, dns.query.udp, dns.query.tcp = self._real
            self._real = None

    def urlopen(
        self,
        pool: Any,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        timeout: Any = None,
        **_: Any,
    ) -> urllib3.HTTPResponse:
        """One HTTPS request in simulated time, with urllib3's own errors and time-outs.

        Its retries are not modelled: shipped code passes `retries=False` (a test holds it).
        """
        limit = (
            urllib3.Timeout.from_float(timeout)
            if not isinstance(timeout, urllib3.Timeout)
            else timeout
        )
        connect = _seconds(limit.connect_timeout)
        total = (
            _seconds(limit.total)
            if limit.total is not None
            else connect + _seconds(limit.read_timeout)
        )
        raw = body.encode() if isinstance(body, str) else bytes(body or b"")
        source = current_caller.get().region or ""
        env = self.kernel.env
        # Whoever fails gives no connection back; requests of one pool here follow on each other.
        connects = self.kernel.now - self._used.pop(pool, 0.0) > IDLE_S
        steps = self._http(pool.host, method, url, dict(headers or {}), raw, source, connects)
        asked = self.kernel.process(_captured(steps))
        self.kernel.wait_event(asked | env.timeout(total))
        if not asked.triggered:
            asked.interrupt("client gave up")
            raise ReadTimeoutError(pool, url, f"Read timed out. (read timeout={total})")
        outcome: Any = asked.value
        if isinstance(outcome, LookupError):
            raise NewConnectionError(pool, f"Failed to resolve {pool.host!r}")
        if isinstance(outcome, Unreachable):
            self.kernel.wait(connect)
            raise ConnectTimeoutError(
                pool, f"Connection to {pool.host} timed out. (connect timeout={connect})"
            )
        if isinstance(outcome, BaseException):
            raise outcome
        self._used[pool] = self.kernel.now
        return urllib3.HTTPResponse(
            body=BytesIO(outcome.body),
            headers=dict(outcome.headers),
            status=outcome.status,
            preload_content=True,
            request_method=method,
            request_url=url,
        )

    def query(self, message: Any, where: str, timeout: float | None) -> Any:
        """One DNS query in simulated time; silence is dnspython's time-out."""
        answer = self._dns(message.to_wire(), where, current_caller.get().region or "")
        if answer is None:
            self.kernel.wait(timeout or 5.0)
            raise dns.exception.Timeout(timeout=timeout)  # type: ignore[no-untyped-call]  # dnspython's own
        self.kernel.wait(DNS_ROUND_TRIP_S)
        return dns.message.from_wire(answer)


def _captured(steps: Steps[HttpAnswer]) -> Steps[Any]:
    """Run the steps; a failure becomes their value, for the one who asked to raise.

    The one who asked may give up: then nobody waits for the value any more.
    """
    try:
        return (yield from steps)
    except (Unreachable, LookupError, simpy.Interrupt) as failure:
        return failure


def _seconds(limit: Any) -> float:
    return float(limit) if isinstance(limit, int | float) else 60.0
