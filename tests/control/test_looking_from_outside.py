"""What clients see: HTTPS with little patience, DNS at the authoritative servers."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest
import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError

from sidestep.aws.dns_view import DnsView
from sidestep.core.canaries import CANARIES, CLOSER, COLD_START, Request
from sidestep.core.errors import Unreachable
from tests.control.control_plane import LONDON, ControlPlane

NAME, SUBNET = "api.sidestep.test", "198.18.0.0/24"
Ask = Callable[..., Any]


def network_says(patch: pytest.MonkeyPatch, answer: Ask) -> list[dict[str, Any]]:
    """What urllib3 would send is answered here; the requests."""
    asked: list[dict[str, Any]] = []

    def urlopen(pool: Any, method: str, url: str, **how: Any) -> Any:
        asked.append({"what": f"{method} {url}", "scheme": pool.scheme, "host": pool.host, **how})
        return answer(pool)

    patch.setattr(HTTPConnectionPool, "urlopen", urlopen)
    return asked


def http(status: int, body: bytes) -> Ask:
    return lambda _: urllib3.HTTPResponse(body=BytesIO(body), status=status)


def test_a_look_asks_the_regions_own_name_over_https_for_health_and_as_a_client_does(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = network_says(monkeypatch, http(200, b'{"region": "eu-west-2"}'))

    answer = plane.invoke("probe", region=LONDON)

    assert [one["what"] for one in asked] == [
        *("GET /health", "POST /canary", "GET /canary"),
        *("POST /canary",) * 5,
    ]
    assert {(one["scheme"], one["host"]) for one in asked} == {("https", f"{LONDON}.{NAME}")}
    assert {(one["timeout"].total, one["retries"]) for one in asked} == {(3.5, False)}
    assert {one["timeout"].connect_timeout for one in asked} == {2.0}
    assert (answer["reached"], answer["status"], answer["body"]["region"]) == (True, 200, LONDON)
    assert [one["status"] for one in answer["requests"]] == [200] * 8


def test_a_canary_that_fails_is_looked_at_more_closely(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = iter([200, 503, *[200] * (len(CANARIES) + len(CLOSER) - 1)])

    network_says(monkeypatch, lambda pool: http(next(statuses), b"{}")(pool))

    asked = plane.invoke("probe", region=LONDON)["requests"]

    assert [one["what"] for one in asked[1 + len(CANARIES) :]] == ["POST /canary"] * len(CLOSER)
    assert [one["status"] for one in asked][:3] == [200, 503, 200]


def test_a_cold_start_is_waited_for_and_carried_into_the_ballots_evidence(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_: Any) -> Any:
        second = len(asked) % 8 == 2
        plane.later(2.5 if second else 0.04)
        headers = {COLD_START.lower(): "true"} if second else {}
        return urllib3.HTTPResponse(body=BytesIO(b"{}"), status=200, headers=headers)

    asked = network_says(monkeypatch, answer)

    first, second = (plane.invoke("probe", region=LONDON) for _ in range(2))

    assert [one["cold"] for one in second["requests"]] == [False, True, *[False] * 6]
    canary = Request.from_dict(second["requests"][1])
    assert (canary.slow_start(1500), canary.fault(1500)) == (True, None)
    # The observer's own environment was new at its first request.
    assert [one["cold"] for one in first["requests"]] == [True, True, *[False] * 6]


def test_where_there_is_doubt_everybody_looks_closely_at_its_own_region_too(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    network_says(monkeypatch, http(200, b"{}"))

    own = plane.invoke("probe", LONDON, region=LONDON, closer=True)["requests"]

    assert len(own) == 1 + len(CANARIES) + len(CLOSER)
    assert len(plane.invoke("probe", LONDON, region=LONDON)["requests"]) == 1


def test_a_region_that_is_out_sends_canaries_to_itself(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    network_says(monkeypatch, http(200, b"{}"))

    own = plane.invoke("probe", LONDON, region=LONDON, canaries=True)["requests"]

    assert len(own) == 1 + len(CANARIES)


def test_a_look_at_a_slow_region_ends_within_a_round(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(pool: Any) -> Any:
        plane.later(1.9)
        return http(503 if len(asked) > 1 else 200, b"{}")(pool)

    asked = network_says(monkeypatch, late)
    began = plane.now

    answer = plane.invoke("probe", region=LONDON)

    assert plane.now - began <= 7500
    assert [round(one["ms"], -1) for one in answer["requests"]] == [1900] * 3


@pytest.mark.parametrize(("status", "body"), [(503, b'{"status": "failing"}'), (502, b"<html>")])
def test_an_error_is_an_answer(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    network_says(monkeypatch, http(status, body))

    answer = plane.invoke("probe", region=LONDON)

    assert (answer["reached"], answer["status"]) == (True, status)


@pytest.mark.parametrize(
    "body", [b'{"region": "' + b"x" * 300_000 + b'"}', b'{"text": "' + b"x" * 300_000 + b'"}']
)
def test_a_body_of_any_length_is_not_passed_on(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    network_says(monkeypatch, http(200, body))

    answer = plane.invoke("probe", region=LONDON)

    assert (answer["status"], answer["body"]) == (200, None)


def test_silence_is_told_and_not_raised(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silence(pool: Any) -> Any:
        raise ConnectTimeoutError(pool, "timed out")

    network_says(monkeypatch, silence)

    answer = plane.invoke("probe", region=LONDON)

    assert (answer["reached"], answer["status"]) == (False, None)
    assert "no connection within 2 s" in answer["error"]


def servers(patch: pytest.MonkeyPatch, *answers: Ask) -> list[Any]:
    """Name servers that answer one after the other; the queries they got."""
    asked: list[Any] = []
    left = iter(answers)

    def udp(query: Any, _where: str, **_: Any) -> Any:
        asked.append(query)
        return next(left)(query)

    patch.setattr(dns.query, "udp", udp)
    return asked


def texts(*found: str, rcode: Any = dns.rcode.NOERROR, flags: int = 0) -> Ask:
    def answer(query: Any) -> Any:
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        response.flags |= flags
        if found:
            response.answer.append(dns.rrset.from_text(f"{NAME}.", 60, "IN", "TXT", *found))
        return response

    return answer


def silent(_: Any) -> Any:
    raise dns.exception.Timeout(timeout=2)  # type: ignore[no-untyped-call]  # dnspython's own


def test_dns_is_asked_as_from_the_clients_subnet(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = servers(monkeypatch, texts('"us-east-1"', '"eu-" "west-2"'))

    found = DnsView(["198.51.100.53"]).texts(NAME, SUBNET)

    assert found == ("eu-west-2", "us-east-1")
    assert [question.to_text() for question in asked[0].question] == [f"{NAME}. IN TXT"]
    assert [option.to_text() for option in asked[0].options] == [f"ECS {SUBNET} scope/0"]


def test_a_silent_or_erring_server_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    servers(monkeypatch, silent, texts(rcode=dns.rcode.SERVFAIL), texts(LONDON))

    view = DnsView(["198.51.100.53", "198.51.100.54", "198.51.100.55"])

    assert view.texts(NAME, SUBNET) == (LONDON,)


@pytest.mark.parametrize("rcode", [dns.rcode.NXDOMAIN, dns.rcode.REFUSED, dns.rcode.SERVFAIL])
def test_an_error_is_no_answer(monkeypatch: pytest.MonkeyPatch, rcode: Any) -> None:
    servers(monkeypatch, texts(rcode=rcode))

    with pytest.raises(Unreachable, match=dns.rcode.to_text(rcode)):
        DnsView(["198.51.100.53"]).texts(NAME, SUBNET)


def test_a_cut_off_answer_is_asked_for_again_over_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    servers(monkeypatch, texts(flags=dns.flags.TC))
    whole = texts(LONDON)
    monkeypatch.setattr(dns.query, "tcp", lambda query, _where, **_: whole(query))

    assert DnsView(["198.51.100.53"]).texts(NAME, SUBNET) == (LONDON,)
