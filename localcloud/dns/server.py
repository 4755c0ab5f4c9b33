"""A real DNS server on loopback, UDP and TCP, for people and their tools."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable

from localcloud.dns.wire import fitted
from localcloud.servers import POLL_S, listen_error

AnswerWire = Callable[[bytes], bytes]
"""A query on the wire → its answer. Called in threads of the server's. Raises ValueError for
what gets no answer, ConnectionError or TimeoutError when the local cloud has none to give."""

PORT = 5353
OPTION = "--dns-port"
"""The command line's option that changes the port."""
_IDLE_S = 5.0
"""How long a TCP connection may say nothing (RFC 7766, 6.2.3: seconds)."""
_NO_ANSWER = (ValueError, ConnectionError, TimeoutError)


class DnsServer:
    """Answers on one address and port, UDP and TCP. Raises ListenError."""

    def __init__(self, address: str, port: int, answer: AnswerWire) -> None:
        udp, tcp = _handlers(answer)
        bound: list[socketserver.BaseServer] = []
        try:
            datagrams = _Udp((address, port), udp)
            bound.append(datagrams)
            self.address, self.port = address, int(datagrams.server_address[1])
            bound.append(_Tcp((address, self.port), tcp))
        except (OSError, OverflowError) as error:
            for server in bound:
                server.server_close()
            raise listen_error(address, port, OPTION, error) from None
        self._servers = bound
        self._threads = [
            threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True
            )
            for server in bound
        ]

    def start(self) -> None:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; one that never began only frees it."""
        for server, thread in zip(self._servers, self._threads, strict=True):
            if thread.is_alive():
                server.shutdown()
                thread.join()
            server.server_close()


def _handlers(
    answer: AnswerWire,
) -> tuple[type[socketserver.BaseRequestHandler], type[socketserver.StreamRequestHandler]]:
    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            query, socket = self.request
            try:
                answered = fitted(query, answer(query))
            except _NO_ANSWER:
                return  # Silence: the asker's own time-out is DNS's way to hear of it.
            socket.sendto(answered, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        timeout = _IDLE_S

        def handle(self) -> None:
            try:
                while len(head := self.rfile.read(2)) == 2:
                    (length,) = struct.unpack("!H", head)
                    answered = answer(self.rfile.read(length))
                    self.wfile.write(struct.pack("!H", len(answered)) + answered)
            except _NO_ANSWER:
                return  # Closing is how TCP says it.

    return Datagram, Stream


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
