"""What clients see: DNS asked at the authoritative name servers, as from a client's subnet."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from sidestep.core.errors import Unreachable

TIMEOUT_S = 2.0


class DnsView:
    """Asks the zone's own name servers, so that no resolver's cache is in between."""

    def __init__(self, name_servers: Sequence[str]) -> None:
        self._servers = tuple(name_servers)

    def texts(self, name: str, client_subnet: str) -> tuple[str, ...]:
        """The TXT records that a client in `client_subnet` (CIDR) gets now, sorted.

        Route 53 honours EDNS0 client subnets. Raises Unreachable when no server gives an answer;
        an error (NXDOMAIN too: the name exists) is none.
        """
        network = ipaddress.ip_network(client_subnet)
        option = dns.edns.ECSOption(str(network.network_address), network.prefixlen)
        query = dns.message.make_query(name, "TXT", use_edns=0, options=[option])
        failures = []
        for server in self._servers:
            try:
                answer = dns.query.udp(query, _address(server), timeout=TIMEOUT_S)
                if answer.flags & dns.flags.TC:
                    answer = dns.query.tcp(query, _address(server), timeout=TIMEOUT_S)
            except (dns.exception.DNSException, OSError) as error:
                failures.append(f"{server}: {error}")
                continue
            if answer.rcode() != dns.rcode.NOERROR:
                failures.append(f"{server}: {dns.rcode.to_text(answer.rcode())}")
                continue
            return tuple(
                sorted(
                    b"".join(record.strings).decode()
                    for rrset in answer.answer
                    for record in rrset
                    if record.rdtype == dns.rdatatype.TXT
                )
            )
        raise Unreachable(f"no name server answers for {name} ({'; '.join(failures)})")


def _address(server: str) -> str:
    """A name server's address; dnspython takes no names."""
    try:
        return str(ipaddress.ip_address(server))
    except ValueError:
        return socket.gethostbyname(server)
