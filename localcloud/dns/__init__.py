"""DNS on the wire: authoritative answers, a server for people, a resolver model for clients."""

from localcloud.dns.dry_run import DryRun
from localcloud.dns.resolver import Resolver
from localcloud.dns.server import DnsServer
from localcloud.dns.wire import answer_message

__all__ = ["DnsServer", "DryRun", "Resolver", "answer_message"]
