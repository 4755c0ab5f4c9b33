"""Goes through the write ledgers stretch by stretch, for as long as one invocation may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sidestep.aws.incident_lease import IncidentLease
from sidestep.aws.telemetry import logger as make_logger
from sidestep.aws.write_ledger import Stretch, WriteLedger
from sidestep.control import _parts
from sidestep.core.control import Claim

logger = make_logger()


def stretches(
    ledger: WriteLedger, lease: IncidentLease, claim: Claim, after: str, size: int, until_ms: int
) -> Iterator[tuple[Claim, Stretch]]:
    """The ledgers from a place on, `size` entries at a time, each stretch with the claim renewed
    for it, until their end or until a time (epoch ms); the last one's `end` says which.

    A ledger that could not be read is not asked again, and is `unread` in every later stretch.
    Raises LeaseLost.
    """
    unread: dict[str, str] = {}
    while True:
        part = ledger.stretch(claim.region, after, size, unread)
        say_unread("ledger", part.unread)
        unread |= part.unread
        yield claim, replace(part, unread=dict(unread))
        if part.end is None or _parts.now_ms() >= until_ms:
            return
        after = part.end
        claim = lease.renew(claim, _parts.now_ms())


def say_unread(what: str, away: Mapping[str, str]) -> None:
    """Tell the log which Regions' ledger or replica could not be read, and why."""
    for region, why in away.items():
        logger.warning(f"a {what} could not be read", region=region, reason=why)
