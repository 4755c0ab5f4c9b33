"""Client subnets, as resolvers send them along (RFC 7871), and which Region they are nearest to."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Mapping
from dataclasses import dataclass

CLIENT_SUBNET = 8
"""EDNS0 option code of a client subnet (RFC 7871, 6)."""
_IPV4, _IPV6 = 1, 2
"""Address families (RFC 7871, 6)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class MalformedError(Exception):
    """A message that breaks the protocol: FORMERR."""


@dataclass(frozen=True)
class Subnet:
    """A client's subnet as the option has it: address family, prefix length, address bytes."""

    family: int
    prefix: int
    address: bytes

    @classmethod
    def parse(cls, data: bytes) -> Subnet:
        """Read the option's data. Raises MalformedError."""
        if len(data) < 4:
            raise MalformedError("a client subnet of less than four bytes")
        family, prefix, _ = struct.unpack("!HBB", data[:4])
        longest = {_IPV4: 4, _IPV6: 16}.get(family, 0)
        # The address is cut to as many bytes as the prefix needs (RFC 7871, 6).
        if prefix > longest * 8 or len(data) - 4 != (prefix + 7) // 8:
            raise MalformedError("a client subnet whose address does not fit its prefix")
        return cls(family, prefix, data[4:])

    def network(self) -> Network:
        """The subnet as a network."""
        if self.family == _IPV4:
            return ipaddress.IPv4Network((self.address.ljust(4, b"\0"), self.prefix), strict=False)
        return ipaddress.IPv6Network((self.address.ljust(16, b"\0"), self.prefix), strict=False)

    def echoed(self) -> bytes:
        """The option's data to answer with: what we say is true of exactly this subnet."""
        return struct.pack("!HBB", self.family, self.prefix, self.prefix) + self.address


def nearest(client: Network, subnets: Mapping[str, str]) -> str | None:
    """The Region of the narrowest block (CIDR → Region) that holds all of a client's subnet."""
    holding = [
        (block.prefixlen, region)
        for block, region in ((ipaddress.ip_network(cidr), r) for cidr, r in subnets.items())
        if block.version == client.version
        and client.prefixlen >= block.prefixlen
        and client.network_address in block
    ]
    return max(holding)[1] if holding else None
