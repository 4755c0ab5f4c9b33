"""Sockets for people: each Region's API on an address of its own, and the AWS API at one."""

from __future__ import annotations

import errno
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localcloud.calls.endpoint import Endpoint
from localcloud.calls.wire import WireRequest
from localcloud.compute.frontdoor import FrontDoor, Unreachable
from localcloud.network.reach import outside
from localcloud.realtime import RealTime

_PATIENCE_S = 60.0
"""Wall seconds that a request from outside waits for the local cloud."""
POLL_S = 0.1
"""How soon a server notices that it is to stop."""


class ListenError(Exception):
    """An address and port that cannot be listened on. Names the option that changes the port."""

    def __init__(self, address: str, port: int, option: str, why: str) -> None:
        super().__init__(f"{address}:{port} {why}; choose another port with {option} PORT")


class PortInUseError(ListenError):
    """The port is taken."""


def listen_error(
    address: str, port: int, option: str, error: OSError | OverflowError
) -> ListenError:
    """What to raise where binding failed so. OverflowError: there is no such port."""
    if isinstance(error, OverflowError):
        return ListenError(address, port, option, "is no port")
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(address, port, option, "is already in use")
    return ListenError(address, port, option, f"cannot be listened on ({error.strerror})")


class Server:
    """An HTTP server on a thread of its own."""

    def __init__(self, address: str, port: int, handler: type[BaseHTTPRequestHandler], option: str):
        try:
            self._server = ThreadingHTTPServer((address, port), handler)
        except (OSError, OverflowError) as error:
            raise listen_error(address, port, option, error) from None
        self._server.daemon_threads = True
        self.address, self.port = self._server.server_address[0], self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; one that never began only frees it."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def has_loopback(address: str) -> bool:
    """Whether this system answers on `address` (Linux has all of 127.0.0.0/8, others one)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def region_server(
    loop: RealTime, door: FrontDoor, region: str, host: str, address: str, port: int
) -> Server:
    """A Region's API: whatever Host a client names, it is this Region that answers.

    `host` is used where the client names none that the API knows (a bare address).
    """

    def respond(handler: _Handler) -> None:
        named = (handler.headers.get("Host") or "").split(":")[0]
        known = door.api(region, named) is not None
        headers = {key: value for key, value in handler.headers.items() if key.lower() != "host"}
        body = handler.read_body()
        method, path = handler.command, handler.path
        future = loop.submit(
            lambda: door.request(
                region, named if known else host, method, path, headers, body, outside(region)
            )
        )
        try:
            answer = future.result(_PATIENCE_S)
        except Unreachable:
            # A Region that is down sends nothing at all: close without an answer.
            handler.close_connection = True
            return
        handler.answer(answer.status, dict(answer.headers), answer.body)

    return Server(address, port, _handler(respond), "--api-port")


def aws_server(loop: RealTime, endpoint: Endpoint, address: str, port: int) -> Server:
    """The AWS API of every Region at one endpoint: `aws --endpoint-url http://address:port`."""

    def respond(handler: _Handler) -> None:
        request = WireRequest(
            handler.command,
            f"http://{address}:{port}{handler.path}",
            {key.title(): value for key, value in handler.headers.items()},
            handler.read_body(),
        )
        answer = loop.submit(lambda: loop.kernel.call(endpoint.serve_http, request)).result(
            _PATIENCE_S
        )
        handler.answer(answer.status, answer.headers, answer.body)

    return Server(address, port, _handler(respond), "--aws-port")


class _Handler(BaseHTTPRequestHandler):
    """Reads a request whole and writes an answer whole."""

    protocol_version = "HTTP/1.1"
    respond: Callable[[_Handler], None]

    def read_body(self) -> bytes:
        """The request's body by its Content-Length."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Write an answer."""
        self.send_response(status)
        for key, value in headers.items():
            if key.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing: the history tells what happened."""


def _handler(respond: Callable[[_Handler], None]) -> type[_Handler]:
    class Bound(_Handler):
        def _serve(self) -> None:
            try:
                respond(self)
            except (FutureTimeoutError, ConnectionError) as error:
                self.answer(503, {"Content-Type": "application/json"}, _reason(error))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve  # noqa: N815  # http.server's names

    return Bound


def _reason(error: BaseException) -> bytes:
    text = str(error) or "the local cloud did not answer in time"
    return json.dumps({"message": text}).encode()
