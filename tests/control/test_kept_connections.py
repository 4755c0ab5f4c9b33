"""A connection that was kept over a freeze and closed meanwhile is nobody's failure.

On real sockets, since what is held here is what botocore, urllib3 and the kernel do together.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import parse_headers
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO, Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sidestep.aws.clients import client
from sidestep.aws.endpoint_probe import EndpointProbe
from sidestep.aws.failures import calling
from sidestep.aws.probe_item import ProbeItem
from sidestep.core.canaries import HEALTH
from sidestep.core.errors import SidestepError, Unreachable

LOCAL = "127.0.0.1"
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
)
ERROR = ANSWER.replace(b"200 OK", b"500 Internal Server Error")


class Server:
    """Answers so many requests on each connection, and resets it at the next one.

    A reset at the request is what a client gets of a peer that forgot the connection while the
    client was frozen: had it been told before, it would have made a new one by itself.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers_each = 1
        self.answer = ANSWER
        self.requests = 0
        self._tls = tls
        self._socket = socket.create_server((LOCAL, 0))
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No connection is accepted any more."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        made = self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted
        answered, asked = 0, made.makefile("rb")
        while _whole_request(asked):
            self.requests += 1
            if answered >= self.answers_each:
                # Lingering for no time makes closing a reset (man 7 socket, SO_LINGER).
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                break
            made.sendall(self.answer)
            answered += 1
        made.close()


def _whole_request(asked: IO[bytes]) -> bool:
    """Reads one request to its end, which may come in pieces; False if none comes any more."""
    if not asked.readline():
        return False
    asked.read(int(parse_headers(asked).get("Content-Length", 0)))
    return True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An AWS endpoint, and a process that has no session yet."""
    made = Server()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{LOCAL}:{made.port}")
    boto3.DEFAULT_SESSION = None
    yield made
    boto3.DEFAULT_SESSION = None
    made.close()


@pytest.fixture
def region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A Region's public name, with a certificate that this process trusts."""
    made = Server(_certified(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
    yield made
    made.close()


def _certified(folder: Path) -> ssl.SSLContext:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOCAL)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(LOCAL))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate").write_bytes(certificate.public_bytes(pem))
    (folder / "key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


def probe_item() -> ProbeItem:
    # Time-outs so long that no closing here comes late (clients.CLOSED_SHARE).
    made = client("dynamodb", "eu-west-2", read_timeout=60, attempts=1)
    return ProbeItem(made, "t", "probe", "eu-west-2")


def test_a_call_of_one_attempt_outlives_a_kept_connection_that_was_closed(server: Server) -> None:
    item = probe_item()
    item.write(1)

    item.write(2)

    assert server.requests == 3


def test_a_second_closing_is_told(server: Server) -> None:
    item = probe_item()
    item.write(1)
    server.answers_each = 0

    with pytest.raises(Unreachable, match="Connection was closed"):
        item.write(2)

    assert server.requests == 3


def test_an_answered_error_is_not_asked_for_again(server: Server) -> None:
    server.answer = ERROR

    with pytest.raises(SidestepError):
        probe_item().write(1)

    assert server.requests == 1


def test_a_closing_that_comes_late_is_a_failure(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client("dynamodb", "eu-west-2", read_timeout=60, attempts=1)
    server.answers_each = 0
    late = iter(range(0, 10**6, 11))  # seconds: more than a sixth of the time-out between looks
    monkeypatch.setattr("time.monotonic", lambda: float(next(late)))

    with pytest.raises(Unreachable), calling("a table"):
        made.get_item(TableName="t", Key={"pk": {"S": "x"}})

    assert server.requests == 1


def health(probe: EndpointProbe, region: Server) -> dict[str, Any]:
    return probe.look("eu-west-2", f"{LOCAL}:{region.port}", canaries=False)


def test_a_look_outlives_a_kept_connection_that_was_closed(region: Server) -> None:
    probe = EndpointProbe()
    first = health(probe, region)

    second = health(probe, region)

    assert (first["status"], second["status"]) == (200, 200)
    assert region.requests == 3


def test_a_region_that_closes_new_connections_fails_the_look(region: Server) -> None:
    probe = EndpointProbe()
    region.answers_each = 0

    never = health(probe, region)

    assert (never["reached"], never["error"]) == (False, "ProtocolError")
    assert region.requests == 1


def test_a_look_that_loses_its_connection_between_two_requests_has_failed(region: Server) -> None:
    probe = EndpointProbe()

    requests = probe.look("eu-west-2", f"{LOCAL}:{region.port}")["requests"]

    assert [one["what"] for one in requests][:2] == [HEALTH, "POST /canary"]
    assert [one["error"] for one in requests][:2] == [None, "ProtocolError"]
